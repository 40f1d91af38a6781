package toolset

import (
	"maps"
	"slices"
	"strings"

	"kubernaut.io/dynamic-toolset/internal/backend"
	"kubernaut.io/dynamic-toolset/internal/yamlfile"
)

// override sets the item's patch: under the key of its Service, otherwise under that of its name. It reports whether
// the overrides remove the item. vouched holds the instances that the configuration vouches for. If a key is the name
// of such an instance, the item of another Service must not use it, because a stranger can create a Service with that
// name.
func (b *builder) override(it *item, vouched map[instanceKey]backend.Ref) (removed bool) {
	types := []string{it.Candidate.Type}
	if it.Candidate.Custom {
		types = append(types, backend.TypeCustom)
	}
	for _, typ := range types {
		for _, name := range []string{it.Ref.String(), it.Candidate.Instance} {
			key := instanceKey{typ, name}
			owner, named := vouched[key]
			patch, addressed := b.overrides.instances[typ][name]
			if !addressed || named && owner != it.Ref && !it.Vouched {
				continue
			}
			b.used[key] = true
			it.patch, _ = patch.(map[string]any)
			it.origin = key.path()
			return patch == nil
		}
	}
	return false
}

// keys returns the keys of the instances that the overrides address, sorted.
func (o *Overrides) keys() (keys []instanceKey) {
	for typ, names := range o.instances {
		for name := range names {
			keys = append(keys, instanceKey{typ, name})
		}
	}
	slices.SortFunc(keys, instanceKey.compare)
	return keys
}

// names returns the names that the overrides give to instances.
func (o *Overrides) names() map[string]bool {
	names := map[string]bool{}
	for _, patches := range o.instances {
		for _, patch := range patches {
			if name := configName(patch); name != "" {
				names[name] = true
			}
		}
	}
	return names
}

// toolsetPatches returns the patches to toolsets, without the settings that are written to instances instead.
func (b *builder) toolsetPatches() map[string]any {
	patches := maps.Clone(b.overrides.toolsets)
	for name, patch := range patches {
		elsewhere := b.tops[name]
		if own := b.overrides.own(name, b.urls[name]); own != nil && b.builtins[name] != nil {
			elsewhere = own
		}
		patches[name] = without(patch, elsewhere)
	}
	return patches
}

// merge applies the patches to a document. It returns warnings about entries that are left out or incomplete.
func (b *builder) merge(doc *Document) (warnings []Warning) {
	o := b.overrides
	patches := map[string]map[string]any{toolsets: b.toolsetPatches(), mcpServers: o.servers}
	for _, section := range sortedKeys(patches) {
		patch := patches[section]
		if len(patch) == 0 {
			continue
		}
		before, _ := doc.HolmesGPT[section].(map[string]any)
		merged := mergePatch(before, patch).(map[string]any)
		if b.opts.InForce {
			warnings = append(warnings, o.fit(doc, section, before, merged, patch)...)
		}
		doc.HolmesGPT[section] = merged
		if section == mcpServers && len(merged) == 0 {
			delete(doc.HolmesGPT, section)
		}
	}
	published := sortedKeys(doc.Compact)
	for _, typ := range sortedKeys(o.compact) {
		patch := o.compact[typ]
		if patch == nil {
			delete(doc.Compact, typ)
			continue
		}
		before, known := doc.Compact[typ]
		if main := doc.main[typ]; known && main != nil && inherits(main) || !known {
			b.given[KeyCompact(typ)] = true
		} else {
			patch = without(patch, b.tops[KeyCompact(typ)])
		}
		entry := mergePatch(maps.Clone(before), patch).(map[string]any)
		if missing := lacking(entry); !known && len(missing) > 0 && doc.wants(Compact) {
			warnings = append(warnings, o.at(yamlfile.Key("compact", typ), Warning{
				Code: WarningCompactLacking, Value: KeyCompact(typ), Names: strings.Join(missing, ","),
				Meant: yamlfile.Nearest(typ, published),
			}))
		}
		doc.Compact[typ] = entry
	}
	return few(warnings)
}

// fit removes the entries that HolmesGPT would not load, because overrides in force do not fit the backends found now.
// If the admin's entry is whole by itself, it stays and the generated entry is left out. Otherwise the generated entry
// stays and the patch is left out.
func (o *Overrides) fit(doc *Document, section string, before, merged, patches map[string]any) (warnings []Warning) {
	for _, name := range sortedKeys(patches) {
		entry, there := merged[name].(map[string]any)
		if !there {
			continue
		}
		why := fault(section, name, entry)
		if why == "" {
			continue
		}
		alone := mergePatch(nil, patches[name]).(map[string]any)
		generated, found := before[name]
		warning := Warning{Code: WarningPatchLeftOut, Because: why}
		switch {
		case whole(section, name, alone):
			merged[name] = alone
			delete(doc.Backends, name)
			warning.Code = WarningFoundLeftOut
		case found:
			merged[name] = generated
		default:
			delete(merged, name)
		}
		warnings = append(warnings, o.at(yamlfile.Key(section, name), warning))
	}
	return warnings
}

// fault returns the first reason why HolmesGPT would not load an entry, "" if there is no reason.
func fault(section, name string, entry map[string]any) string {
	for _, p := range complaintsOf(section, name, entry) {
		if p.severity == Error {
			return strings.TrimLeft(p.path+": "+p.message, ".: ")
		}
	}
	return ""
}

// whole reports whether an entry is complete by itself, without a generated entry below it.
func whole(section, name string, entry map[string]any) bool {
	counts := func(p complaint) bool { return p.severity != Note }
	return !slices.ContainsFunc(complaintsOf(section, name, entry), counts)
}

func complaintsOf(section, name string, entry map[string]any) []complaint {
	c := checker{shared: Error}
	c.entry("", section, name, entry)
	return c.complaints
}

// lacking returns the required keys that an entry of the compact form does not have.
func lacking(entry map[string]any) (missing []string) {
	for _, key := range []string{"toolset", "enabled", "config"} {
		if _, ok := entry[key]; !ok {
			missing = append(missing, key)
		}
	}
	return missing
}

// check returns an error if HolmesGPT would not load the result because of the overrides, and warnings about doubtful
// entries. An entry that HolmesGPT would not load without the overrides either is left out, and so is any such entry if
// the overrides are in force: one backend must not stop the publication of all others.
func (b *builder) check(doc *Document) (warnings []Warning, err error) {
	o, c, left := b.overrides, checker{shared: Error}, map[string]bool{}
	c.document(doc.HolmesGPT)
	f := yamlfile.Empty("overrides")
	if o.file != nil {
		f = o.file.Fresh()
	}
	for _, p := range c.complaints {
		path, entry := o.path(f, p.path, b.origins), entryPath(p.path)
		bad := p.severity == Error
		switch {
		case p.severity == Note, left[entry], p.path == "": // mark adds an entry to an empty document
		case bad && (b.opts.InForce || !b.touched(f, entry)) && doc.isGenerated(entry):
			left[entry] = true
			why := strings.TrimLeft(strings.TrimPrefix(p.path, entry)+": "+p.message, ".: ")
			warnings = append(warnings, doc.leaveOut(entry, why)...)
		case bad:
			f.At(path, "%s", p.message)
		case path != p.path || f.Has(entryPath(path)):
			warnings = append(warnings, o.at(path, Warning{Code: WarningEntryDoubtful, Because: p.message}))
		}
	}
	return few(warnings), f.Err()
}

// touched reports whether the overrides, or those of an instance, change an entry.
func (b *builder) touched(f *yamlfile.File, entry string) bool {
	for path := range b.origins {
		if entryPath(path) == entry {
			return true
		}
	}
	return f.Has(entry)
}

// path returns the path in the overrides that caused a path of the document.
func (o *Overrides) path(f *yamlfile.File, path string, origins map[string]string) string {
	for from, to := range origins {
		rest, below := strings.CutPrefix(path, from)
		if !below || rest != "" && rest[0] != '.' && rest[0] != '[' {
			continue
		}
		if at, ok := strings.CutSuffix(from, "]"); ok && f.Has(at[:strings.LastIndexByte(at, '[')]) {
			continue // the whole list was replaced afterwards
		}
		return to + strings.TrimPrefix(rest, ".config")
	}
	return path
}

// entryPath returns the path of the entry that contains a path.
func entryPath(path string) string {
	section, rest, _ := strings.Cut(path, ".")
	if i := strings.IndexAny(rest, ".["); i >= 0 {
		rest = rest[:i]
	}
	return section + "." + rest
}

// isGenerated reports whether there are backends behind the entry at a path.
func (d *Document) isGenerated(entry string) bool {
	_, name, _ := strings.Cut(entry, ".")
	return len(d.Backends[name]) > 0
}

// leaveOut removes a generated entry, and returns a warning about each backend behind it.
func (d *Document) leaveOut(entry, why string) (warnings []Warning) {
	section, name, _ := strings.Cut(entry, ".")
	for _, f := range d.Backends[name] {
		it := item{Finding: f}
		warnings = append(warnings, it.about(Warning{Code: WarningEntryLeftOut, Value: name, Because: why}))
	}
	entries, _ := d.HolmesGPT[section].(map[string]any)
	delete(entries, name)
	if section == mcpServers && len(entries) == 0 {
		delete(d.HolmesGPT, section)
	}
	delete(d.Backends, name)
	return warnings
}
