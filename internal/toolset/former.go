package toolset

import (
	"maps"
	"slices"
	"strings"

	"kubernaut.io/dynamic-toolset/internal/catalog"
	"kubernaut.io/dynamic-toolset/internal/yamlfile"
)

// former returns the overrides with patches to former toolsets of single instances, such as jaeger/NAMESPACE/SERVICE,
// moved to the instances. A patch that is a whole toolset belongs to the admin and stays.
func (o *Overrides) former(types []*catalog.Type) *Overrides {
	byName, out := typesByName(types), *o
	out.toolsets, out.warnings = maps.Clone(o.toolsets), slices.Clip(o.warnings)
	out.instances, out.moved = map[string]map[string]any{}, map[instanceKey]string{}
	for typ, patches := range o.instances {
		out.instances[typ] = maps.Clone(patches)
	}
	for _, name := range sortedKeys(o.toolsets) {
		typ, instance, _ := strings.Cut(name, "/")
		patch, _ := o.toolsets[name].(map[string]any)
		if !isFormer(byName[typ], name) || patch != nil && whole(toolsets, name, patch) {
			continue
		}
		delete(out.toolsets, name)
		path := yamlfile.Key(toolsets, name)
		out.warnings = append(out.warnings, o.at(path, Warning{Code: WarningToolsetFormer, Type: typ, Value: instance}))
		out.move(instanceKey{typ, instance}, path, patch)
	}
	return &out
}

// move applies a patch of a former toolset to its instance, unless the instance has a patch already. A nil patch
// removes the instance, like a patch that disabled the toolset.
func (o *Overrides) move(key instanceKey, path string, patch map[string]any) {
	if _, both := o.instances[key.typ][key.name]; both {
		return
	}
	var change any
	if enabled, is := patch["enabled"].(bool); patch != nil && (enabled || !is) {
		config := configOf(patch)
		if len(config) == 0 {
			return
		}
		change = config
	}
	if o.instances[key.typ] == nil {
		o.instances[key.typ] = map[string]any{}
	}
	o.instances[key.typ][key.name] = change
	o.moved[key] = path
	if change != nil {
		o.moved[key] += ".config"
	}
}

// place returns where in the text the patch of an instance is.
func (o *Overrides) place(key instanceKey) string {
	if path, ok := o.moved[key]; ok {
		return path
	}
	return yamlfile.Key(yamlfile.Key("instances", key.typ), key.name)
}

// isFormer reports whether an instance of the type once had a toolset of that name, which the type no longer has.
func isFormer(t *catalog.Type, name string) bool {
	return t != nil && strings.HasPrefix(name, t.Type+"/") && !slices.Contains(entryNames(t), name) &&
		slices.ContainsFunc(t.Toolset.HolmesGPT, isHTTP)
}
