package catalog

import (
	"slices"
	"strings"

	"kubernaut.io/dynamic-toolset/internal/yamlfile"
)

// maxTool is the maximum length of a tool's name. A model rejects every request that has a tool with a longer name.
const maxTool = 64

// ToolName returns HolmesGPT's name for the tool of an HTTP toolset. If two tools have one name, HolmesGPT uses the
// later one.
func ToolName(toolset string) string {
	return strings.NewReplacer("/", "_", "-", "_").Replace(toolset) + "_request"
}

// HTTPNames returns the names that the HTTP toolsets of a type may have, with and without verification of certificates.
func (t *Type) HTTPNames() (names []string) {
	for i := range t.Toolset.HolmesGPT {
		if t.Toolset.HolmesGPT[i].HTTP != nil {
			names = append(names, t.EntryName(i, false), t.EntryName(i, true))
		}
	}
	return names
}

// tooLong reports whether the name of the type makes a tool name that is too long for models.
func (t *Type) tooLong() bool {
	return slices.ContainsFunc(t.HTTPNames(), func(name string) bool { return len(ToolName(name)) > maxTool })
}

// checkNames reports toolsets of a type that would replace a toolset, or the tool, of another type.
func (t *Type) checkNames(f *yamlfile.File, others []*Type) {
	for _, other := range append(slices.Clone(others), t) {
		for i := range t.Toolset.HolmesGPT {
			if e := &t.Toolset.HolmesGPT[i]; e.HTTP == nil && slices.Contains(other.HTTPNames(), e.Name) {
				f.At(yamlfile.Index("toolset.holmesgpt", i)+".name",
					"%s is the toolset of the type %s; expected one of HolmesGPT's",
					yamlfile.Quote(e.Name), yamlfile.Quote(other.Type))
			}
		}
		for _, name := range t.HTTPNames() {
			sameTool := func(of string) bool { return ToolName(of) == ToolName(name) }
			if other != t && (slices.ContainsFunc(other.HTTPNames(), sameTool) || other.HasInstances(name)) {
				f.At("type", "its toolset or its tool would be called like that of the type %s; expected another name",
					yamlfile.Quote(other.Type))
				break
			}
		}
	}
}

// HasInstances reports whether the type's backends are instances of the toolset.
func (t *Type) HasInstances(toolset string) bool {
	return slices.ContainsFunc(t.Toolset.HolmesGPT, func(e Entry) bool { return e.HTTP == nil && e.Name == toolset })
}
