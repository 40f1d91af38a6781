package toolset

import (
	"maps"
	"slices"
	"strings"

	"kubernaut.io/dynamic-toolset/internal/backend"
	"kubernaut.io/dynamic-toolset/internal/catalog"
	"kubernaut.io/dynamic-toolset/internal/yamlfile"
)

// tops returns the overrides' credentials at the top of toolsets, which HolmesGPT gives to every instance, and beside
// url in the compact form. They are by toolset or key. If the overrides themselves say which backend they mean, by a
// list of instances or a URL, the credentials stay as the admin wrote them.
func (o *Overrides) tops(types []*catalog.Type) map[string]map[string]any {
	tops := map[string]map[string]any{}
	for name, urls := range urlKeys(types) {
		config := configOf(o.toolsets[name])
		if _, own := config["instances"]; !own && !hasAny(config, urls) {
			take(tops, name, config, mayBeCredential)
		}
	}
	for _, t := range types {
		for _, name := range t.HTTPNames() {
			config := configOf(o.toolsets[name])
			if _, own := config["endpoints"]; !own {
				take(tops, name, config, mayBeCredential)
			}
		}
	}
	for typ, patch := range o.compact {
		config := configOf(patch)
		if !hasAny(config, []string{"url"}) {
			take(tops, KeyCompact(typ), config, holdsCompactCredential)
		}
	}
	return tops
}

// take adds the credentials of a config to tops.
func take(tops map[string]map[string]any, name string, config map[string]any, secret func(string, any) bool) {
	secrets := maps.Clone(config)
	maps.DeleteFunc(secrets, func(key string, v any) bool { return !secret(key, v) })
	if len(secrets) > 0 {
		tops[name] = secrets
	}
}

// urlKeys returns the keys that hold the URL of an instance, with their former names, by toolset with instances.
func urlKeys(types []*catalog.Type) map[string][]string {
	keys := map[string][]string{}
	for _, t := range types {
		for i := range t.Toolset.HolmesGPT {
			e := &t.Toolset.HolmesGPT[i]
			if e.HTTP != nil {
				continue
			}
			keys[e.Name] = append(keys[e.Name], urlsIn(e.Instance)...)
		}
	}
	for name := range keys {
		for former, now := range formerSettings(name) {
			if slices.Contains(keys[name], now) {
				keys[name] = append(keys[name], former)
			}
		}
	}
	return keys
}

func urlsIn(tree map[string]any) (keys []string) {
	for key, v := range tree {
		if s, ok := v.(string); ok && strings.Contains(s, "$(url)") {
			keys = append(keys, key)
		}
	}
	return keys
}

func configOf(entry any) map[string]any {
	tree, _ := entry.(map[string]any)
	config, _ := tree["config"].(map[string]any)
	return config
}

// listIn returns a list in the config of an entry, nil if there is none.
func listIn(entry any, key string) []any {
	list, _ := configOf(entry)[key].([]any)
	return list
}

// hasAny reports whether a mapping has a value for one of the keys.
func hasAny(config map[string]any, keys []string) bool {
	return slices.ContainsFunc(keys, func(key string) bool { return config[key] != nil })
}

// Fresh returns the toolsets at whose top o has a credential and the older overrides had no credential.
func (o *Overrides) Fresh(old *Overrides, types []*catalog.Type) (names []string) {
	var before map[string]map[string]any
	if old != nil {
		before = old.tops(types)
	}
	for _, name := range sortedKeys(o.tops(types)) {
		if _, compact := strings.CutSuffix(name, compactSuffix); !compact && before[name] == nil {
			names = append(names, name)
		}
	}
	return names
}

// Shared returns an error, yamlfile.Errors, if a credential at the top of one of these toolsets may be meant for
// several instances: there are several, and the configuration neither names nor trusts any of them.
func (o *Overrides) Shared(findings []*backend.Finding, types []*catalog.Type, names []string) error {
	if len(names) == 0 {
		return nil
	}
	f, tops := o.file.Fresh(), o.tops(types)
	items := newBuilder(o, Options{}).published(findings, types)
	for _, name := range names {
		instances, named := 0, false
		for _, it := range items {
			if it.isInstance(name) {
				instances, named = instances+1, named || inherits(it.Finding)
			}
		}
		if instances < 2 || named {
			continue
		}
		for key := range tops[name] {
			f.At(yamlfile.Key(yamlfile.Key(toolsets, name)+".config", key),
				"a credential here goes to all %d instances: put it into the one it is for", instances)
		}
	}
	return f.Err()
}

// isInstance reports whether the item is an instance of a toolset that several items may share.
func (it *item) isInstance(toolset string) bool {
	for i := range it.typ.Toolset.HolmesGPT {
		if it.typ.EntryName(i, it.Observation.SkipVerify) == toolset {
			return it.entryName() == ""
		}
	}
	return false
}

func isHTTP(e catalog.Entry) bool { return e.HTTP != nil }

// inherits reports whether a backend gets the credentials at the top of its toolset or of its key of the compact form.
// The configuration must name or trust the backend; that it is the only instance is not enough.
func inherits(f *backend.Finding) bool { return f.Entitled && !f.Candidate.Unproven }

// inherit gives the item the credentials at the top of its toolset, if it is entitled to them. The item then works like
// an instance that inherits them. The settings of the instance win.
func (b *builder) inherit(it *item, toolset string, config map[string]any) {
	top := b.tops[toolset]
	if len(top) == 0 || !inherits(it.Finding) {
		return
	}
	b.given[toolset] = true
	if it.KeepToken { // a real Authorization replaces the empty one
		headers, ok := config["additional_headers"].(map[string]any)
		if ok && headers[authorization] == emptyCredential {
			delete(headers, authorization)
		}
		defer keepToken(config)
	}
	rest := present(toolset, top)
	for _, group := range atomicGroups() {
		if hasAny(config, group) {
			maps.DeleteFunc(rest, func(key string, _ any) bool { return slices.Contains(group, key) })
		}
	}
	putBelow(config, rest)
}

// putBelow adds to a mapping the settings that it does not have. Names that differ only in case are equal, because they
// may be headers.
func putBelow(config, top map[string]any) {
	for _, key := range sortedKeys(top) {
		own := key
		for k := range config {
			if strings.EqualFold(k, key) {
				own = k
			}
		}
		v, has := config[own]
		if !has {
			if top[key] != nil {
				config[key] = mergePatch(nil, top[key])
			}
			continue
		}
		ours, ok := v.(map[string]any)
		theirs, both := top[key].(map[string]any)
		if ok && both {
			putBelow(ours, theirs)
		}
	}
}

// withheld returns warnings about credentials that no instance got.
func (b *builder) withheld(doc *Document) (warnings []Warning) {
	for _, name := range sortedKeys(b.tops) {
		typ, compact := strings.CutSuffix(name, compactSuffix)
		section := yamlfile.Key("compact", typ)
		if !compact {
			section, typ = yamlfile.Key(toolsets, name), b.typeIn(name)
		}
		if b.given[name] || compact && !doc.wants(Compact) || !compact && !doc.wants(HolmesGPT) {
			continue
		}
		for _, key := range sortedKeys(b.tops[name]) {
			w := Warning{Code: WarningCredentialWithheld, Type: typ}
			warnings = append(warnings, b.overrides.at(yamlfile.Key(section+".config", key), w))
		}
	}
	return warnings
}

// typeIn returns a type that has instances in a toolset.
func (b *builder) typeIn(toolset string) string {
	if t := b.builtins[toolset]; t != nil {
		return t.typ
	}
	i := slices.IndexFunc(b.opts.Types, func(t *catalog.Type) bool {
		return t.HasInstances(toolset) || slices.Contains(t.HTTPNames(), toolset)
	})
	return b.opts.Types[i].Type
}

// without returns a patch without the given keys of its config.
func without(patch any, keys map[string]any) any {
	if len(keys) == 0 {
		return patch
	}
	entry, config := maps.Clone(patch.(map[string]any)), maps.Clone(configOf(patch))
	for key := range keys {
		delete(config, key)
	}
	entry["config"] = config
	return entry
}

// own returns the instance that the overrides describe at the top of a toolset by its URL, nil if there is no such
// instance. HolmesGPT would ignore this instance because the toolset has a generated list of instances.
func (o *Overrides) own(toolset string, urls []string) map[string]any {
	config := configOf(o.toolsets[toolset])
	if _, list := config["instances"]; list || !hasAny(config, urls) {
		return nil
	}
	own := map[string]any{}
	for key, v := range config {
		if slices.Contains(urls, key) || mayBeCredential(key, v) {
			own[key] = v
		}
	}
	return mergePatch(nil, own).(map[string]any)
}
