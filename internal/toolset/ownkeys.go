package toolset

import (
	"fmt"
	"maps"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"kubernaut.io/dynamic-toolset/internal/safetext"
)

// OwnKeys are keys of the ConfigMap that the admin wants for other readers: name -> tree of YAML with placeholders in
// its strings (config output.keys).
type OwnKeys map[string]any

// repeatKey in a mapping that is an item of a list names the type whose instances the item is repeated for; beside it,
// trustedKey with true leaves out those that the configuration does not vouch for, as where the item holds a
// credential.
const (
	repeatKey  = "for"
	trustedKey = "trusted"
)

// placeholder is $(FIELD), of the instance that an item is repeated for, $(primary.TYPE.FIELD), or
// $(trusted.TYPE.FIELD): the primary where the configuration vouches for it, so that a credential beside it is no
// stranger's by luck.
var placeholder = regexp.MustCompile(`\$\(([^()]*)\)`)

// unclosed is the head of a placeholder of which the end was forgotten.
var unclosed = regexp.MustCompile(`\$\((primary|trusted)\.`)

// instanceFields are what a placeholder may name.
var instanceFields = []string{
	"name", "namespace", "service", "host", "port", "scheme", "path", "url", "version", "type", "link",
}

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

// readable reports whether any reader may be given the item's fields: a reader that expands variables, as Grafana
// does, would put its own secrets in the place of a stranger's $.
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
	for _, q := range queriersAmong(f.items) { // it stands for the primary that it sees all of
		for _, it := range q.shards {
			if it.Yields {
				f.primary[it.Candidate.Type] = q.item
			}
		}
	}
	return f
}

// fill returns a copy of a tree with its placeholders replaced; at is the instance that an item of a list is repeated
// for, nil outside. It says false where a primary is named that is not there: the mapping around it is left out then.
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
		case there && value == "" && isPlaceholder(v): // not known, and so nothing for a reader to go by
		case there:
			out[k] = value
		case !inner:
			return nil, false
		}
	}
	return out, true
}

// isPlaceholder reports whether a value is one placeholder and nothing else.
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
