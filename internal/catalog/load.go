package catalog

import (
	"cmp"
	"embed"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"kubernaut.io/dynamic-toolset/internal/yamlfile"
)

//go:embed types/*.yaml lookalikes.yaml
var files embed.FS

// Catalog holds all types that this service looks for.
type Catalog struct {
	// Types are sorted by Order, then by name.
	Types []*Type
	// Lookalikes are the conventions that hold for all types.
	Lookalikes *Lookalikes
}

// Lookup returns the type of that name, or nil.
func (c *Catalog) Lookup(name string) *Type {
	for _, t := range c.Types {
		if t.Type == name {
			return t
		}
	}
	return nil
}

// Relatives reports whether both are types of one family, or the same type of the catalog.
func (c *Catalog) Relatives(a, b string) bool {
	t := c.Lookup(a)
	return t != nil && t.Relative(b) != nil
}

// Builtin returns the catalog without the user's own types. It fails only if the embedded files are broken.
func Builtin() (*Catalog, error) {
	c := &Catalog{Lookalikes: &Lookalikes{}}
	if err := c.addBuiltin(); err != nil {
		return nil, fmt.Errorf("built-in catalog: %w", err)
	}
	c.sort()
	return c, nil
}

func (c *Catalog) addBuiltin() error {
	data, err := files.ReadFile("lookalikes.yaml")
	if err != nil {
		return err
	}
	if err := yamlfile.Decode("lookalikes.yaml", data, c.Lookalikes); err != nil {
		return err
	}
	names, err := fs.Glob(files, "types/*.yaml")
	if err != nil {
		return err
	}
	for _, name := range names {
		data, err := files.ReadFile(name)
		if err != nil {
			return err
		}
		t, err := Parse(name, data)
		if err != nil {
			return err
		}
		t.builtin = true
		c.Types = append(c.Types, t)
	}
	return nil
}

// Load returns the built-in catalog with the user's own types: every .yaml and .yml file of dir, unless dir is "". A
// user's type replaces the built-in type of the same name. A bad file is skipped; the errors list everything wrong with
// it (yamlfile.Errors), and the rest still loads. The catalog is nil only if the built-in catalog is broken.
func Load(dir string) (*Catalog, []error) {
	c, err := Builtin()
	if err != nil {
		return nil, []error{err}
	}
	if dir == "" {
		return c, nil
	}
	names, err := list(dir)
	if err != nil {
		return c, []error{err}
	}
	var errs []error
	own := map[string]*Type{}
	for _, name := range names {
		t, err := loadFile(name, own, c.Types)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		own[t.Type] = t
		c.Types = slices.DeleteFunc(c.Types, func(old *Type) bool { return old.Type == t.Type })
		c.Types = append(c.Types, t)
	}
	c.sort()
	return c, errs
}

func (c *Catalog) sort() {
	slices.SortFunc(c.Types, func(a, b *Type) int {
		return cmp.Or(cmp.Compare(a.Order, b.Order), cmp.Compare(a.Type, b.Type))
	})
	for _, t := range c.Types {
		t.relatives = nil
		for _, other := range c.Types {
			if other != t && t.Family != "" && other.Family == t.Family {
				t.relatives = append(t.relatives, other)
			}
		}
	}
}

// list returns the files of a directory that hold types, sorted.
func list(dir string) ([]string, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, fmt.Errorf("directory %s: %w; correct catalog.dir", dir, yamlfile.Bare(err))
	}
	var names []string
	for _, e := range entries {
		ext := filepath.Ext(e.Name())
		// A mounted ConfigMap holds its versions in hidden directories and links to the files in one of them.
		if (ext == ".yaml" || ext == ".yml") && !strings.HasPrefix(e.Name(), ".") {
			names = append(names, filepath.Join(dir, e.Name()))
		}
	}
	return names, nil
}

// loadFile reads one of the user's own types. The type must not be in own yet, and its toolsets must not replace those
// of another type, except the type of the same name.
func loadFile(name string, own map[string]*Type, types []*Type) (*Type, error) {
	info, err := os.Stat(name)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, yamlfile.Bare(err))
	}
	if !info.Mode().IsRegular() { // opening a pipe would wait
		return nil, fmt.Errorf("%s: not a regular file", name)
	}
	data, err := yamlfile.ReadFile(name)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	t, f, err := parse(name, data)
	if err != nil {
		return nil, err
	}
	if first := own[t.Type]; first != nil {
		f.At("type", "%s is in %s already, which is used; expected a name of its own", yamlfile.Quote(t.Type),
			first.File)
	}
	others := slices.DeleteFunc(slices.Clone(types), func(other *Type) bool { return other.Type == t.Type })
	t.checkNames(f, others)
	return t, f.Err()
}

// Parse reads one type and checks it; name is what errors call the file.
func Parse(name string, data []byte) (*Type, error) {
	t, f, err := parse(name, data)
	if err != nil {
		return nil, err
	}
	return t, f.Err()
}

// Source returns the text that the type was read from, as a template for a user's own type. It does not read the file
// again, because its name may lead to another file by now.
func (t *Type) Source() []byte { return t.text }

// Builtin reports whether the type is part of this program and not one of the user's own.
func (t *Type) Builtin() bool { return t.builtin }

// IsType reports whether a file is meant as a type: it has the key type and a key that no other kind of file has with
// it.
func IsType(f *yamlfile.File) bool {
	keys := f.Keys()
	return slices.Contains(keys, "type") && slices.ContainsFunc(keys, func(k string) bool {
		return k == "detect" || k == "ports" || k == "probe" || k == "toolset"
	})
}

// parse decodes and validates one type. It returns an error if the file is not a type; the error shows none of its
// content, because the file's name may lead anywhere. Faults of a type are recorded in f.
func parse(name string, data []byte) (t *Type, f *yamlfile.File, err error) {
	f, err = yamlfile.Parse(name, data)
	if err != nil {
		return nil, nil, err
	}
	if !IsType(f) {
		return nil, nil, yamlfile.Errors{{File: name, Message: "not a catalog file, and nothing of it is shown; " +
			"expected a mapping with the keys type, title, summary, detect, ports, probe and toolset"}}
	}
	const defaultOrder = 100
	t = &Type{Order: defaultOrder, Ports: Ports{Scheme: "http"}, File: name, text: data}
	f.Decode(t)
	t.validate(f)
	return t, f, nil
}
