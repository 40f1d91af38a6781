package yamlfile_test

import (
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"kubernaut.io/dynamic-toolset/internal/yamlfile"
)

type doc struct {
	Name    string            `yaml:"name"`
	Count   int32             `yaml:"count"`
	On      bool              `yaml:"on"`
	Ratio   float64           `yaml:"ratio"`
	Wait    time.Duration     `yaml:"wait"`
	Words   []string          `yaml:"words"`
	Labels  map[string]string `yaml:"labels"`
	Nets    []netip.Prefix    `yaml:"nets"`
	Section section           `yaml:"section"`
	Many    []section         `yaml:"many"`
	Maybe   *section          `yaml:"maybe"`
	Tree    map[string]any    `yaml:"tree"`
	Hidden  string            `yaml:"-"`
}

type section struct {
	ConfigMap string        `yaml:"configMap"`
	Interval  time.Duration `yaml:"interval"`
}

func TestDecode(t *testing.T) {
	t.Parallel()
	out := doc{Count: 7, Words: []string{"default"}, Section: section{ConfigMap: "kept"}}
	err := yamlfile.Decode("a.yaml", []byte(`# a comment
name: 42
on: true
ratio: 0.5
wait: 1m30s
words:
labels: {app.kubernetes.io/name: "x", y: true}
nets: [10.0.0.0/8]
section:
many:
  - &b {configMap: shared, interval: 5s}
  - <<: *b
    interval: 6s
  - *b
maybe: {interval: 1h}
tree: {a: [1, x, {b: null}], c: ""}
---
`), &out)
	if err != nil {
		t.Fatal(err)
	}
	want := doc{
		Name: "42", Count: 7, On: true, Ratio: 0.5, Wait: 90 * time.Second,
		Labels:  map[string]string{"app.kubernetes.io/name": "x", "y": "true"},
		Nets:    []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")},
		Section: section{ConfigMap: "kept"},
		Many: []section{
			{ConfigMap: "shared", Interval: 5 * time.Second},
			{ConfigMap: "shared", Interval: 6 * time.Second},
			{ConfigMap: "shared", Interval: 5 * time.Second},
		},
		Maybe: &section{Interval: time.Hour},
		Tree:  map[string]any{"a": []any{1, "x", map[string]any{"b": nil}}, "c": ""},
	}
	if d := cmp.Diff(want, out, cmp.Comparer(func(a, b netip.Prefix) bool { return a == b })); d != "" {
		t.Error(d)
	}
}

func TestDecodeErrors(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ in, want string }{
		"all at once": {
			"name: [a]\ncount: 1.5\non: maybe\nratio: x\nwait: 30\nwords: a\nlabels: b\nnets: [10.0.0.1]\nsection: 1\n",
			`f.yaml:1:7: name: expected a text, found a list
f.yaml:2:8: count: expected a whole number, found "1.5"
f.yaml:3:5: on: expected true or false, found "maybe"
f.yaml:4:8: ratio: expected a number, found "x"
f.yaml:5:7: wait: expected a duration such as 30s or 5m, found "30"
f.yaml:6:8: words: expected a list such as [a, b], found "a"
f.yaml:7:9: labels: expected a mapping, found "b"
f.yaml:8:8: nets[0]: expected a network such as 169.254.0.0/16 or fe80::/10, found "10.0.0.1"
f.yaml:9:10: section: expected a mapping, found "1"`,
		},
		"unknown keys": {
			"Name: a\nsection:\n  config_map: x\n  intreval: 1s\n  zzz: 1\nhidden: x\n",
			`f.yaml:1:1: Name: unknown key; did you mean "name"?
f.yaml:3:3: section.config_map: unknown key; did you mean "configMap"?
f.yaml:4:3: section.intreval: unknown key; did you mean "interval"?
f.yaml:5:3: section.zzz: unknown key; expected one of configMap, interval
f.yaml:6:1: hidden: unknown key; expected one of name, count, on, ratio, wait, words, labels, nets, section, many, maybe, tree`,
		},
		"double keys": {
			"name: a\nlabels:\n  x: a\n  x: b\ntree: {k: {d: 1, d: 2}}\nname: c\n",
			`f.yaml:4:3: labels.x: given twice; first on line 3
f.yaml:5:18: tree.k.d: given twice; first on line 5
f.yaml:6:1: name: given twice; first on line 1`,
		},
		"nothing given": {
			"name:\nwait:\nwords: [a, ]\nlabels: {app.x/y: }\nmany:\n  -\n  - configMap:\n",
			`f.yaml:1:1: name: expected a text, found nothing
f.yaml:2:1: wait: expected a duration such as 30s or 5m, found nothing
f.yaml:4:10: labels["app.x/y"]: expected a text, found nothing
f.yaml:7:5: many[1].configMap: expected a text, found nothing`,
		},
		"number out of range": {"count: 99999999999\n", `f.yaml:1:8: count: expected a whole number, found "99999999999"`},
		"long and hostile values": {
			`on: "a` + strings.Repeat("b", 200) + `"` + "\nwait: \"\\x1b[31m\"\n",
			`f.yaml:1:5: on: expected true or false, found "a` + strings.Repeat("b", 59) + `"… (201 characters)
f.yaml:2:7: wait: expected a duration such as 30s or 5m, found "\x1b[31m"`,
		},
		"a list for a file":     {"- a\n", `f.yaml:1:1: expected a mapping, found a list`},
		"a text for a file":     {"<html>\n</html>\n", `f.yaml:1:1: expected a mapping, found "<html> </html>"`},
		"key that is a list":    {"? [a]\n: b\n", `f.yaml:1:3: expected a key, found a list`},
		"merge of no mapping":   {"name: &a x\nsection: {<<: *a}\n", "f.yaml:2:15: section: << expected a mapping, found \"x\""},
		"alias to itself":       {"tree: &a {x: *a}\n", "f.yaml:1:14: tree.x: expected a value, found an alias that holds itself"},
		"merge of itself":       {"tree: &a {<<: *a}\n", "f.yaml:1:15: tree: << expected a mapping, found an alias that holds itself"},
		"deep":                  {"tree: {a: " + strings.Repeat("[", 80) + strings.Repeat("]", 80) + "}\n", "f.yaml:1:74: tree.a" + strings.Repeat("[0]", 63) + ": expected a value, found one that is nested too deep"},
		"aliases that multiply": {bomb(), "f.yaml: too many or too long values once its aliases are expanded"},
		"errors that multiply": {
			"many:\n" + strings.Repeat("  - {a: 1, b: 2}\n", 60),
			"",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var out doc
			err := yamlfile.Decode("f.yaml", []byte(c.in), &out)
			if c.want == "" {
				lines := strings.Split(message(err), "\n")
				if len(lines) != 101 || lines[100] != "f.yaml: and 20 errors more" {
					t.Errorf("%d lines, the last %q", len(lines), lines[len(lines)-1])
				}
				return
			}
			if d := cmp.Diff(c.want, message(err)); d != "" {
				t.Error(d)
			}
		})
	}
}

func TestParseErrors(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ in, want string }{
		"empty":                {"", "f.yaml: empty; expected one YAML document"},
		"comments alone":       {"# nothing\n", "f.yaml: empty; expected one YAML document"},
		"a dash alone":         {"---\n", "f.yaml: empty; expected one YAML document"},
		"null":                 {"null\n", "f.yaml: empty; expected one YAML document"},
		"two documents":        {"a: 1\n---\nb: 2\n", "f.yaml:3: a second document begins here; expected only one"},
		"broken second one":    {"a: 1\n---\nb: [\n", "f.yaml:4: not valid YAML: did not find expected node content"},
		"binary":               {"a: 1\nb: \x00\n", "f.yaml:2:4: not text: control character U+0000; expected YAML"},
		"not UTF-8":            {"a: \xff\n", "f.yaml:1:4: not text: byte 0xff is not UTF-8; expected YAML"},
		"UTF-16":               {"\xff\xfea\x00:\x00", "f.yaml: the text is UTF-16; save it as UTF-8"},
		"UTF-16, big-endian":   {"\xfe\xff\x00a\x00:", "f.yaml: the text is UTF-16; save it as UTF-8"},
		"too large":            {strings.Repeat("#", 1<<20+1), "f.yaml: too large: 1048577 bytes, expected at most 1048576"},
		"tab":                  {"a:\n\tb: 2\n", "f.yaml:2: not valid YAML: found character that cannot start any token (a tab, or a value that begins with @, % or a backquote: indent with spaces, quote the value)"},
		"indentation":          {"a: 1\nb:\n  c: 1\n d: 2\n", "f.yaml:4: not valid YAML: did not find expected key (indentation, or text behind a closing quote)"},
		"open bracket":         {"a: 1\nb: [1, 2\nc: 3\n", "f.yaml:2: not valid YAML: did not find expected ',' or ']' (a bracket is not closed)"},
		"open quote":           {"a: 1\nb: \"x\nc: 3\n", "f.yaml:2: not valid YAML: found unexpected end of stream (a quote that is not closed)"},
		"colon, on line one":   {"a: b: c\n", "f.yaml:1: not valid YAML: mapping values are not allowed in this context (indentation, or a value with \": \" in it, which needs quotes)"},
		"no colon":             {"a: 1\nfoo\nb: 2\n", "f.yaml:2: not valid YAML: could not find expected ':' (a key without its colon)"},
		"anchor that is not":   {"x: 1\na: *who\n", "f.yaml:2: not valid YAML: unknown anchor (a value that begins with * needs quotes)"},
		"ten thousand opening": {strings.Repeat("[", 20_000), "f.yaml:1: not valid YAML: exceeded max depth of 10000"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := yamlfile.Parse("f.yaml", []byte(c.in))
			if d := cmp.Diff(c.want, message(err)); d != "" {
				t.Error(d)
			}
		})
	}
}

func TestAt(t *testing.T) {
	t.Parallel()
	f, err := yamlfile.Parse("f.yaml", []byte(`name: x
section:
  configMap: a
  interval: soon
labels:
  app.kubernetes.io/name: x
many:
  - configMap: b
`))
	if err != nil {
		t.Fatal(err)
	}
	var out doc
	f.Decode(&out)
	f.At("name", "value")
	f.At("section", "a block: the line of its key")
	f.At("section.configMap", "nested")
	f.At("section.interval", "did not decode: not said again")
	f.At(yamlfile.Key(yamlfile.Key("labels", "app.kubernetes.io/name"), "x.y"), "below a quoted key")
	f.At(yamlfile.Key(yamlfile.Index("many", 0), "interval"), "not there: the item")
	f.At("count", "not there: the %s", "document")
	want := `f.yaml:1:1: count: not there: the document
f.yaml:1:7: name: value
f.yaml:2:1: section: a block: the line of its key
f.yaml:3:14: section.configMap: nested
f.yaml:4:13: section.interval: expected a duration such as 30s or 5m, found "soon"
f.yaml:6:27: labels["app.kubernetes.io/name"]["x.y"]: below a quoted key
f.yaml:8:5: many[0].interval: not there: the item`
	if d := cmp.Diff(want, message(f.Err())); d != "" {
		t.Error(d)
	}
	if !f.Has("section.configMap") || f.Has("count") {
		t.Error("Has does not tell what was given")
	}
}

// bomb is ten levels of ten aliases each.
func bomb() string {
	s := "tree:\n  a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n"
	for i := range 9 {
		a := "*a" + string(rune('0'+i))
		s += "  a" + string(rune('1'+i)) + ": &a" + string(rune('1'+i)) + " [" + strings.Repeat(a+", ", 9) + a + "]\n"
	}
	return s
}

func message(err error) string {
	if err == nil {
		return "no error"
	}
	return err.Error()
}

func FuzzDecode(f *testing.F) {
	f.Add([]byte("name: x\nmany: [&a {configMap: y}, *a]\n"))
	f.Add([]byte("tree: &a {<<: [*a, *a], x: *a}\n"))
	f.Add([]byte(bomb()))
	f.Fuzz(func(t *testing.T, data []byte) {
		var out doc
		err := yamlfile.Decode("f.yaml", data, &out)
		if strings.ContainsAny(message(err), "\x00\x1b") {
			t.Errorf("control characters in %q", err)
		}
	})
}
