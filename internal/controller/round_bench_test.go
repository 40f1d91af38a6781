package controller

import (
	"fmt"
	"runtime"
	"slices"
	"strings"
	"testing"

	yaml "go.yaml.in/yaml/v2"

	"kubernaut.io/dynamic-toolset/internal/backend"
	"kubernaut.io/dynamic-toolset/internal/inventory"
)

// BenchmarkRoundAtTheSizeLimit measures what one round takes while more is found than there is room for, which owners of Services
// decide. It fails where the round allocates more than twice as much as the YAML library does to write its document in one piece.
func BenchmarkRoundAtTheSizeLimit(b *testing.B) {
	var services []backend.Service
	for i := range 1500 {
		s := custom(fmt.Sprintf("evil-%02d", i%30), fmt.Sprintf("x%04d", i), strings.Repeat("Ask me first. ", 35))
		services = append(services, aged(s, i))
	}
	c, s := crowd(b, inventory.Options{}, services)
	all, found := slices.Clone(s.Findings), make([]backend.Finding, len(s.Findings))
	for i, f := range all {
		found[i] = *f
	}
	round := func() {
		for i, f := range all {
			*f = found[i]
		}
		s.Findings = slices.Clone(all) // each round has them in order
		if _, keys, err := c.fit(s, nil); err != nil || len(keys) == 0 {
			b.Fatal(len(keys), err)
		}
	}
	round() // which measures what each takes
	took := allocated(round)
	document, _, err := c.fit(s, nil)
	if err != nil {
		b.Fatal(err)
	}
	once := allocated(func() {
		for _, tree := range []any{document.HolmesGPT, document.Compact} {
			if _, err := yaml.Marshal(tree); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.ReportAllocs()
	for b.Loop() {
		round()
	}
	b.ReportMetric(float64(took)/float64(once), "of-once")
	if took > 2*once {
		b.Errorf("a round allocates %d KiB, and writing its document in one piece %d KiB: more than twice as much", took>>10, once>>10)
	}
}

// allocated is how much do allocates, in bytes.
func allocated(do func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	do()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}
