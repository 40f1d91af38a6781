package toolset

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"kubernaut.io/dynamic-toolset/internal/backend"
	"kubernaut.io/dynamic-toolset/internal/catalog"
	"kubernaut.io/dynamic-toolset/internal/yamlfile"
)

// shared is the HTTP toolset of a type, with an endpoint for each instance. Separate toolsets would cost more, because
// the agent pays for each tool with every request to its model.
type shared struct {
	name  string
	entry catalog.Entry
	items []*item
	tree  map[string]any
}

// finishShared writes the HTTP toolsets of the types. HolmesGPT uses the first endpoint whose host and path match a
// request. So endpoints that the configuration vouches for come first. Otherwise, if hosts are shared
// (security.allowedEndpointHosts), a stranger's endpoint could take the requests of an endpoint with credentials.
func (b *builder) finishShared() {
	for _, name := range sortedKeys(b.shared) {
		s := b.shared[name]
		slices.SortStableFunc(s.items, func(x, y *item) int { return -backend.CompareBool(x.Vouched, y.Vouched) })
		endpoints := make([]any, len(s.items))
		for i, it := range s.items {
			endpoint, origin := b.patchEndpoint(it, s, it.endpoint(s.entry, len(s.items) == 1, b.warn))
			if origin != "" {
				b.origins[yamlfile.Index(yamlfile.Key(toolsets, name)+".config.endpoints", i)] = origin
			}
			endpoints[i] = endpoint
			b.behind[name] = append(b.behind[name], it.Finding)
		}
		b.inheritShared(s, endpoints)
		config := map[string]any{"endpoints": endpoints}
		if s.items[0].Observation.SkipVerify {
			config["verify_ssl"] = false
		}
		s.tree["type"], s.tree["enabled"], s.tree["config"] = "http", true, config
		s.tree["description"] = general.Replace(s.entry.Description)
		s.tree["llm_instructions"] = join("\n", general.Replace(s.entry.Instructions), s.list())
		b.toolsets[name] = s.tree
	}
}

// general replaces the values that differ between instances; the list of instances contains them.
var general = strings.NewReplacer("$(url)", "URL", "$(instance)", "INSTANCE", "$(namespace)/$(service)", "INSTANCE",
	"$(namespace)", "INSTANCE", "$(service)", "INSTANCE", link, "URL")

// list returns the text that lists the instances.
func (s *shared) list() string {
	lines := []string{"Instances, each with its URL:"}
	for _, it := range s.items {
		if !it.nameless {
			lines = append(lines, it.line())
		}
	}
	if more := len(s.items) + 1 - len(lines); more > 0 {
		lines = append(lines, fmt.Sprintf("- %d others %s", more, unnamed))
	}
	return strings.Join(lines, "\n")
}

// line returns the line of an instance in the list.
func (it *item) line() string {
	line, role := "- "+it.Candidate.Instance+": "+it.url, it.role
	if it.Candidate.Unproven {
		role = join("; ", role, "not proven to work: its owner switched the check off")
	}
	if role != "" {
		line += " (" + role + ")"
	}
	return line
}

// patchEndpoint applies the overrides of the instance to its endpoint.
func (b *builder) patchEndpoint(it *item, s *shared, endpoint map[string]any) (patched map[string]any, origin string) {
	if it.patch == nil {
		return endpoint, ""
	}
	patch := maps.Clone(it.patch)
	for _, field := range sortedKeys(patch) {
		if !isEndpointField(field) {
			delete(patch, field)
			w := Warning{Code: WarningNotOfInstance, Type: it.Candidate.Type, Value: s.name}
			b.warn(b.overrides.at(yamlfile.Key(it.origin, field), w))
		}
	}
	patched = mergePatch(endpoint, patch).(map[string]any)
	alone := map[string]any{"type": "http", "config": map[string]any{"endpoints": []any{patched}}}
	if b.misfit(it, toolsets, s.name, alone) {
		return endpoint, ""
	}
	return patched, it.origin
}
