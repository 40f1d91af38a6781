package toolset

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/util/validation"

	"kubernaut.io/dynamic-toolset/internal/catalog"
	"kubernaut.io/dynamic-toolset/internal/yamlfile"
)

// Check reports everything in the keys that cannot work, each with its path in the configuration.
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

// CheckOwnName returns an error if a name is not valid for a key of a ConfigMap, or is reserved for another key.
func CheckOwnName(name string) error {
	// Only this service writes hidden files.
	if faults := validation.IsConfigMapKey(name); len(faults) > 0 || strings.HasPrefix(name, ".") {
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

// tree checks the tree at path. inItem means that the tree is repeated for the instances of a type.
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
		c.report(path, "expected one of "+strings.Join(instanceFields, ", ")+" as the field, found "+
			yamlfile.Quote(field))
	case !ofPrimary && !inItem:
		c.report(path, "expected $(primary.TYPE."+field+"), or an item of a list with for: TYPE around it, "+
			"found $("+field+")")
	}
}
