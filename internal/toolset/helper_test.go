package toolset

import (
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"kubernaut.io/dynamic-toolset/internal/backend"
	"kubernaut.io/dynamic-toolset/internal/catalog"
)

var update = flag.Bool("update", false, "write the golden files")

// builtinCatalog is read once: the tests build often.
var builtinCatalog = sync.OnceValues(catalog.Builtin)

func types(t *testing.T) []*catalog.Type {
	t.Helper()
	c, err := builtinCatalog()
	if err != nil {
		t.Fatal(err)
	}
	return c.Types
}

func options(t *testing.T) Options {
	t.Helper()
	return Options{Types: types(t), Baseline: []string{"kubernetes/core", "kubernetes/logs"}, GenerationMarker: true}
}

// found makes an accepted finding of a catalog type; change adapts it.
func found(typ, ref string, port int32, change ...func(*backend.Finding)) *backend.Finding {
	namespace, name, _ := strings.Cut(ref, "/")
	r := backend.Ref{Namespace: namespace, Name: name}
	f := &backend.Finding{
		Ref: r, Type: typ, Verdict: backend.Accepted, Reason: backend.Reason{Code: backend.CodeWorks},
		Candidate: &backend.Candidate{
			Service: &backend.Service{Ref: r, Created: time.Unix(0, 0)}, Type: typ, Instance: ref,
			Host: name + "." + namespace + ".svc.cluster.local", Scheme: "http", PortNumber: port, Strength: backend.Strong,
		},
		Observation: backend.Observation{Outcome: backend.Ready},
	}
	for _, c := range change {
		c(f)
	}
	return f
}

func primary(f *backend.Finding) { f.Primary = true }

func vouched(f *backend.Finding) { f.Vouched = true }

func credentials(fields ...string) func(*backend.Finding) {
	return func(f *backend.Finding) {
		f.Credentials = map[string]string{}
		for i := 0; i < len(fields); i += 2 {
			f.Credentials[fields[i]] = fields[i+1]
		}
	}
}

func named(instance string) func(*backend.Finding) {
	return func(f *backend.Finding) { f.Candidate.Instance = instance }
}

func note(text string) func(*backend.Finding) {
	return func(f *backend.Finding) { f.Candidate.Description = text }
}

func health(path string) func(*backend.Finding) {
	return func(f *backend.Finding) { f.Candidate.HealthPath = path }
}

func unproven(f *backend.Finding) {
	f.Candidate.Unproven = true
	f.Observation.Outcome = backend.Unprobed
}

func base(path string) func(*backend.Finding) {
	return func(f *backend.Finding) { f.Candidate.Path = path }
}

// own makes it a backend of the user's own type.
func own(f *backend.Finding) { f.Candidate.Custom = true }

// seen is what the probe corrected.
func seen(scheme, path string) func(*backend.Finding) {
	return func(f *backend.Finding) { f.Observation.Scheme, f.Observation.Path = scheme, path }
}

func unverified(f *backend.Finding) {
	f.Candidate.Scheme = "https"
	f.Observation.SkipVerify = true
}

func parse(t *testing.T, text string) *Overrides {
	t.Helper()
	o, err := ParseOverrides("overrides.yaml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return o
}

// document builds one of the findings with overrides.
func document(t *testing.T, findings []*backend.Finding, opts Options, overrides string) *Document {
	t.Helper()
	d, err := Build(findings, opts, parse(t, overrides))
	if err != nil {
		t.Fatalf("%s: %v", overrides, err)
	}
	return d
}

func keysOf(t *testing.T, d *Document) map[string]string {
	t.Helper()
	keys, err := d.Keys()
	if err != nil {
		t.Fatal(err)
	}
	return keys
}

// brief has a line for each warning: its place, its code, and the details that it has. The words are view's.
func brief(warnings []Warning) string {
	var lines []string
	for i := range warnings {
		w := &warnings[i]
		line := string(w.Code)
		if w.Ref != (backend.Ref{}) {
			line = w.Ref.String() + ": " + line
		}
		for _, detail := range []struct{ name, value string }{
			{"type", w.Type}, {"field", w.Field}, {"value", w.Value}, {"names", w.Names}, {"meant", w.Meant}, {"because", w.Because},
			{"kind", w.Kind}, {"other", w.Other},
		} {
			if detail.value != "" {
				line += " " + detail.name + "=" + detail.value
			}
		}
		if w.Number > 0 {
			line += fmt.Sprintf(" %d/%d", w.Number, w.Of)
		}
		if at := w.Place; at.File != "" {
			at.Message = line
			line = at.Error()
		}
		lines = append(lines, line)
	}
	return strings.Join(lines, "\n")
}

// flat is all keys in one text, as the golden files hold them.
func flat(t *testing.T, d *Document) string {
	t.Helper()
	keys := keysOf(t, d)
	var b strings.Builder
	for _, k := range slices.Sorted(maps.Keys(keys)) {
		b.WriteString("=== " + k + "\n" + keys[k])
	}
	if v := d.Variables(); len(v) > 0 {
		b.WriteString("=== variables\n")
		for _, v := range v {
			b.WriteString(strings.TrimSpace(v.Name+": "+v.Toolset+" "+v.Instance+" "+v.Field) + "\n")
		}
	}
	if len(d.Warnings) > 0 {
		b.WriteString("=== warnings\n" + brief(d.Warnings) + "\n")
	}
	return b.String()
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	file := filepath.Join("testdata", name+".golden")
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", file, diff)
	}
}
