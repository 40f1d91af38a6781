package yamlfile_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"kubernaut.io/dynamic-toolset/internal/yamlfile"
)

func TestSet(t *testing.T) {
	t.Parallel()
	f, err := yamlfile.Parse("f.yaml", []byte(`name: old
words: [a]
many: [&s {configMap: shared}]
section: *s
labels:
`))
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range []string{
		"name=[::1]:8080", "name=x: y=z", "words=[b, c]", "section.interval=3s", `labels.app\.kubernetes\.io/name=n`,
		"labels.other=", `labels.quoted="a b"`, "maybe.configMap=m", "maybe.interval=1s", "count=3", "count=4",
		"tree={a: {b: [1]}, c: 1}", "tree.c=2",
	} {
		f.Set("--set", s)
	}
	var got doc
	f.Decode(&got)
	if err := f.Err(); err != nil {
		t.Fatal(err)
	}
	want := doc{
		Name: "x: y=z", Count: 4, Words: []string{"b", "c"},
		Section: section{ConfigMap: "shared", Interval: 3 * time.Second},
		Many:    []section{{ConfigMap: "shared"}},
		Maybe:   &section{ConfigMap: "m", Interval: time.Second},
		Labels:  map[string]string{"app.kubernetes.io/name": "n", "other": "", "quoted": "a b"},
		Tree:    map[string]any{"a": map[string]any{"b": []any{1}}, "c": 2},
	}
	if d := cmp.Diff(want, got, cmpopts.EquateComparable()); d != "" {
		t.Error(d)
	}
}

func TestSetEmpties(t *testing.T) {
	t.Parallel()
	f := yamlfile.Empty("defaults")
	f.Set("--set", "words=")
	f.Set("--set", "name=")
	got := doc{Name: "default", Words: []string{"default"}}
	f.Decode(&got)
	if d := cmp.Diff(doc{}, got, cmpopts.EquateComparable()); d != "" || f.Err() != nil {
		t.Error(d, f.Err())
	}
}

func TestSetErrors(t *testing.T) {
	t.Parallel()
	for set, want := range map[string]string{
		"name":               "--set: expected path=value, e.g. health.interval=1m",
		"section..x=1":       `--set section[""]: unknown key; expected one of configMap, interval`,
		"=1":                 `--set [""]: unknown key; expected one of name, count, on, ratio, wait, words, labels, nets, section, many, maybe, tree`,
		"sektion.x=1":        `--set sektion: unknown key; did you mean "section"?`,
		"section.inteval=1s": `--set section.inteval: unknown key; did you mean "interval"?`,
		"name.first=x":       "--set name: expected a text, found a mapping",
		"words.0=x":          "--set words: expected a list such as [a, b], found a mapping",
		"wait=soon":          `--set wait: expected a duration such as 30s or 5m, found "soon"`,
		"wait=":              "--set wait: expected a duration such as 30s or 5m, found nothing",
		"words=[a":           "--set words: not valid YAML: did not find expected ',' or ']' (a bracket is not closed)",
		"words=a":            `--set words: expected a list such as [a, b], found "a"`,
		"tree={a: 1, a: 2}":  "--set tree: tree.a: given twice",
		"section={zzz: 1}":   "--set section: section.zzz: unknown key; expected one of configMap, interval",
	} {
		t.Run(set, func(t *testing.T) {
			t.Parallel()
			f := yamlfile.Empty("defaults")
			f.Set("--set", set)
			var out doc
			f.Decode(&out)
			if d := cmp.Diff(want, message(f.Err())); d != "" {
				t.Error(d)
			}
		})
	}
}

// What the file says wrong and what flags say wrong is reported together, the file first.
func TestSetBesideFile(t *testing.T) {
	t.Parallel()
	f, err := yamlfile.Parse("f.yaml", []byte("wait: 30\nsection: 5\nlabels: {a: b}\n"))
	if err != nil {
		t.Fatal(err)
	}
	f.Set("--set", "section.interval=1s")
	f.Set("--set", "count=many")
	f.Set("--set", "labels={c: d}")
	f.Set("--set", "tree={a: [1}")
	f.Set("--set", "tree.c=2")
	var out doc
	f.Decode(&out)
	f.At("labels.c", "expected something else")
	want := `f.yaml:1:7: wait: expected a duration such as 30s or 5m, found "30"
--set count: expected a whole number, found "many"
--set tree: not valid YAML: did not find expected ',' or ']' (a bracket is not closed)
--set labels: labels.c: expected something else`
	if d := cmp.Diff(want, message(f.Err())); d != "" {
		t.Error(d)
	}
}

// What a flag replaces is not read: neither a file's value that is wrong, nor an earlier flag's.
func TestSetReplacesWhatIsWrong(t *testing.T) {
	t.Parallel()
	f, err := yamlfile.Parse("f.yaml", []byte("wait: 30\nsection: {interval: soon, zzz: 1}\nlabels: [a]\nwords: 5\n"))
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range []string{"wait=30s", "count=many", "count=3", "section.interval=1s", "labels={c: d}", "words=[b]"} {
		f.Set("--set", s)
	}
	var got doc
	f.Decode(&got)
	want := doc{
		Wait: 30 * time.Second, Count: 3, Section: section{Interval: time.Second},
		Labels: map[string]string{"c": "d"}, Words: []string{"b"},
	}
	if d := cmp.Diff(want, got, cmpopts.EquateComparable()); d != "" {
		t.Error(d)
	}
	wrong := `f.yaml:2:27: section.zzz: unknown key; expected one of configMap, interval`
	if d := cmp.Diff(wrong, message(f.Err())); d != "" {
		t.Error(d)
	}
	if f.Has("labels.a") || !f.Has("labels.c") {
		t.Error("what was replaced is found")
	}
}
