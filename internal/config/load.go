package config

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"reflect"
	"strings"
	"sync"
	"time"

	yaml "go.yaml.in/yaml/v3"

	"kubernaut.io/dynamic-toolset/internal/catalog"
	"kubernaut.io/dynamic-toolset/internal/yamlfile"
)

// Load reads the file at path over the defaults, then lays the values of --set flags over it, in their order, and
// checks everything. Without a path the defaults take the file's place.
//
// A flag is "path=value": the path's keys are joined by dots ("\." is a dot inside a key), the value is YAML and
// replaces what the file says there:
//
//	health.interval=1m
//	discovery.namespaces=[monitoring, tracing]
//	credentials.grafana.monitoring/grafana.api_key=GRAFANA_API_KEY
//
// Adjust, where given, changes the defaults first.
//
// The error is about the file as a whole, or yamlfile.Errors with everything that is wrong, one line each.
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

// Parse is Load for a text that is read already; name is what errors call it.
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

// knownName says which keys below a secret are none themselves: Services, and the names of types and of their fields.
func knownName(key string) bool { return isRef(key) || builtinNames()[key] }

// builtin is the catalog without types of the user's own; nil if what is embedded is broken.
var builtin = sync.OnceValue(func() *catalog.Catalog {
	types, err := catalog.Builtin()
	if err != nil {
		return nil
	}
	return types
})

// builtinNames are wanted only where something is wrong, and always the same.
var builtinNames = sync.OnceValue(func() map[string]bool {
	names := map[string]bool{}
	types := builtin()
	if types == nil { // no key is shown
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

// read reads a file and says what a person can do where that fails.
func read(path string) ([]byte, error) {
	const limit = 1 << 20
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("config file %s: %w; leave out --config to use the defaults", path, yamlfile.Bare(err))
	case err != nil:
		return nil, fmt.Errorf("config file %s: %w", path, yamlfile.Bare(err))
	case info.IsDir():
		return nil, fmt.Errorf("config file %s: a directory; name the file in it", path)
	}
	file, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("config file %s: %w", path, yamlfile.Bare(err))
	}
	defer file.Close()
	data, err := io.ReadAll(io.LimitReader(file, limit+1)) // one byte more, so that the parser says "too large"
	if err != nil {
		return nil, fmt.Errorf("config file %s: %w", path, yamlfile.Bare(err))
	}
	return data, nil
}

// YAML is the configuration as a file that Load reads back to the same.
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
