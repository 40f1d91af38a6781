package config

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"reflect"
	"strings"
	"sync"
	"syscall"
	"time"

	yaml "go.yaml.in/yaml/v3"

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
	data, err := read(path)
	if err != nil {
		return nil, err
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

// builtin returns the catalog without the user's own types; nil if the embedded files are broken.
var builtin = sync.OnceValue(func() *catalog.Catalog {
	types, err := catalog.Builtin()
	if err != nil {
		return nil
	}
	return types
})

// builtinNames returns the names of the built-in types and of their credentials. Only errors need them.
var builtinNames = sync.OnceValue(func() map[string]bool {
	names := map[string]bool{}
	types := builtin()
	if types == nil {
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

// read reads a file. Its errors say what to do.
func read(path string) ([]byte, error) {
	data, err := yamlfile.ReadFile(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("config file %s: %w; leave out --config to use the defaults", path, err)
	case errors.Is(err, syscall.EISDIR):
		return nil, fmt.Errorf("config file %s: a directory; name the file in it", path)
	case err != nil:
		return nil, fmt.Errorf("config file %s: %w", path, err)
	}
	return data, nil
}

// YAML returns the configuration as a file. Load reads it back to the same configuration.
func (c *Config) YAML() ([]byte, error) {
	var root yaml.Node
	if err := root.Encode(c); err != nil {
		return nil, fmt.Errorf("encoding the configuration: %w", err)
	}
	shorten(&root, reflect.TypeOf(*c))
	var b bytes.Buffer
	enc := yaml.NewEncoder(&b)
	enc.SetIndent(2)
	if err := enc.Encode(&root); err != nil {
		return nil, fmt.Errorf("encoding the configuration: %w", err)
	}
	return b.Bytes(), enc.Close()
}

// shorten writes durations as people do: 5m, not 5m0s.
func shorten(n *yaml.Node, t reflect.Type) {
	switch {
	case t == reflect.TypeFor[time.Duration]():
		if s, ok := strings.CutSuffix(n.Value, "m0s"); ok {
			n.Value = s + "m"
		}
		if s, ok := strings.CutSuffix(n.Value, "h0m"); ok {
			n.Value = s + "h"
		}
	case t.Kind() == reflect.Struct && n.Kind == yaml.MappingNode:
		for i := range t.NumField() { // every field is written, in this order
			shorten(n.Content[2*i+1], t.Field(i).Type)
		}
	}
}
