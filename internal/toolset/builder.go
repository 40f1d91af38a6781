package toolset

import (
	"cmp"
	"fmt"
	"strings"

	"kubernaut.io/dynamic-toolset/internal/backend"
	"kubernaut.io/dynamic-toolset/internal/catalog"
	"kubernaut.io/dynamic-toolset/internal/yamlfile"
)

// builder collects the parts of the HolmesGPT document.
type builder struct {
	overrides *Overrides
	opts      Options
	toolsets  map[string]any
	servers   map[string]any
	builtins  map[string]*builtin
	shared    map[string]*shared
	own       []*entry
	behind    map[string][]*backend.Finding
	warnings  []Warning

	notes    []*ownerNote
	noted    map[backend.Ref]bool // Services whose note is recorded
	unread   map[backend.Ref]bool // those of them whose note is left out
	roles    []string             // lines about the roles of instances of built-in toolsets
	unproven map[string][]string  // built-in toolset -> its instances that no probe has checked, "" for nameless ones
	// used holds the keys of the overrides that address an existing instance.
	used map[instanceKey]bool
	// tops holds the overrides' credentials at the top of toolsets. given marks the toolsets whose credentials an
	// instance got.
	tops  map[string]map[string]any
	given map[string]bool
	urls  map[string][]string // toolset -> the keys that hold an instance's URL
	// claimed holds the names that the overrides give to instances.
	claimed map[string]bool
	// origins: path in the document -> path in the overrides that changed it.
	origins map[string]string
}

// builtin is a toolset that is part of HolmesGPT, with its instances.
type builtin struct {
	typ          string // of its first instance
	instances    []any
	names        map[string]bool
	instructions string
}

// entry is a toolset or an MCP server that has only one item.
type entry struct {
	item    *item
	name    string
	section string
	tree    map[string]any
	patched bool // by the overrides of the instance
}

func newBuilder(overrides *Overrides, opts Options) *builder {
	return &builder{
		overrides: overrides,
		opts:      opts,
		tops:      overrides.tops(opts.Types),
		given:     map[string]bool{},
		urls:      urlKeys(opts.Types),
		claimed:   overrides.names(),
		noted:     map[backend.Ref]bool{},
		unread:    map[backend.Ref]bool{},
		unproven:  map[string][]string{},
		toolsets:  map[string]any{},
		servers:   map[string]any{},
		builtins:  map[string]*builtin{},
		shared:    map[string]*shared{},
		behind:    map[string][]*backend.Finding{},
		used:      map[instanceKey]bool{},
		origins:   map[string]string{},
	}
}

func (b *builder) warn(w Warning) { b.warnings = append(b.warnings, w) }

// add writes an item to each entry of its type.
func (b *builder) add(it *item) {
	if it.Candidate.Type == backend.TypeMCP {
		b.addOwn(it, mcpServers, it.server(b.warn))
		return
	}
	unproven := it.Candidate.Unproven
	for i, e := range it.typ.Toolset.HolmesGPT {
		if e.HTTP != nil {
			b.addHTTP(it, i)
			continue
		}
		name := b.addInstance(it, e)
		if i == 0 && it.role != "" && !it.nameless {
			b.roles = append(b.roles, roleLine(e.Name, name, it.role))
		}
		b.note(it, "- "+e.Name+", instance "+name+": ", nil)
		if unproven { // once, even if it is in several toolsets
			unproven = false
			if it.nameless {
				name = ""
			}
			b.unproven[e.Name] = append(b.unproven[e.Name], name)
		}
	}
}

// addInstance adds the item to a built-in toolset and returns its name there.
func (b *builder) addInstance(it *item, e catalog.Entry) string {
	t := b.builtins[e.Name]
	if t == nil {
		t = &builtin{typ: it.Candidate.Type, names: map[string]bool{}}
		b.builtins[e.Name] = t
	}
	if t.instructions == "" {
		t.instructions = it.expand(e.Instructions).(string)
	}
	config := it.instance(e, b.warn)
	name := it.Candidate.Instance
	if t.names[name] { // one Service in front of two backends whose types share this toolset
		name += "/" + it.Candidate.Type
	}
	if t.names[name] || b.opts.InForce && b.claimed[name] && configName(it.patch) != name {
		name = withHash(name, it.identity())
	}
	config["name"] = name
	config = it.patched(e.Name, config)
	b.keepName(it, t, config, name)
	t.names[name] = true
	b.inherit(it, e.Name, config)
	if it.patch != nil {
		list := yamlfile.Key(toolsets, e.Name) + ".config.instances"
		b.origins[yamlfile.Index(list, len(t.instances))] = it.origin
	}
	t.instances = append(t.instances, config)
	b.behind[e.Name] = append(b.behind[e.Name], it.Finding)
	return cmp.Or(configName(config), name) // the overrides may have renamed it
}

// addHTTP adds the item to the HTTP toolset of its type. If the catalog has no entry for the type, the item gets its
// own entry.
func (b *builder) addHTTP(it *item, i int) {
	e := it.typ.Toolset.HolmesGPT[i]
	if it.entryName() != "" {
		b.addOwn(it, toolsets, it.http(e, b.warn))
		return
	}
	name := it.typ.EntryName(i, it.Observation.SkipVerify)
	s := b.shared[name]
	if s == nil {
		s = &shared{name: name, entry: e, tree: map[string]any{}}
		b.shared[name] = s
	}
	s.items = append(s.items, it)
	b.note(it, "- "+it.Candidate.Instance+": ", s.tree)
}

// addOwn adds an entry for the item alone. finish writes it after all other entries, unless its name is taken.
func (b *builder) addOwn(it *item, section string, tree map[string]any) {
	generated := tree["config"].(map[string]any)
	tree["config"] = it.patched(it.entryName(), generated)
	e := &entry{item: it, name: it.entryName(), section: section, tree: tree, patched: it.patch != nil}
	if b.misfit(it, section, e.name, tree) {
		tree["config"], e.patched = generated, false
	}
	b.note(it, "", tree)
	b.own = append(b.own, e)
}

// patched returns the config of an instance of a toolset with its overrides.
func (it *item) patched(toolset string, config map[string]any) map[string]any {
	if it.patch == nil {
		return config
	}
	return mergePatch(config, present(toolset, it.patch)).(map[string]any)
}

// misfit reports whether overrides in force make an entry that HolmesGPT would not load. It then warns that they are
// left out.
func (b *builder) misfit(it *item, section, name string, tree map[string]any) bool {
	if !b.opts.InForce || it.patch == nil {
		return false
	}
	why := fault(section, name, tree)
	if why != "" {
		b.warn(b.overrides.at(it.origin, Warning{Code: WarningPatchLeftOut, Because: why}))
	}
	return why != ""
}

// ownInstance is HolmesGPT's name for an instance at the top of a toolset, outside a list of instances.
const ownInstance = "default"

// keepName restores the generated name if overrides in force set a name that another instance has now, or that is not a
// text.
func (b *builder) keepName(it *item, t *builtin, config map[string]any, name string) {
	given, has := config["name"]
	text := configName(config)
	if !b.opts.InForce || !has || text == name {
		return
	}
	if _, isText := given.(string); !isText || t.names[text] {
		b.warn(it.about(Warning{Code: WarningNameKept, Value: fmt.Sprint(given)}))
		config["name"] = name
		return
	}
	t.names[text] = true
}

func configName(config any) string {
	tree, _ := config.(map[string]any)
	name, _ := tree["name"].(string)
	return name
}

// finish writes the collected entries to the document. It warns about overrides of instances that do not exist.
func (b *builder) finish() {
	for name, t := range b.builtins {
		instances := t.instances
		if own := b.overrides.own(name, b.urls[name]); own != nil {
			own = present(name, own)
			own["name"] = ownInstance
			if t.names[ownInstance] {
				own["name"] = withHash(ownInstance, KeyOverrides)
			}
			instances = append(instances, own)
		}
		tree := map[string]any{"enabled": true, "config": map[string]any{"instances": instances}}
		if t.instructions != "" {
			tree["llm_instructions"] = t.instructions
		}
		b.toolsets[name] = tree
	}
	b.finishShared()
	b.writeNotes()
	b.nameTools()
	for _, e := range b.own {
		section := b.toolsets
		if e.section == mcpServers {
			section = b.servers
		}
		if _, taken := section[e.name]; taken {
			b.warn(e.item.about(Warning{Code: WarningNameTaken, Value: e.name}))
			continue
		}
		section[e.name] = e.tree
		b.behind[e.name] = append(b.behind[e.name], e.item.Finding)
		if e.patched {
			b.origins[yamlfile.Key(e.section, e.name)] = e.item.origin
		}
	}
	var unused []Warning
	for _, key := range b.overrides.keys() {
		if !b.used[key] {
			path := key.path()
			unused = append(unused, b.overrides.at(path, Warning{Code: WarningInstanceUnknown, Meant: b.meant(key)}))
		}
	}
	b.warnings = append(b.warnings, few(unused)...)
}

// meant returns the instance that an address without a namespace most likely means, "" if there is no such instance.
// The name of an instance outside the trusted namespaces contains its namespace.
func (b *builder) meant(key instanceKey) (name string) {
	for _, behind := range b.behind {
		for _, f := range behind {
			c := f.Candidate
			ofType := c.Type == key.typ || c.Custom && key.typ == backend.TypeCustom
			if ofType && strings.HasSuffix(c.Instance, "/"+key.name) && (name == "" || c.Instance < name) {
				name = c.Instance
			}
		}
	}
	return name
}
