package view

import (
	"maps"
	"slices"
	"strings"

	"kubernaut.io/dynamic-toolset/internal/backend"
	"kubernaut.io/dynamic-toolset/internal/toolset"
)

// Toolset is an entry of the HolmesGPT document, with the state of its backends.
type Toolset struct {
	Name      string         `json:"name" doc:"As in the document"`
	Type      string         `json:"type" doc:"The type of its backends; without backends, the first part of its name"`
	Enabled   bool           `json:"enabled"`
	Healthy   *bool          `json:"healthy" doc:"Whether all its backends are healthy; null if none was probed"`
	Tokens    *int           `json:"tokens" doc:"The approximate tokens that it adds to each request to the agent's model; null if not known"`
	Config    map[string]any `json:"config" doc:"As in the document"`
	Instances []Instance     `json:"instances" doc:"Its backends"`
}

// Instance is one backend of a toolset.
type Instance struct {
	Name     string `json:"name"`
	Service  string `json:"service" doc:"namespace/name"`
	Type     string `json:"type"`
	Endpoint string `json:"endpoint"`
	Link     string `json:"link,omitempty" doc:"The URL for people, if known"`
	Primary  bool   `json:"primary"`
	Healthy  *bool  `json:"healthy" doc:"null: not probed"`
}

// Toolsets returns the entries of a document by name, without the generation marker. The document may be nil.
func Toolsets(d *toolset.Document) []Toolset {
	list := []Toolset{}
	if d == nil {
		return list
	}
	for _, section := range []string{"toolsets", "mcp_servers"} {
		entries, _ := d.HolmesGPT[section].(map[string]any)
		for _, name := range slices.Sorted(maps.Keys(entries)) {
			if entry, ok := entries[name].(map[string]any); ok && !toolset.IsMarker(name) {
				t := newToolset(name, entry, d.Backends[name])
				if tokens, known := d.Tokens[name]; known && section == "toolsets" {
					t.Tokens = &tokens
				}
				list = append(list, t)
			}
		}
	}
	slices.SortStableFunc(list, func(a, b Toolset) int { return strings.Compare(a.Name, b.Name) })
	return list
}

// Cost returns the sum of the toolsets' tokens, and how many toolsets have no known number of tokens.
func Cost(toolsets []Toolset) (tokens, unknown int) {
	for i := range toolsets {
		if t := toolsets[i].Tokens; t != nil {
			tokens += *t
		} else {
			unknown++
		}
	}
	return tokens, unknown
}

// newToolset describes an entry of the document. behind are the findings of its instances.
func newToolset(name string, entry map[string]any, behind []*backend.Finding) Toolset {
	t := Toolset{Name: name, Enabled: true, Config: map[string]any{}, Instances: []Instance{}}
	t.Type, _, _ = strings.Cut(name, "/")
	if enabled, ok := entry["enabled"].(bool); ok {
		t.Enabled = enabled
	}
	if config, ok := entry["config"].(map[string]any); ok {
		t.Config = config
	}
	for _, f := range behind {
		t.Type = f.Type
		i := Instance{
			Name: f.Candidate.Instance, Service: f.Ref.String(), Type: f.Type, Endpoint: f.Endpoint(), Link: f.Link,
			Primary: f.Primary, Healthy: healthy(&f.Observation),
		}
		if i.Healthy != nil && (t.Healthy == nil || !*i.Healthy) {
			t.Healthy = i.Healthy
		}
		t.Instances = append(t.Instances, i)
	}
	return t
}

// healthy returns nil if the backend was not probed.
func healthy(o *backend.Observation) *bool {
	if o.At.IsZero() {
		return nil
	}
	h := o.Outcome.Up()
	return &h
}

// TakenLine is the line about keys of output.keys that another field manager writes.
func TakenLine(names []string) string {
	return "output.keys: " + strings.Join(names, ", ") +
		" not written, because another field manager wrote it: " +
		"remove that text, or choose another name in the configuration"
}
