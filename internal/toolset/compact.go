package toolset

import (
	"slices"

	"kubernaut.io/dynamic-toolset/internal/backend"
	"kubernaut.io/dynamic-toolset/internal/catalog"
)

// kubernetesType is the entry that the compact form always has.
const kubernetesType = "kubernetes"

// addCompact adds the trees of the compact form to the document.
func (b *builder) addCompact(doc *Document, items []*item) {
	byType := map[string][]*item{}
	doc.main = map[string]*backend.Finding{}
	for _, it := range items {
		typ := it.Candidate.Type
		byType[typ] = append(byType[typ], it)
		if it.Primary {
			doc.main[typ] = it.Finding
		}
	}
	configs := map[string]map[string]any{kubernetesType: {"incluster": true, "namespaces": []any{"*"}}}
	for typ, instances := range byType {
		configs[typ] = b.compactConfig(instances)
	}
	doc.Compact = map[string]map[string]any{}
	for typ, config := range configs {
		doc.Compact[typ] = map[string]any{"toolset": typ, "enabled": true, "config": config}
	}
}

// compactConfig returns the config of the items of one type. The primary, if there is one, is the first item. If there
// is no primary, for example while its place is kept, only an instance of a trusted namespace replaces it. Without such
// an instance the config has no url and no settings that belong to a url. The same applies to a type that owners
// define, because owners of several namespaces may use it.
func (b *builder) compactConfig(items []*item) map[string]any {
	place := items[0].Primary || items[0].Yields // whether its url stands at the top
	if !place {
		items = slices.Clone(items)
		slices.SortStableFunc(items, func(x, y *item) int {
			return -backend.CompareBool(b.trusts(x.Ref), b.trusts(y.Ref))
		})
	}
	first := items[0]
	own, named := len(first.typ.Toolset.Compact) == 0, place || b.trusts(first.Ref)
	config, _ := first.expand(first.typ.Toolset.Compact).(map[string]any)
	switch {
	case own && named:
		config = b.compactOwn(first)
	case own:
		config = map[string]any{}
	case !named:
		for _, key := range urlsIn(first.typ.Toolset.Compact) {
			delete(config, key)
		}
	}
	first.credentials(func(c catalog.Credential, variable string) {
		if c.Compact != "" && first.Primary {
			config[c.Compact] = compactReference(variable)
		}
	})
	if field := first.tenants().Compact; named && field != "" && first.Candidate.TenantHeader != "" {
		config[field] = first.Candidate.Tenant
	}
	if len(items) > 1 || !named {
		instances := make([]any, len(items))
		for i, it := range items {
			instance := map[string]any{"url": it.url}
			if own && !named {
				instance = b.compactOwn(it)
			}
			instance["name"] = it.Candidate.Instance
			if field := it.tenants().Compact; field != "" && it.Candidate.TenantHeader != "" {
				instance[field] = it.Candidate.Tenant
			}
			instances[i] = instance
		}
		config["instances"] = instances
	}
	return config
}

// compactOwn returns the config of an annotated backend. The limits of notes hold here too.
func (b *builder) compactOwn(it *item) map[string]any {
	c := it.Candidate
	config := map[string]any{"url": it.url, "description": c.Description}
	if c.Description == "" || b.unread[it.Ref] {
		config["description"] = it.typ.Title + " of Service " + it.Ref.String() + "."
	}
	switch {
	case c.Unproven:
		config["healthEndpoint"] = "none"
		config["description"] = join(" ", config["description"].(string), unprovenNote)
	case c.HealthPath != "":
		config["healthEndpoint"] = c.HealthPath
	}
	return config
}
