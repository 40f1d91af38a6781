package catalog_test

import (
	"errors"
	"flag"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"kubernaut.io/dynamic-toolset/internal/catalog"
)

var update = flag.Bool("update", false, "write the expected files in testdata anew")

func TestBuiltin(t *testing.T) {
	t.Parallel()
	t.Attr("req", "DTS-DET-1 DTS-DET-2")
	c := builtin(t)
	names := types(c)
	slices.Sort(names)
	want := []string{
		"alertmanager", "elasticsearch", "grafana", "jaeger", "kibana", "loki", "mimir", "opensearch", "prometheus", "tempo",
		"thanos", "victorialogs", "victoriametrics", "zipkin",
	}
	if d := cmp.Diff(want, names); d != "" {
		t.Error(d)
	}
	for _, typ := range c.Types {
		if typ.File != "types/"+typ.Type+".yaml" {
			t.Errorf("%s is in %s", typ.Type, typ.File)
		}
		if catalog.Reserved(typ.Type) {
			t.Errorf("%s is reserved: nobody could replace it", typ.Type)
		}
		if typ.Ports.Scheme == "" {
			t.Errorf("%s has no scheme", typ.Type)
		}
		if c.Lookup(typ.Type) != typ {
			t.Errorf("%s is not found", typ.Type)
		}
	}
	if !slices.IsSortedFunc(c.Types, func(a, b *catalog.Type) int { return a.Order - b.Order }) {
		t.Errorf("not in order: %s", types(c))
	}
	if len(c.Lookalikes.AppLabels) == 0 || len(c.Lookalikes.Roles) == 0 || c.Lookup("nothing") != nil {
		t.Error("the look-alikes are empty, or there is a type called nothing")
	}
}

// Each directory is a catalog.dir; want.txt has its errors, one line each, and then the types that were loaded from it.
func TestLoad(t *testing.T) {
	t.Parallel()
	t.Attr("req", "DTS-DET-1")
	for _, dir := range []string{"good", "one-bad", "duplicate", "not-yaml", "bad-keys", "bad-values", "bad-probe", "bad-toolset", "bad-names"} {
		t.Run(dir, func(t *testing.T) {
			t.Parallel()
			dir := filepath.Join("testdata", dir)
			c, errs := catalog.Load(dir)
			var got strings.Builder
			for _, err := range errs {
				got.WriteString(err.Error() + "\n")
			}
			for _, typ := range c.Types {
				if strings.HasPrefix(typ.File, dir) {
					got.WriteString("loaded: " + typ.Type + " (" + typ.Title + ") from " + filepath.Base(typ.File) + "\n")
				}
			}
			golden(t, filepath.Join(dir, "want.txt"), got.String())
			for _, name := range []string{"prometheus", "grafana", "zipkin"} {
				if c.Lookup(name) == nil {
					t.Errorf("%s is gone", name)
				}
			}
		})
	}
}

// A type of the user's own stands where its order puts it, with the defaults of what it leaves out.
func TestLoadOrder(t *testing.T) {
	t.Parallel()
	t.Attr("req", "DTS-DET-1")
	c, errs := catalog.Load("testdata/good")
	if len(errs) > 0 {
		t.Fatal(errs)
	}
	names := types(c)
	if names[0] != "prometheus" || names[len(names)-1] != "acme" || len(names) != 15 {
		t.Errorf("got %s", names)
	}
	acme := c.Lookup("acme")
	if acme.Order != 100 || acme.Ports.Scheme != "http" {
		t.Errorf("order %d, scheme %s", acme.Order, acme.Ports.Scheme)
	}
	if d := cmp.Diff(catalog.Values{"acme"}, acme.Detect.Strong[0].Labels["app.kubernetes.io/name"]); d != "" {
		t.Error(d)
	}
}

func TestLoadUnreadable(t *testing.T) {
	t.Parallel()
	t.Attr("req", "DTS-DET-1")
	c, errs := catalog.Load("testdata/none")
	want := "directory testdata/none: no such file or directory; correct catalog.dir"
	if len(errs) != 1 || errs[0].Error() != want || !errors.Is(errs[0], fs.ErrNotExist) {
		t.Errorf("got %v", errs)
	}
	if len(c.Types) != 14 {
		t.Errorf("only %s are left", types(c))
	}
	if _, errs := catalog.Load("testdata/good/acme.yml"); len(errs) != 1 || errs[0].Error() != "directory testdata/good/acme.yml: not a directory; correct catalog.dir" {
		t.Errorf("a file for a directory: got %v", errs)
	}

	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "sub.yaml"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("nowhere", filepath.Join(dir, "link.yaml")); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "large.yaml"), make([]byte, 1<<20+1), 0o600); err != nil {
		t.Fatal(err)
	}
	c, errs = catalog.Load(dir)
	var got []string
	for _, err := range errs {
		got = append(got, strings.ReplaceAll(err.Error(), dir, "DIR"))
	}
	if d := cmp.Diff([]string{
		"DIR/large.yaml: too large: 1048577 bytes, expected at most 1048576",
		"DIR/link.yaml: no such file or directory",
		"DIR/sub.yaml: not a regular file",
	}, got); d != "" {
		t.Error(d)
	}
	if len(c.Types) != 14 {
		t.Errorf("only %s are left", types(c))
	}
}

func TestReserved(t *testing.T) {
	t.Parallel()
	t.Attr("req", "DTS-DET-1")
	for _, name := range []string{"kubernetes", "generation", "custom", "mcp", "overrides", "state", "kafka", "helm", "MongoDBAtlas"} {
		if !catalog.Reserved(name) {
			t.Errorf("%s is not reserved", name)
		}
	}
	for _, name := range []string{"prometheus", "victorialogs", "acme", "orders-kb", ""} {
		if catalog.Reserved(name) {
			t.Errorf("%s is reserved", name)
		}
	}
}

func FuzzLoad(f *testing.F) {
	for _, pattern := range []string{"types/*.yaml", "testdata/*/*.y*ml"} {
		names, err := filepath.Glob(pattern)
		if err != nil {
			f.Fatal(err)
		}
		for _, name := range names {
			data, err := os.ReadFile(name)
			if err != nil {
				f.Fatal(err)
			}
			f.Add(data)
		}
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, "a.yaml"), data, 0o600); err != nil {
			t.Fatal(err)
		}
		c, errs := catalog.Load(dir)
		if c == nil || len(c.Types) < 14 || len(errs) > 1 {
			t.Errorf("%d errors: %v", len(errs), errs)
		}
	})
}

func builtin(t *testing.T) *catalog.Catalog {
	t.Helper()
	c, err := catalog.Builtin()
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func types(c *catalog.Catalog) []string {
	var names []string
	for _, t := range c.Types {
		names = append(names, t.Type)
	}
	return names
}

// golden compares got with a file, or writes the file under -update.
func golden(t *testing.T, file, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(string(want), got); d != "" {
		t.Error(d)
	}
}

// A rule on schemes or on what backends are known to want fits no Service by having no condition, and says something.
func TestLookalikesAreComplete(t *testing.T) {
	t.Attr("req", "DTS-DET-5 DTS-OUT-4")
	look := builtin(t).Lookalikes
	if len(look.Schemes) == 0 {
		t.Error("no rules on schemes")
	}
	for i, r := range look.Schemes {
		if len(r.Annotations) == 0 || r.Scheme != "http" && r.Scheme != "https" || r.Because == "" {
			t.Errorf("rule %d: annotations %v, scheme %q, because %q", i, r.Annotations, r.Scheme, r.Because)
		}
	}
	for i, w := range look.Wants {
		kind := w.Credential == "bearer" || w.Credential == "basic"
		if len(w.Labels)+len(w.Annotations) == 0 || kind == w.CA || w.Credential != "" && !kind || w.What == "" {
			t.Errorf("rule %d: %+v", i, w)
		}
	}
}

// Relatives answer the same queries: the families of the built-in types, and none between them.
func TestRelatives(t *testing.T) {
	t.Attr("req", "DTS-PRB-10")
	c := builtin(t)
	tests := []struct {
		a, b string
		want bool
	}{
		{"prometheus", "thanos", true}, {"mimir", "victoriametrics", true}, {"elasticsearch", "opensearch", true},
		{"grafana", "grafana", true}, {"kibana", "elasticsearch", false}, {"mimir", "alertmanager", false},
		{"jaeger", "tempo", false}, {"grafana", "loki", false}, {"custom", "custom", false}, {"", "", false},
	}
	for _, tt := range tests {
		if c.Relatives(tt.a, tt.b) != tt.want || c.Relatives(tt.b, tt.a) != tt.want {
			t.Errorf("%s and %s: want %t", tt.a, tt.b, tt.want)
		}
	}
}
