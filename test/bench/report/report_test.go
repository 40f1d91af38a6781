package report

import (
	"bytes"
	"encoding/xml"
	"errors"
	"flag"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write the golden files anew")

// example is a report with figures of every sort.
func example() *Report {
	r := &Report{Machine: Machine{
		Cores: 2, MemoryGiB: 23, System: "linux/amd64", Kernel: "6.18", Go: "go1.26.8", Server: "v1.36.3", Runs: 3, LoadBefore: 0.2, LoadAfter: 1.1,
	}}
	for i, n := range []int{1000, 10_000, 100_000} {
		factor := float64(int(1) << (3 * i))
		r.Add(Figure{
			Requirement: "DTS-PERF-1", Name: "cold start", Services: n, Unit: Milliseconds, Runs: []float64{150 * factor, 140 * factor, 160 * factor},
			Limit: Series{"bare LIST", []float64{100 * factor, 110 * factor, 90 * factor}}, Target: Limits(1.5),
			Others: []Series{{"polling", []float64{300 * factor}}}, Note: "from before exec until the ConfigMap is seen.",
		})
		r.Add(Figure{Requirement: "DTS-PERF-4", Name: "resident memory", Services: n, Unit: MiB, Runs: []float64{30 * factor}, Target: AtMost(64)})
		r.Add(Figure{Name: "processor time of the start", Services: n, Unit: Milliseconds, Runs: []float64{80 * factor}})
	}
	r.Add(Figure{Requirement: "DTS-PERF-5", Name: "writes in an hour", Services: 10_000, Runs: []float64{0, 0, 0}, Target: AtMost(0)})
	r.Add(Figure{Requirement: "DTS-PERF-5", Name: "processor", Services: 10_000, Unit: Percent, Runs: []float64{0.5}, Target: Less(0.5)})
	r.Add(Figure{Requirement: "DTS-PERF-1", Name: "cold start", Services: 1000, Runs: []float64{170}, Limit: Series{"bare LIST", []float64{100}}})
	r.Requests = []Requests{{"dynamic-toolset", 10_000, []string{"watch services 1", "patch configmaps 1"}}}
	return r
}

func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, got, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(string(want), string(got)); d != "" {
		t.Errorf("%s (go test -update writes it anew): -want +got:\n%s", name, d)
	}
}

func TestPrint(t *testing.T) {
	t.Attr("req", "DTS-DOC-1")
	var b bytes.Buffer
	if err := example().Print(&b); err != nil {
		t.Fatal(err)
	}
	golden(t, "table.txt", b.Bytes())
}

func TestPage(t *testing.T) {
	t.Attr("req", "DTS-DOC-1")
	first, err := example().Page(nil)
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "performance.md", first)

	// What people wrote around the figures stays, and the figures are replaced.
	edited := strings.Replace(string(first), "# Performance", "# Speed", 1) + "\n## At a million\n\nText.\n"
	second, err := example().Page([]byte(edited))
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(edited, string(second)); d != "" {
		t.Errorf("-want +got:\n%s", d)
	}
	if page, err := example().Page([]byte("# Performance\n")); err == nil {
		t.Errorf("a page without the lines: got no error and\n%s", page)
	}
}

func TestPlot(t *testing.T) {
	t.Attr("req", "DTS-DOC-1")
	r := example()
	panels := []Panel{{"Cold start", "cold start"}, {"Memory", "resident memory"}, {"Nothing", "not measured"}}
	got := r.Plot(panels...)
	golden(t, "growth.svg", got)
	for _, plot := range [][]byte{got, new(Report).Plot(panels...)} {
		for d := xml.NewDecoder(bytes.NewReader(plot)); ; {
			if _, err := d.Token(); errors.Is(err, io.EOF) {
				break
			} else if err != nil {
				t.Fatalf("not well-formed: %v\n%s", err, plot)
			}
		}
		if bytes.Contains(plot, []byte("NaN")) || bytes.Contains(plot, []byte("Inf")) {
			t.Errorf("a coordinate is no number:\n%s", plot)
		}
	}
}

func TestVerdict(t *testing.T) {
	t.Attr("req", "DTS-DOC-1")
	limit := Series{"limit", []float64{10}}
	for name, c := range map[string]struct {
		figure Figure
		want   Verdict
	}{
		"no target":          {Figure{Runs: []float64{1}}, None},
		"below":              {Figure{Runs: []float64{1}, Target: AtMost(2)}, Pass},
		"reached":            {Figure{Runs: []float64{2}, Target: AtMost(2)}, Pass},
		"above":              {Figure{Runs: []float64{2.1}, Target: AtMost(2)}, Miss},
		"median counts":      {Figure{Runs: []float64{9, 1, 1}, Target: AtMost(2)}, Pass},
		"must not reach":     {Figure{Runs: []float64{2}, Target: Less(2)}, Miss},
		"zero":               {Figure{Runs: []float64{0}, Target: AtMost(0)}, Pass},
		"not measured":       {Figure{Target: AtMost(2)}, Miss},
		"within limits":      {Figure{Runs: []float64{15}, Limit: limit, Target: Limits(1.5)}, Pass},
		"beyond limits":      {Figure{Runs: []float64{15.1}, Limit: limit, Target: Limits(1.5)}, Miss},
		"limit not measured": {Figure{Runs: []float64{1}, Target: Limits(1.5)}, Miss},
	} {
		if got := c.figure.Verdict(); got != c.want {
			t.Errorf("%s: got %q, want %q", name, got, c.want)
		}
	}
}

func TestQuantile(t *testing.T) {
	t.Attr("req", "DTS-DOC-1")
	hundred := make([]float64, 100)
	for i := range hundred {
		hundred[i] = float64(100 - i)
	}
	for _, c := range []struct {
		values  []float64
		q, want float64
	}{
		{nil, 0.5, 0}, {[]float64{3}, 0.99, 3}, {[]float64{3, 1, 2}, 0.5, 2}, {[]float64{4, 1, 2, 3}, 0.5, 2.5},
		{hundred, 0.99, 99}, {hundred, 1, 100}, {hundred, 0.5, 50.5}, {[]float64{1, 2, 3, 4}, 0.99, 4},
	} {
		if got := Quantile(c.values, c.q); got != c.want {
			t.Errorf("Quantile(%v, %v): got %v, want %v", c.values, c.q, got, c.want)
		}
	}
}
