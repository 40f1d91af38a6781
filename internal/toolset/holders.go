package toolset

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"kubernaut.io/dynamic-toolset/internal/backend"
	"kubernaut.io/dynamic-toolset/internal/catalog"
	"kubernaut.io/dynamic-toolset/internal/yamlfile"
)

// Holders are the Services that the overrides' credentials at the top of a toolset are for (DTS-OUT-6), by toolset; those
// beside url in the compact form by its key. The zero Ref stands for nobody.
type Holders map[string]backend.Ref

// tops are the credentials that the overrides put where HolmesGPT would have every instance of a toolset inherit them,
// and those beside url in the compact form, by toolset or key. Where the overrides say themselves which backend it is,
// by a list of instances or a URL, all is as the admin wants it.
func (o *Overrides) tops(types []*catalog.Type) map[string]map[string]any {
	tops := map[string]map[string]any{}
	for name, urls := range urlKeys(types) {
		config := configOf(o.toolsets[name])
		if _, own := config["instances"]; !own && !hasAny(config, urls) {
			take(tops, name, config, holdsCredential)
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

func take(tops map[string]map[string]any, name string, config map[string]any, secret func(string, any) bool) {
	for key, v := range config {
		if !secret(key, v) {
			continue
		}
		if tops[name] == nil {
			tops[name] = map[string]any{}
		}
		tops[name][key] = v
	}
}

// urlKeys are the keys that hold the URL of an instance, by toolset with instances.
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

// hasAny reports whether a mapping has one of the keys, and something in it.
func hasAny(config map[string]any, keys []string) bool {
	return slices.ContainsFunc(keys, func(key string) bool { return config[key] != nil })
}

// holdsCompactCredential is holdsCredential for the compact form, whose references are written otherwise.
func holdsCompactCredential(key string, v any) bool {
	found := holdsCredential(key, v)
	walkStrings("", map[string]any{key: v}, func(_, s string) { found = found || strings.Contains(s, "${") })
	return found
}

// Holders decides whom the credentials at the top are for: those that are known keep their holders; a new one is for the
// one instance that the toolset has, if it is proven and no other Service may become one; in the compact form for the
// primary. Else it is nobody's. The error, yamlfile.Errors, is that a new one is at the top of several instances.
func (o *Overrides) Holders(findings []*backend.Finding, types []*catalog.Type, known Holders) (Holders, error) {
	holders := Holders{}
	tops := o.tops(types)
	if len(tops) == 0 {
		return holders, nil
	}
	f := o.file.Fresh()
	items := newBuilder(o, Options{}).published(findings, types)
	for name, top := range tops {
		if ref, ok := known[name]; ok {
			holders[name] = ref
			continue
		}
		holders[name] = backend.Ref{}
		typ, compact := strings.CutSuffix(name, compactSuffix)
		var list []*item
		for _, it := range items {
			if compact && it.Candidate.Type == typ && it.Primary && !it.Provisional || !compact && it.isInstance(name) {
				list = append(list, it)
			}
		}
		if len(list) > 1 {
			for key := range top {
				f.At(yamlfile.Key(yamlfile.Key("toolsets", name)+".config", key),
					"a credential here goes to all %d instances: put it into the one it is for", len(list))
			}
			continue
		}
		if len(list) == 1 && !list[0].Candidate.Unproven && (compact || !o.mayGrow(name, findings, types)) {
			holders[name] = list[0].Ref
		}
	}
	return holders, f.Err()
}

// isInstance reports whether the item is an instance of a toolset of HolmesGPT's.
func (it *item) isInstance(toolset string) bool {
	return it.typ != nil && slices.ContainsFunc(it.typ.Toolset.HolmesGPT, func(e catalog.Entry) bool {
		return e.HTTP == nil && e.Name == toolset
	})
}

// mayGrow reports whether a Service that is not published now may become an instance of the toolset: to be the only one
// is luck then.
func (o *Overrides) mayGrow(toolset string, findings []*backend.Finding, types []*catalog.Type) bool {
	byName := typesByName(types)
	return slices.ContainsFunc(findings, func(f *backend.Finding) bool {
		if f.Candidate == nil || f.Verdict != backend.Unavailable && f.Limit == "" {
			return false
		}
		it := &item{Finding: f, typ: typeOf(f, byName)}
		return it.isInstance(toolset) && !o.removes(it)
	})
}

// Known are the holders that stay when o follows older overrides: a holder keeps its place as long as its toolset has
// any credential at the top, and what nobody held goes to nobody while it is the same. Of the others, where the text was
// not written anew, nobody knows whom they were meant for.
func (o *Overrides) Known(old *Overrides, holders Holders, anew bool, types []*catalog.Type) Holders {
	known := Holders{}
	var before map[string]map[string]any
	if old != nil {
		before = old.tops(types)
	}
	for name, top := range o.tops(types) {
		ref, ok := holders[name]
		switch {
		case ok && (ref != backend.Ref{} || reflect.DeepEqual(before[name], top)):
			known[name] = ref
		case !anew:
			known[name] = backend.Ref{}
		}
	}
	return known
}

// Undecided reports whether the overrides have credentials at the top whose holders are not known.
func (o *Overrides) Undecided(known Holders, types []*catalog.Type) bool {
	for name := range o.tops(types) {
		if _, ok := known[name]; !ok {
			return true
		}
	}
	return false
}

// entitled reports whether a backend gets the credentials at the top of a toolset, or in a key of the compact form.
func (b *builder) entitled(f *backend.Finding, name string) bool {
	return !f.Candidate.Unproven && (f.Entitled || b.holders[name] == f.Ref)
}

// inherit gives the item what the overrides put at the top of its toolset, if it is entitled to it: an instance with it
// works as one that inherits it. What the instance says itself wins.
func (b *builder) inherit(it *item, toolset string, config map[string]any) {
	top := b.tops[toolset]
	if len(top) == 0 || !b.entitled(it.Finding, toolset) {
		return
	}
	b.given[toolset] = true
	if it.KeepToken { // an Authorization that says nothing gives way
		if headers, ok := config["additional_headers"].(map[string]any); ok && headers[authorization] == emptyCredential {
			delete(headers, authorization)
		}
		defer keepToken(config)
	}
	rest := maps.Clone(top)
	for _, group := range atomicGroups() {
		if hasAny(config, group) {
			maps.DeleteFunc(rest, func(key string, _ any) bool { return slices.Contains(group, key) })
		}
	}
	putBelow(config, rest)
}

// putBelow adds to a mapping what it does not say itself. Names of headers differ in case, and are one.
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

// withheld are warnings of credentials that went to nobody.
func (b *builder) withheld(doc *Document) (warnings []string) {
	for _, name := range sortedKeys(b.tops) {
		typ, compact := strings.CutSuffix(name, compactSuffix)
		section := yamlfile.Key("compact", typ)
		if !compact {
			section, typ = yamlfile.Key("toolsets", name), b.typeIn(name)
		}
		if b.given[name] || compact && !doc.wants(Compact) || !compact && !doc.wants(HolmesGPT) {
			continue
		}
		why := "no instance is named for it"
		if holder := b.holders[name]; holder != (backend.Ref{}) {
			why = "it is for " + holder.String() + ", which is not published"
			if compact {
				why = "it is for " + holder.String() + ", which is not the primary"
			}
		}
		text := fmt.Sprintf("this credential goes to nobody: %s. It goes to what the configuration names in "+
			"primary: {%s: NAMESPACE/NAME} or credentials: {%s: {NAMESPACE/NAME: {…}}}, and to a primary in "+
			"security: {trustedNamespaces: [NAMESPACE]}", why, typ, typ)
		for _, key := range sortedKeys(b.tops[name]) {
			warnings = append(warnings, b.overrides.at(yamlfile.Key(section+".config", key), text))
		}
	}
	return warnings
}

// typeIn is a type whose instances a toolset has.
func (b *builder) typeIn(toolset string) string {
	if t := b.builtins[toolset]; t != nil {
		return t.typ
	}
	i := slices.IndexFunc(b.types, func(t *catalog.Type) bool { return (&item{typ: t}).isInstance(toolset) })
	return b.types[i].Type
}

// without is a patch without keys of its config.
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

// own is the instance that the overrides describe at the top of a toolset, by its URL. HolmesGPT would drop it for the
// instances that are generated.
func (o *Overrides) own(toolset string, urls []string) map[string]any {
	config := configOf(o.toolsets[toolset])
	if _, list := config["instances"]; list || !hasAny(config, urls) {
		return nil
	}
	own := map[string]any{}
	for key, v := range config {
		if slices.Contains(urls, key) || holdsCredential(key, v) {
			own[key] = v
		}
	}
	return mergePatch(nil, own).(map[string]any)
}
