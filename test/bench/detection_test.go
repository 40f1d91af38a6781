//go:build integration && bench

package bench

import (
	"os/exec"
	"regexp"
	"strconv"
	"testing"

	"kubernaut.io/dynamic-toolset/test/bench/report"
)

// detection runs the benchmarks of package detect, on one core.
func (b *bench) detection(t *testing.T) {
	t.Helper()
	cmd := exec.Command("go", "test", "-run", "^$", "-bench", "^(BenchmarkNothing|Benchmark100000)$", "-benchmem", "-cpu", "1",
		"-count", strconv.Itoa(b.runs), "../../internal/detect")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("benchmarks of detection: %v\n%s", err, out)
	}
	for _, f := range []struct {
		benchmark string
		column    string
		divide    float64
		figure    report.Figure
	}{
		{"BenchmarkNothing", "ns/op", 1e3, report.Figure{Name: "detection of an unmatched Service", Unit: report.Microseconds, Target: report.AtMost(1)}},
		{"BenchmarkNothing", "allocs/op", 1, report.Figure{Name: "its allocations", Target: report.AtMost(0)}},
		{"Benchmark100000", "ns/op", 1e6, report.Figure{Name: "detection of 100,000 Services", Unit: report.Milliseconds, Target: report.AtMost(150)}},
	} {
		f.figure.Requirement = "DTS-PERF-6"
		f.figure.Note = "the benchmark in internal/detect, on one core."
		for _, m := range regexp.MustCompile(`(?m)^`+f.benchmark+`\s.*?([0-9.]+) `+f.column).FindAllSubmatch(out, -1) {
			v, err := strconv.ParseFloat(string(m[1]), 64)
			if err != nil {
				t.Fatal(err)
			}
			f.figure.Runs = append(f.figure.Runs, v/f.divide)
		}
		b.report.Add(f.figure)
	}
}
