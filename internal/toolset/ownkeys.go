package toolset

import (
	"fmt"
	"maps"
	"net/url"
	"regexp"
	"strings"

	"kubernaut.io/dynamic-toolset/internal/safetext"
)

// OwnKeys holds keys of the ConfigMap that the admin adds for other readers: name -> YAML tree with placeholders in its
// strings (config output.keys).
type OwnKeys map[string]any

// repeatKey in an item of a list names a type; the item is repeated for each instance of the type. trustedKey: true
// beside it leaves out the instances that the configuration does not vouch for, for example if the item contains a
// credential.
const (
	repeatKey  = "for"
	trustedKey = "trusted"
)

// placeholder matches $(FIELD), $(primary.TYPE.FIELD) and $(trusted.TYPE.FIELD). The first is a field of the instance
// for which the item is repeated. The last is the primary, but only if the configuration vouches for it, so that a
// stranger cannot get a credential beside it.
var placeholder = regexp.MustCompile(`\$\(([^()]*)\)`)

// unclosed matches the beginning of a placeholder whose end is missing.
var unclosed = regexp.MustCompile(`\$\((primary|trusted)\.`)

// instanceFields lists the fields that a placeholder may name.
var instanceFields = []string{
	"name", "namespace", "service", "host", "port", "scheme", "path", "url", "version", "type", "link",
}

// fields returns the values of instanceFields.
func (it *item) fields() map[string]string {
	at, err := url.Parse(it.url)
	if err != nil {
		return nil
	}
	return map[string]string{
		"name": it.Candidate.Instance, "namespace": it.Namespace, "service": it.Name,
		"host": at.Hostname(), "port": at.Port(), "scheme": at.Scheme, "path": at.EscapedPath(), "url": it.url,
		"version": it.Observation.Version, "type": it.Candidate.Type, "link": it.Link,
	}
}

// readable reports whether the fields of the item are safe for all readers. A reader that expands variables, such as
// Grafana, would replace a $ that a stranger wrote with its own secrets.
func (it *item) readable() bool {
	for _, value := range it.fields() {
		if strings.Contains(value, "$") || safetext.Check(value) != nil {
			return false
		}
	}
	return true
}

// safe reports whether a credential may stand beside the item.
func (it *item) safe() bool { return it.Vouched && !it.LacksTLS() }

// filler fills the values of published items into a tree.
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
	for _, q := range queriersAmong(f.items) { // a querier replaces the primary whose data it includes
		for _, it := range q.shards {
			if it.Yields {
				f.primary[it.Candidate.Type] = q.item
			}
		}
	}
	return f
}

// fill returns a copy of a tree with its placeholders replaced. at is the instance for which an item of a list is
// repeated, nil outside such an item. The result is false if the tree names a primary that does not exist; then the
// mapping around it is left out.
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
		case there && value == "" && isPlaceholder(v): // an unknown value is left out
		case there:
			out[k] = value
		case !inner:
			return nil, false
		}
	}
	return out, true
}

// isPlaceholder reports whether a value is exactly one placeholder.
func isPlaceholder(v any) bool {
	s, is := v.(string)
	return is && placeholder.FindString(s) == s && s != ""
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

// repeats returns the instances for which an item of a list is written. Without repeatKey this is the instance around
// it.
func (f *filler) repeats(v any, at *item) []*item {
	typ, repeated := repeatedFor(v)
	if !repeated {
		return []*item{at}
	}
	trusted, _ := v.(map[string]any)[trustedKey].(bool)
	var list []*item
	for _, it := range f.items {
		if it.Candidate.Type == typ && (!trusted || it.safe()) {
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

// primaryField splits primary.TYPE.FIELD and trusted.TYPE.FIELD.
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
		if it == nil || trusted && !it.safe() {
			there = false
			return ""
		}
		return it.fields()[field]
	})
	return filled, there
}

// texts returns the texts of the keys. A key is left out if its outermost mapping names a primary that does not exist.
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
