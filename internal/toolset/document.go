package toolset

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"iter"
	"maps"
	"slices"
	"strings"

	yaml3 "go.yaml.in/yaml/v3"

	"kubernaut.io/dynamic-toolset/internal/backend"
)

// KeyHolmesGPT is the key of the HolmesGPT document in the ConfigMap. The keys of the compact form end with
// compactSuffix.
const (
	KeyHolmesGPT  = "custom_toolset.yaml"
	compactSuffix = "-toolset.yaml"
	// KeyOverrides is the admin's key. KeyState holds what this service remembers.
	KeyOverrides = "overrides.yaml"
	KeyState     = "state.json"
)

// Generated reports whether this service generated a text.
func Generated(text string) bool { return strings.HasPrefix(text, written) }

// KeyCompact returns the key of a type's compact form in the ConfigMap.
func KeyCompact(typ string) string { return typ + compactSuffix }

const (
	written   = "# Written by dynamic-toolset: changes made here are undone. "
	header    = written + "Put yours into the key overrides.yaml.\n"
	ownHeader = written + "Its configuration says what stands here (output.keys).\n"
)

// Document is everything that is published. It must not be changed.
type Document struct {
	// HolmesGPT is the tree of the HolmesGPT document: toolsets and, if there are any, mcp_servers.
	HolmesGPT map[string]any
	// Compact holds the trees of the compact form, by type.
	Compact map[string]map[string]any
	// Backends holds the findings behind each entry of the HolmesGPT document, by the name of the entry. The primary of
	// each type comes first.
	Backends map[string][]*backend.Finding
	// Tokens holds how many tokens the toolsets add to each request to the agent's model, as the function Tokens
	// returns them.
	Tokens map[string]int
	// Warnings are for people: what was left out and why, and what in the overrides has no effect.
	Warnings []Warning

	main    map[string]*backend.Finding // the primary whose url the compact form of a type contains
	formats []string
	own     map[string]string // the texts of the admin's own keys
}

// Keys returns the texts of the generated keys of the ConfigMap: the keys of the wanted formats and the admin's own
// keys (Options.Own).
func (d *Document) Keys() (map[string]string, error) {
	keys := map[string]string{}
	if d.wants(HolmesGPT) {
		text, err := marshal(header, d.HolmesGPT)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", KeyHolmesGPT, err)
		}
		keys[KeyHolmesGPT] = text
	}
	if d.wants(Compact) {
		for typ, tree := range d.Compact {
			text, err := marshal(header, tree)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", KeyCompact(typ), err)
			}
			keys[KeyCompact(typ)] = text
		}
	}
	maps.Copy(keys, d.own)
	return keys, nil
}

func (d *Document) wants(format string) bool {
	return len(d.formats) == 0 || slices.Contains(d.formats, format)
}

const markerPrefix = "generation/"

// IsMarker reports whether an entry with this name is the generation marker, which is not a real toolset.
func IsMarker(name string) bool { return strings.HasPrefix(name, markerPrefix) }

// Entries returns the names of the toolsets and MCP servers, each with the names of its instances, nil if it has no
// list of instances. It also returns the name of the generation marker, "" if there is no marker.
func (d *Document) Entries() (instances map[string][]string, generation string) {
	return entries(d.HolmesGPT)
}

// EntriesIn returns the entries in the text of a HolmesGPT document, nil if the text cannot be read.
func EntriesIn(text string) (instances map[string][]string, generation string) {
	document, err := readDocument(text)
	if err != nil {
		return nil, ""
	}
	return entries(document)
}

func entries(document map[string]any) (instances map[string][]string, generation string) {
	instances = map[string][]string{}
	for at, tree := range eachEntry(document) {
		if IsMarker(at.name) {
			generation = at.name
			continue
		}
		instances[at.name] = nil
		for _, i := range listIn(tree, "instances") {
			instances[at.name] = append(instances[at.name], configName(i))
		}
	}
	return instances, generation
}

// readDocument returns the tree of a HolmesGPT document.
func readDocument(text string) (document map[string]any, err error) {
	if err := yaml3.Unmarshal([]byte(text), &document); err != nil {
		return nil, fmt.Errorf("read the document: %w", err)
	}
	return document, nil
}

// The sections of a HolmesGPT document.
const (
	toolsets   = "toolsets"
	mcpServers = "mcp_servers"
)

// entryAt is the place of an entry in a HolmesGPT document.
type entryAt struct{ section, name string }

// eachEntry iterates over the toolsets and then the MCP servers of a HolmesGPT document, by name.
func eachEntry(document map[string]any) iter.Seq2[entryAt, any] {
	return func(yield func(entryAt, any) bool) {
		for _, section := range []string{toolsets, mcpServers} {
			entries, _ := document[section].(map[string]any)
			for _, name := range sortedKeys(entries) {
				if !yield(entryAt{section, name}, entries[name]) {
					return
				}
			}
		}
	}
}

// mark adds the entry that makes a running HolmesGPT use a changed document. HolmesGPT replaces its tools only if the
// name or the state of a toolset changes, not if only a URL changes. The entry is disabled, so it costs the agent one
// line. HolmesGPT rejects a file without toolsets, so an empty document gets an entry even if no marker is wanted.
func (d *Document) mark(wanted bool) error {
	entries, ok := d.HolmesGPT[toolsets].(map[string]any)
	servers, _ := d.HolmesGPT[mcpServers].(map[string]any)
	if !ok || !wanted && len(entries)+len(servers) > 0 {
		return nil
	}
	name := markerPrefix + "none"
	if wanted {
		sum := sha256.New()
		// JSON has its keys in order and costs less than the YAML that is written later.
		encoder := json.NewEncoder(sum)
		for at, tree := range eachEntry(d.HolmesGPT) {
			if err := encoder.Encode([]any{at.section, at.name, tree}); err != nil {
				return fmt.Errorf("generation marker: %w", err)
			}
		}
		name = markerPrefix + hex.EncodeToString(sum.Sum(nil)[:4])
	}
	marked := maps.Clone(entries)
	marked[name] = map[string]any{
		"enabled":     false,
		"description": "Not a data source: its name changes with this file, so that HolmesGPT notices.",
		"tools":       []any{},
	}
	d.HolmesGPT[toolsets] = marked
	return nil
}

// OwnedKey reports whether the name of a key in the ConfigMap is reserved for this service. A reserved key that is no
// longer generated is removed.
func OwnedKey(key string) bool {
	return key == KeyHolmesGPT || key == KeyState || strings.HasSuffix(key, compactSuffix)
}
