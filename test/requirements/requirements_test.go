package main

import (
	"bytes"
	"io"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const repo = "testdata/repo"

// matrixOf runs the program on the repository in testdata, with the results of plain tests as they were recorded.
func matrixOf(t *testing.T, args ...string) (out string, err error) {
	t.Helper()
	var b bytes.Buffer
	err = run(t.Context(), append([]string{"-root", repo, "-static"}, args...), &b, io.Discard)
	return b.String(), err
}

func TestMatrix(t *testing.T) {
	t.Attr("req", "DTS-QA-2")
	got, err := matrixOf(t, "-results", "testdata/plain.json")
	want := `DTS-A-1     one that a plain test proves
              pass          pure TestOne
              pass          pure TestParts
DTS-A-2     one that a part of a test proves
              pass          pure TestParts
              pass          pure TestTable
DTS-B-1     one that only another suite proves
              not run here  slow TestSlow (tags: integration && !windows)
DTS-B-2     one that nobody proves
              NO TEST

4 requirements: 2 proven by tests that passed here, 1 only by tests that did not run here, 1 without a test.
`
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("-want +got:\n%s", d)
	}
	if err == nil || err.Error() != "DTS-B-2 has no test: one that nobody proves" {
		t.Errorf("error = %v, want that DTS-B-2 has no test", err)
	}
}

func TestBrief(t *testing.T) {
	t.Attr("req", "DTS-QA-2")
	got, _ := matrixOf(t, "-brief")
	if want := "DTS-A-1       0 passed of 2   one that a plain test proves\n"; !strings.HasPrefix(got, want) {
		t.Errorf("got\n%swant first\n%s", got, want)
	}
}

func TestProblems(t *testing.T) {
	t.Attr("req", "DTS-QA-2")
	for name, c := range map[string]struct {
		test
		want string
	}{
		"proven":  {test{ids: []string{"DTS-A-1"}}, ""},
		"unknown": {test{ids: []string{"DTS-A-1", "DTS-A-7"}}, "unknown id DTS-A-7, named by TestX in pkg"},
		"failed":  {test{ids: []string{"DTS-A-1"}, status: "fail"}, "failed: pkg TestX"},
		"none":    {test{}, "DTS-A-1 has no test"},
	} {
		t.Run(name, func(t *testing.T) {
			c.dir, c.name = "pkg", "TestX"
			r := newResults()
			r.status["pkg TestX"] = c.status
			got := strings.Join(join([]requirement{{"DTS-A-1", "one"}}, []*test{&c.test}, r).problems(), "\n")
			if c.want == "" && got != "" || !strings.Contains(got, c.want) {
				t.Errorf("problems: %q, want %q", got, c.want)
			}
		})
	}
}

// What the scan cannot read must not pass in silence.
func TestUnreadable(t *testing.T) {
	t.Attr("req", "DTS-QA-2")
	if _, err := scan("testdata/bad"); err == nil || !strings.Contains(err.Error(), "bad_test.go:7:16") {
		t.Errorf("scan = %v, want an error at bad_test.go:7:16", err)
	}
}

// A package that fails is told with the end of what it said.
func TestFailedPackage(t *testing.T) {
	t.Attr("req", "DTS-QA-2")
	r := newResults()
	in := `{"Action":"output","Package":"example.com/repo/broken","Output":"x.go:1: undefined: y\n"}
{"Action":"fail","Package":"example.com/repo/broken"}`
	if err := r.read(strings.NewReader(in), "example.com/repo", io.Discard); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff([]string{"broken:\nx.go:1: undefined: y\n"}, r.failed); d != "" {
		t.Errorf("-want +got:\n%s", d)
	}
}

func TestIDs(t *testing.T) {
	t.Attr("req", "DTS-QA-2")
	f, err := os.Open("ids.txt")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if list, err := readIDs("ids.txt", f); err != nil || len(list) != 77 {
		t.Errorf("ids.txt: %d ids, %v; want the 77 of the contract", len(list), err)
	}
	for in, want := range map[string]string{
		"DTS-A\tx":              "is no id",
		"DTS-A-0 x":             "is no id",
		"DTS-A-1":               "say after it what it means",
		"DTS-A-1 x\nDTS-A-1  y": "ids:2: DTS-A-1 is in the list twice",
	} {
		if _, err := readIDs("ids", strings.NewReader(in)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", in, err, want)
		}
	}
}

// Every id that a test of this repository names is in the list, and each file can be read.
func TestThisRepository(t *testing.T) {
	t.Attr("req", "DTS-QA-2")
	scanned, err := scan("../..")
	if err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile("ids.txt")
	if err != nil {
		t.Fatal(err)
	}
	list, err := readIDs("ids.txt", bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	if len(scanned) < 100 {
		t.Errorf("%d tests name an id; there are hundreds", len(scanned))
	}
	for _, u := range join(list, scanned, newResults()).unknown {
		t.Errorf("unknown id %s: correct it, or add it to ids.txt", u)
	}
}
