package config

import (
	"fmt"
	"sync"

	"kubernaut.io/dynamic-toolset/internal/catalog"
	"kubernaut.io/dynamic-toolset/internal/yamlfile"
)

// Load starts from the defaults, reads the file at path, if any, then applies the --set flags in their order, and
// checks everything.
//
// A flag is "path=value": the path's keys are joined by dots ("\." is a dot inside a key), the value is YAML and
// replaces the file's value:
//
//	health.interval=1m
//	discovery.namespaces=[monitoring, tracing]
//	credentials.grafana.monitoring/grafana.api_key=GRAFANA_API_KEY
//
// The functions in adjust change the defaults first.
//
// The error is about the file as a whole, or a yamlfile.Errors with all faults, one line each.
func Load(path string, sets []string, adjust ...func(*Config)) (*Config, error) {
	if path == "" {
		return decode(yamlfile.Empty("defaults"), sets, adjust...)
	}
	data, err := yamlfile.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("config file %s: %w", path, err)
	}
	f, err := yamlfile.Parse(path, data)
	if err != nil {
		return nil, err
	}
	return decode(f, sets, adjust...)
}

// Parse is Load for a text. Errors call it name.
func Parse(name string, data []byte) (*Config, error) {
	f, err := yamlfile.Parse(name, data)
	if err != nil {
		return nil, err
	}
	return decode(f, nil)
}

func decode(f *yamlfile.File, sets []string, adjust ...func(*Config)) (*Config, error) {
	c := Default()
	for _, change := range adjust {
		change(c)
	}
	f.Names(knownName)
	for _, s := range sets {
		f.Set("--set", s)
	}
	f.Decode(c)
	c.validate(f)
	if err := f.Err(); err != nil {
		return nil, err
	}
	return c, nil
}

// knownName reports whether a key below a secret is no secret: a Service, a type or a field of a type.
func knownName(key string) bool { return isRef(key) || builtinNames()[key] }

// builtin returns the catalog without the user's own types.
var builtin = sync.OnceValues(catalog.Builtin)

// builtinNames returns the names of the built-in types and of their credentials. Only errors need them.
var builtinNames = sync.OnceValue(func() map[string]bool {
	names := map[string]bool{}
	types, err := builtin()
	if err != nil {
		return names
	}
	for _, t := range types.Types {
		names[t.Type] = true
		for _, c := range t.Toolset.Credentials {
			names[c.Field] = true
		}
	}
	return names
})
