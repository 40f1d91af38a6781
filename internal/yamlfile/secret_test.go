package yamlfile_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"kubernaut.io/dynamic-toolset/internal/yamlfile"
)

type guarded struct {
	Open    map[string]string `yaml:"open"`
	Keys    map[string]any    `yaml:"keys" secret:"true"`
	List    []section         `yaml:"list" secret:"true"`
	One     int               `yaml:"one" secret:"true"`
	Tree    map[string]any    `yaml:"tree"`
	Guarded *guarded          `yaml:"guarded"`
}

// At and below a secret neither values nor keys are shown, except keys that are known.
func TestSecret(t *testing.T) {
	t.Parallel()
	t.Attr("req", "DTS-CFG-1")
	f, err := yamlfile.Parse("f.yaml", []byte(`open: {a: [x], shown: &x shown, shown: 1}
keys: {known: {hidden: [!!int hidden]}, hidden: 1, hidden: 2}
list: [{configMap: [hidden]}, hidden, {hidden: x, interval: hidden}]
one: hidden
tree: {password: {hidden: !!int hidden}, plain: {shown: !!int hidden}, headers: {known: !!int hidden, X-Hidden: !!int hidden}}
guarded: {one: hidden, keys: hidden}
`))
	if err != nil {
		t.Fatal(err)
	}
	f.Names(func(key string) bool { return key == "known" })
	f.Decode(new(guarded))
	f.Check("open.b", true, "something else", "shown")
	f.Check("open.b", false, "something else", "shown")
	f.Check(yamlfile.Key("keys.known", "hidden"), false, "something else", "hidden")
	f.Check("keys.known.hidden.notThere[3]", false, "something else", "hidden")
	want := `f.yaml:1:7: open.b: expected something else, found "shown"
f.yaml:1:11: open.a: expected a text, found a list
f.yaml:1:33: open.shown: given twice; first on line 1
f.yaml:2:24: keys.known.(key not shown): expected something else, found a text (not shown)
f.yaml:2:24: keys.known.(key not shown): expected something else, found a text (not shown)
f.yaml:2:25: keys.known.(key not shown)[0]: expected a value, found a text (not shown)
f.yaml:2:52: keys.(key not shown): given twice; first on line 2
f.yaml:3:20: list[0].configMap: expected a text, found a list
f.yaml:3:31: list[1]: expected a mapping, found a text (not shown)
f.yaml:3:40: list[2].(key not shown): unknown key; expected one of configMap, interval
f.yaml:3:61: list[2].interval: expected a duration such as 30s or 5m, found a text (not shown)
f.yaml:4:6: one: expected a whole number, found a text (not shown)
f.yaml:5:27: tree.password.(key not shown): expected a value, found a text (not shown)
f.yaml:5:57: tree.plain.shown: expected a value, found a text (not shown)
f.yaml:5:89: tree.headers.known: expected a value, found a text (not shown)
f.yaml:5:113: tree.headers.(key not shown): expected a value, found a text (not shown)
f.yaml:6:16: guarded.one: expected a whole number, found a text (not shown)
f.yaml:6:30: guarded.keys: expected a mapping, found a text (not shown)`
	if d := cmp.Diff(want, message(f.Err())); d != "" {
		t.Error(d)
	}
}

// Whatever stands in a secret place of a file, or in a flag, is not in the error.
func FuzzSecret(f *testing.F) {
	for _, s := range []string{"x", "[x]", "{a: x}", "*x", "&x {<<: *x}", "\"", "!!int y", "{? [a] : b}", "a\nb: c", "- x", "|\n x"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, value string) {
		const secret = "ZqKxVwJb"
		value = strings.ReplaceAll(value, "x", secret)
		for _, text := range []string{"keys: ", "list: ", "one: "} {
			file, err := yamlfile.Parse("f.yaml", []byte(text+value))
			if err == nil && !strings.ContainsAny(value, "\r\n\u0085\u2028\u2029") { // what stands on another line may have another key
				file.Decode(new(guarded))
				err = file.Err()
			}
			if strings.Contains(message(err), secret) {
				t.Errorf("%q: %v", text+value, err)
			}
			file = yamlfile.Empty("defaults")
			file.Set("--set", strings.TrimSuffix(text, ": ")+"="+value)
			file.Decode(new(guarded))
			if strings.Contains(message(file.Err()), secret) {
				t.Errorf("%q: %v", text+value, file.Err())
			}
		}
	})
}
