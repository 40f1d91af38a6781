package toolset

import (
	"errors"
	"fmt"
	"maps"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/util/validation"

	"kubernaut.io/dynamic-toolset/internal/catalog"
	"kubernaut.io/dynamic-toolset/internal/safetext"
	"kubernaut.io/dynamic-toolset/internal/yamlfile"
)

// OwnKeys are keys of the ConfigMap that the admin wants for other readers: name -> tree of YAML with placeholders in its
// strings (config output.keys).
type OwnKeys map[string]any

// repeatKey in a mapping that is an item of a list names the type whose instances the item is repeated for; beside it, trustedKey
// with true leaves out those that the configuration does not vouch for, as where the item holds a credential.
const (
	repeatKey  = "for"
	trustedKey = "trusted"
)

// placeholder is $(FIELD), of the instance that an item is repeated for, $(primary.TYPE.FIELD), or $(trusted.TYPE.FIELD): the
// primary where the configuration vouches for it, so that a credential beside it is no stranger's by luck.
var placeholder = regexp.MustCompile(`\$\(([^()]*)\)`)

// unclosed is the head of a placeholder of which the end was forgotten.
var unclosed = regexp.MustCompile(`\$\((primary|trusted)\.`)

// instanceFields are what a placeholder may name.
var instanceFields = []string{"name", "namespace", "service", "host", "port", "scheme", "path", "url", "version", "type", "link"}

// field is one of instanceFields.
func (it *item) field(name string) string {
	at, err := url.Parse(it.url)
	if err != nil {
		return ""
	}
	switch name {
	case "name":
		return it.Candidate.Instance
	case "namespace":
		return it.Namespace
	case "service":
		return it.Name
	case "host":
		return at.Hostname()
	case "port":
		return at.Port()
	case "scheme":
		return at.Scheme
	case "path":
		return at.EscapedPath()
	case "url":
		return it.url
	case "version":
		return it.Observation.Version
	case "type":
		return it.Candidate.Type
	case "link":
		return it.Link
	}
	return ""
}

// readable reports whether any reader may be given the item's fields: a reader that expands variables, as Grafana does, would
// put its own secrets in the place of a stranger's $.
func (it *item) readable() bool {
	return !slices.ContainsFunc(instanceFields, func(name string) bool {
		value := it.field(name)
		return strings.Contains(value, "$") || safetext.Check(value) != nil
	})
}

// filler puts the values of what is published into a tree.
type filler struct {
	items   []*item          // in the document's order
	primary map[string]*item // by type
}

func newFiller(items []*item) *filler {
	f := &filler{primary: map[string]*item{}}
	for _, it := range items {
		if !it.readable() {
			continue
		}
		f.items = append(f.items, it)
		if it.Primary {
			f.primary[it.Candidate.Type] = it
		}
	}
	return f
}

// fill returns a copy of a tree with its placeholders replaced; at is the instance that an item of a list is repeated for, nil
// outside. It says false where a primary is named that is not there: the mapping around it is left out then.
func (f *filler) fill(tree any, at *item) (any, bool) {
	switch t := tree.(type) {
	case string:
		return f.text(t, at)
	case map[string]any:
		return f.mapping(t, at)
	case []any:
		return f.list(t, at)
	}
	return tree, true
}

func (f *filler) mapping(t map[string]any, at *item) (any, bool) {
	out := make(map[string]any, len(t))
	for k, v := range t {
		value, there := f.fill(v, at)
		_, inner := v.(map[string]any)
		switch {
		case there:
			out[k] = value
		case !inner:
			return nil, false
		}
	}
	return out, true
}

func (f *filler) list(t []any, at *item) (any, bool) {
	out := []any{}
	for _, v := range t {
		for _, it := range f.repeats(v, at) {
			value, there := f.fill(withoutFor(v), it)
			_, inner := v.(map[string]any)
			switch {
			case there:
				out = append(out, value)
			case !inner:
				return nil, false
			}
		}
	}
	return out, true
}

// repeats are the instances that an item of a list is written for: the one around it where it says nothing.
func (f *filler) repeats(v any, at *item) []*item {
	typ, repeated := repeatedFor(v)
	if !repeated {
		return []*item{at}
	}
	trusted, _ := v.(map[string]any)[trustedKey].(bool)
	var list []*item
	for _, it := range f.items {
		if it.Candidate.Type == typ && (it.Vouched || !trusted) {
			list = append(list, it)
		}
	}
	return list
}

func repeatedFor(v any) (typ string, repeated bool) {
	t, _ := v.(map[string]any)
	typ, repeated = t[repeatKey].(string)
	return typ, repeated
}

func withoutFor(v any) any {
	if _, repeated := repeatedFor(v); !repeated {
		return v
	}
	t := maps.Clone(v.(map[string]any))
	delete(t, repeatKey)
	delete(t, trustedKey)
	return t
}

// primaryField takes primary.TYPE.FIELD and trusted.TYPE.FIELD apart.
func primaryField(name string) (typ, field string, trusted, ofPrimary bool) {
	rest, trusted := strings.CutPrefix(name, "trusted.")
	if !trusted {
		if rest, ofPrimary = strings.CutPrefix(name, "primary."); !ofPrimary {
			return "", "", false, false
		}
	}
	typ, field, _ = strings.Cut(rest, ".")
	return typ, field, trusted, true
}

func (f *filler) text(s string, at *item) (any, bool) {
	there := true
	filled := placeholder.ReplaceAllStringFunc(s, func(p string) string {
		field, it := p[2:len(p)-1], at
		typ, name, trusted, ofPrimary := primaryField(field)
		if ofPrimary {
			field, it = name, f.primary[typ]
		}
		if it == nil || trusted && !it.Vouched {
			there = false
			return ""
		}
		return it.field(field)
	})
	return filled, there
}

// texts are the keys as they are written; one whose outermost mapping names a primary that is not there is not.
func (f *filler) texts(keys OwnKeys) (map[string]string, error) {
	texts := make(map[string]string, len(keys))
	for name, tree := range keys {
		filled, there := f.fill(tree, nil)
		if !there {
			continue
		}
		text, err := marshal(ownHeader, filled)
		if err != nil {
			return nil, fmt.Errorf("output.keys %s: %w", name, err)
		}
		texts[name] = text
	}
	return texts, nil
}

// Check says what in the keys cannot work, each with its path in the configuration.
func (keys OwnKeys) Check(types *catalog.Catalog, report func(path, message string)) {
	for _, name := range slices.Sorted(maps.Keys(keys)) {
		path := yamlfile.Key("output.keys", name)
		if err := CheckOwnName(name); err != nil {
			report(path, err.Error())
		}
		if _, mapping := keys[name].(map[string]any); !mapping {
			if _, list := keys[name].([]any); !list {
				report(path, "expected a mapping or a list, which is written as the key's text")
			}
		}
		check := ownKeyCheck{types: types, report: report}
		check.tree(path, keys[name], false)
		for other := range keys {
			if other < name && strings.EqualFold(other, name) {
				report(path, "expected another name: "+other+" is the same file where capitals do not count")
			}
		}
	}
}

// CheckOwnName refuses what is no name of a ConfigMap's key, or one that is written already.
func CheckOwnName(name string) error {
	if faults := validation.IsConfigMapKey(name); len(faults) > 0 || strings.HasPrefix(name, ".") { // hidden files are this service's own
		return errors.New("expected a name of a file as the key: letters, digits, dots, - and _")
	}
	if lower := strings.ToLower(name); OwnedKey(lower) || lower == KeyOverrides {
		return fmt.Errorf("expected another name: %s is a key of this service's", name)
	}
	return nil
}

type ownKeyCheck struct {
	types  *catalog.Catalog
	report func(path, message string)
}

// tree checks what stands at path; inItem says that it is repeated for the instances of a type.
func (c *ownKeyCheck) tree(path string, tree any, inItem bool) {
	switch t := tree.(type) {
	case string:
		for _, m := range placeholder.FindAllStringSubmatch(t, -1) {
			c.placeholder(path, m[1], inItem)
		}
		if open := unclosed.FindString(placeholder.ReplaceAllString(t, "")); open != "" {
			c.report(path, "expected a ) after the field of "+open+"TYPE.FIELD")
		}
	case map[string]any:
		for _, k := range slices.Sorted(maps.Keys(t)) {
			if m := placeholder.FindString(k); m != "" {
				c.report(yamlfile.Key(path, k), "expected "+m+" in a value, for it is not replaced in a key")
			}
			c.tree(yamlfile.Key(path, k), t[k], inItem)
		}
	case []any:
		for i, v := range t {
			at := yamlfile.Index(path, i)
			typ, repeated := repeatedFor(v)
			if repeated && c.types.Lookup(typ) == nil {
				c.report(yamlfile.Key(at, repeatKey), "expected a type of the catalog, found "+yamlfile.Quote(typ))
			}
			if item, _ := v.(map[string]any); repeated && item[trustedKey] != nil {
				if _, is := item[trustedKey].(bool); !is {
					c.report(yamlfile.Key(at, trustedKey), "expected true or false beside for: TYPE")
				}
			}
			c.tree(at, v, inItem || repeated)
		}
	}
}

func (c *ownKeyCheck) placeholder(path, name string, inItem bool) {
	field := name
	typ, of, _, ofPrimary := primaryField(name)
	if ofPrimary {
		if field = of; c.types.Lookup(typ) == nil {
			c.report(path, "expected a type of the catalog in $(primary.TYPE.FIELD), found "+yamlfile.Quote(typ))
			return
		}
	}
	switch {
	case !slices.Contains(instanceFields, field):
		c.report(path, "expected one of "+strings.Join(instanceFields, ", ")+" as the field, found "+yamlfile.Quote(field))
	case !ofPrimary && !inItem:
		c.report(path, "expected $(primary.TYPE."+field+"), or an item of a list with for: TYPE around it, found $("+field+")")
	}
}
