package toolset

import (
	"bytes"
	"cmp"
	"strings"

	"k8s.io/apimachinery/pkg/util/validation"

	"kubernaut.io/dynamic-toolset/internal/yamlfile"
)

// Overrides holds an admin's changes to the documents.
type Overrides struct {
	file *yamlfile.File // the positions in the text; nil if the text is empty

	toolsets  map[string]any // a merge patch
	servers   map[string]any // a merge patch
	instances map[string]map[string]any
	compact   map[string]any // a merge patch, by type
	warnings  []Warning
}

// instanceKey addresses an instance in the overrides by its type and its namespace/service or name.
type instanceKey struct{ typ, name string }

func (k instanceKey) compare(o instanceKey) int {
	return cmp.Or(strings.Compare(k.typ, o.typ), strings.Compare(k.name, o.name))
}

// path returns the path of the instance in the overrides.
func (k instanceKey) path() string { return yamlfile.Key(yamlfile.Key("instances", k.typ), k.name) }

// ParseOverrides reads overrides.yaml; name is the file's name in errors. The error is yamlfile.Errors: all faults of
// the text itself, with line and column. Build finds the faults that exist only together with the document. An empty
// text gives empty overrides.
func ParseOverrides(name string, data []byte) (*Overrides, error) {
	o := &Overrides{}
	if isBlank(data) {
		return o, nil
	}
	f, err := yamlfile.Parse(name, data)
	if err != nil {
		return nil, err
	}
	var root any
	f.Python()
	f.Decode(&root)
	o.file = f.Fresh()
	c := checker{}
	o.read(&c, root)
	for _, p := range c.complaints {
		f.At(p.path, "%s", p.message)
	}
	if err := f.Err(); err != nil {
		return nil, err
	}
	o.warnings = few(o.warnings)
	return o, nil
}

// Addresses returns the instances that the overrides address, as "type namespace/service", in order. They may include
// instances that are not published.
func (o *Overrides) Addresses() (list []string) {
	for _, key := range o.keys() {
		list = append(list, key.typ+" "+key.name)
	}
	return list
}

// Warnings returns warnings about parts of the text that have no effect.
func (o *Overrides) Warnings() []Warning { return o.warnings }

func (o *Overrides) read(c *checker, root any) {
	top, ok := root.(map[string]any)
	if !ok {
		c.errorf("", "expected a mapping with toolsets, mcp_servers, instances or compact")
		return
	}
	for _, key := range sortedKeys(top) {
		v := top[key]
		switch key {
		case toolsets:
			o.toolsets = c.patch(key, v)
		case mcpServers:
			o.servers = c.patch(key, v)
		case "instances":
			o.instances = c.instancePatches(v)
		case "compact":
			o.compact = c.compactPatch(v)
		default:
			meant := yamlfile.Nearest(key, []string{toolsets, mcpServers, "instances", "compact"})
			o.warnings = append(o.warnings, o.at(yamlfile.Key("", key), Warning{Code: WarningKeyUnknown, Meant: meant}))
		}
	}
}

// patch checks one section of patches to entries.
func (c *checker) patch(section string, v any) map[string]any {
	entries, ok := v.(map[string]any)
	if !ok {
		if v == nil {
			c.errorf(section, "empty, which would remove everything: "+
				"remove the key, or set what you do not want to null")
		} else {
			c.errorf(section, "expected a mapping of names to patches")
		}
		return nil
	}
	c.values(section, entries, true)
	for _, name := range sortedKeys(entries) {
		path := yamlfile.Key(section, name)
		c.mappingOrNull(path, entries[name], "it")
		entry, _ := entries[name].(map[string]any)
		c.fields(path, entry, kindOf(section, entry))
	}
	return entries
}

// instancePatches checks the section instances: type, namespace/service, patch or null.
func (c *checker) instancePatches(v any) map[string]map[string]any {
	types := c.types("instances", v)
	out := map[string]map[string]any{}
	for _, typ := range sortedKeys(types) {
		path := yamlfile.Key("instances", typ)
		names, ok := types[typ].(map[string]any)
		if !ok {
			c.errorf(path, "expected a mapping of namespace/service to a patch, or null to remove the instance")
			continue
		}
		out[typ] = names
		for _, name := range sortedKeys(names) {
			p := yamlfile.Key(path, name)
			c.mappingOrNull(p, names[name], "the instance")
			c.values(p, names[name], true)
		}
	}
	return out
}

// compactPatch checks the section compact: type, patch or null. Its keys may contain dots, because HolmesGPT does not
// read the compact form.
func (c *checker) compactPatch(v any) map[string]any {
	types := c.types("compact", v)
	c.values("compact", types, false)
	for _, typ := range sortedKeys(types) {
		path := yamlfile.Key("compact", typ)
		if !isLabel(typ) {
			c.errorf(path, "expected a type: lower-case letters, digits and dashes, at most 63")
		}
		c.mappingOrNull(path, types[typ], "its key")
	}
	return types
}

// types returns a section by type, nil if it is empty.
func (c *checker) types(section string, v any) map[string]any {
	types, ok := v.(map[string]any)
	if !ok && v != nil {
		c.errorf(section, "expected a mapping of types")
	}
	return types
}

func (c *checker) mappingOrNull(path string, v any, removed string) {
	if _, ok := v.(map[string]any); !ok && v != nil {
		c.errorf(path, "expected a mapping, or null to remove %s", removed)
	}
}

// isLabel reports whether s is a DNS label. The names of types must be DNS labels.
func isLabel(s string) bool { return len(validation.IsDNS1123Label(s)) == 0 }

// isBlank reports whether a text has nothing but comments.
func isBlank(data []byte) bool {
	for line := range bytes.Lines(data) {
		line = bytes.TrimSpace(line)
		if len(line) > 0 && line[0] != '#' && !bytes.Equal(line, []byte("---")) {
			return false
		}
	}
	return true
}
