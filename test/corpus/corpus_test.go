package corpus

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"testing"
	"text/tabwriter"

	"kubernaut.io/dynamic-toolset/internal/catalog"
)

// The labelled Services are not part of this repository: they stand beside it where it is developed.
const devCorpus = "../../../shared/corpus/dev.jsonl"

// firstClass are the types that every feature exists for.
var firstClass = []string{"prometheus", "grafana", "jaeger", "elasticsearch"}

func TestCorpus(t *testing.T) {
	t.Attr("req", "DTS-DET-10")
	f, err := os.Open(devCorpus)
	if errors.Is(err, fs.ErrNotExist) {
		t.Skipf("no corpus at %s: nothing to score", devCorpus)
	}
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	entries, err := Read(f)
	if err != nil {
		t.Fatalf("%s: %v", devCorpus, err)
	}
	c, err := catalog.Builtin()
	if err != nil {
		t.Fatal(err)
	}
	scores, misses, err := Run(entries, c)
	if err != nil {
		t.Fatal(err)
	}
	four, all := Score{Type: "first class"}, Score{Type: "all"}
	for _, name := range firstClass {
		four = four.Add(*scores[name])
	}
	table := []Score{}
	for _, typ := range c.Types {
		table = append(table, *scores[typ.Type])
		all = all.Add(*scores[typ.Type])
	}
	t.Logf("%d Services\n%s%s", len(entries), render(append(table, four, all)), strings.Join(misses, "\n"))

	bounds := []struct {
		what       string
		got, bound float64
	}{
		{"precision, first class", four.Precision(), 0.99},
		{"recall, first class", four.Recall(), 0.97},
		{"recall with unconfirmed, first class", four.RecallNear(), 0.99},
		{"precision, all", all.Precision(), 0.98},
		{"recall, all", all.Recall(), 0.95},
		{"recall with unconfirmed, all", all.RecallNear(), 0.98},
		{"port", all.Port(), 0.99},
		{"scheme", all.Scheme(), 0.97},
	}
	for _, b := range bounds {
		if b.got < b.bound {
			t.Errorf("%s is %.4f, below %.2f", b.what, b.got, b.bound)
		}
	}
}

func render(scores []Score) string {
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "TYPE\tPRIMARIES\tHITS\tNEAR\tACCEPTED\tFALSE\tPRECISION\tRECALL\tWITH NEAR\tPORT\tSCHEME")
	for _, s := range scores {
		fmt.Fprintf(w, "%s\t%d\t%d\t%d\t%d\t%d\t%.3f\t%.3f\t%.3f\t%.3f\t%.3f\n", s.Type, s.Primaries, s.Hits, s.Near, s.Accepted, s.False,
			s.Precision(), s.Recall(), s.RecallNear(), s.Port(), s.Scheme())
	}
	w.Flush()
	return b.String()
}
