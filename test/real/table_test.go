//go:build real

package real

import (
	"fmt"
	"strings"
	"testing"
)

// row is a process behind a Service, and what the service is to say of it.
type row struct {
	process string // or front
	like    string // whose labels, in words
	name    string // the Service's
	labels  labels
	notes   labels // its annotations
	port    port
	want    want
}

type labels = map[string]string

// want is what discover is to show. What is empty is not looked at, but the path and the version of what is accepted.
type want struct {
	verdict, kind string
	version       string // "" is that of the product; "-" is none
	path          string
	probe         string
	scheme        string
	reason        []string // each a part of it
}

func (w want) problems(f found, version func() string) []string {
	var list []string
	check := func(what, got, want string) {
		if got != want {
			list = append(list, fmt.Sprintf("%s %q, want %q", what, got, want))
		}
	}
	check("verdict", f.Verdict, w.verdict)
	if w.kind != "" || f.Verdict == "accepted" {
		check("type", f.Type, w.kind)
	}
	if w.verdict == "accepted" {
		switch w.version {
		case "":
			check("version", f.Metadata["version"], version())
		case "-":
			check("version", f.Metadata["version"], "")
		default:
			check("version", f.Metadata["version"], w.version)
		}
		check("path", f.Metadata["path"], w.path)
	}
	if w.probe != "" {
		check("probe", f.Metadata["probe"], w.probe)
	}
	if w.scheme != "" {
		check("scheme", f.Metadata["scheme"], w.scheme)
	}
	for _, part := range w.reason {
		if !strings.Contains(f.Reason, part) {
			list = append(list, fmt.Sprintf("reason %q, want %q in it", f.Reason, part))
		}
	}
	return list
}

// judge compares what was found with what is wanted.
func judge(t *testing.T, w want, results []found, version func() string) {
	t.Helper()
	f := found{Verdict: "nothing"}
	for i, candidate := range results { // of several the one that is taken, else the one of the wanted type
		if i == 0 || candidate.Verdict == "accepted" || f.Verdict != "accepted" && candidate.Type == w.kind {
			f = candidate
		}
	}
	if problems := w.problems(f, version); len(problems) > 0 {
		t.Errorf("%s\nseen: %v", strings.Join(problems, "\n"), f)
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
