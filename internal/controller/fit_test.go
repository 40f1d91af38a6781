package controller

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"kubernaut.io/dynamic-toolset/internal/backend"
	"kubernaut.io/dynamic-toolset/internal/inventory"
	"kubernaut.io/dynamic-toolset/internal/publish"
)

// What is left out depends on what is there now: a process that has run for long writes what one writes that was just
// started.
func TestTooLargeIsAsAfterAStart(t *testing.T) {
	t.Attr("req", "DTS-OUT-11")
	t.Attr("req", "DTS-OUT-5")
	var services []backend.Service
	for i := range 1500 {
		s := custom([]string{"a", "b", "c"}[i%3], fmt.Sprintf("x%04d", i), strings.Repeat("x", 500))
		services = append(services, aged(s, i))
	}
	running, s := crowd(t, inventory.Options{}, services)
	all := slices.Clone(s.Findings)
	for _, step := range []struct {
		what   string
		change func(i int, f *backend.Finding)
	}{
		{"as at first", func(int, *backend.Finding) {}},
		{"as before", func(int, *backend.Finding) {}},
		{"a few notes are longer", func(i int, f *backend.Finding) {
			if i%10 == 0 {
				f.Candidate.Description = strings.Repeat("x", 580)
			}
		}},
		{"a few are gone", func(i int, f *backend.Finding) {
			if i%100 == 0 {
				f.Verdict = backend.Unavailable
			}
		}},
		{"and back", func(int, *backend.Finding) {}},
	} {
		write := func(c *Controller) map[string]string {
			s.Findings = slices.Clone(all)
			for i, f := range all {
				f.Verdict, f.Reason = backend.Accepted, backend.Reason{}
				step.change(i, f)
			}
			_, keys, err := c.fit(s, nil)
			if err != nil {
				t.Fatal(err)
			}
			return keys
		}
		fresh, _ := crowd(t, inventory.Options{}, nil)
		if got, want := write(running), write(fresh); !maps.Equal(got, want) {
			t.Errorf("%s: %d bytes, want the %d that a new process writes", step.what,
				publish.SizeOf(got), publish.SizeOf(want))
		}
	}
}
