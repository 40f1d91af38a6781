//go:build chart

package chart

import (
	"encoding/json"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"kubernaut.io/dynamic-toolset/internal/config"
	"kubernaut.io/dynamic-toolset/test/chart/shipped"
)

// TestLint: helm has nothing to complain about, whatever the values.
func TestLint(t *testing.T) {
	t.Attr("req", "DTS-PKG-1")
	helm, err := shipped.Helm()
	check(t, err)
	dir, err := shipped.Chart()
	check(t, err)
	for name, path := range values(t) {
		if out := command(t, "", helm, "lint", "--strict", "--values", path, dir); strings.Contains(out, "[WARNING]") {
			t.Errorf("%s: %s", name, out)
		}
	}
}

// TestRefused: values that are not meant are refused with the place and what is wrong.
func TestRefused(t *testing.T) {
	t.Attr("req", "DTS-PKG-1")
	for _, c := range []struct{ set, want string }{
		{"replicas=3", "additional properties 'replicas' not allowed"},
		{"config.helth.interval=1m", "'/config': additional properties 'helth' not allowed"},
		{"config.health.intervall=1m", "'/config/health': additional properties 'intervall' not allowed"},
		{"config.health.interval=30", "'/config/health/interval': got number, want string"},
		{"config.health.interval=30 seconds", "'/config/health/interval'"},
		{"config.server.tls.mode=on", "'/config/server/tls/mode': value must be one of 'off', 'self-signed', 'files'"},
		{"config.auth.mode=token", "'/config/auth/mode': value must be one of 'kubernetes', 'none'"},
		{"config.discovery.namespaces={A}", "'/config/discovery/namespaces/0'"},
		{"replicaCount=two", "'/replicaCount': got string, want integer"},
		{"image.digest=latest", "'/image/digest'"},
		{"catalog.files.netdata=x", "'/catalog/files': additional properties 'netdata' not allowed"},
		{"access.viewers[0].kind=Team,access.viewers[0].name=x", "'/access/viewers/0/kind': value must be one of 'User', 'Group', 'ServiceAccount'"},
		{"networkPolicy.enable=false", "'/networkPolicy': additional properties 'enable' not allowed"},
		{"config.leaderElection.enabled=false", "replicas that do not elect would all write; set replicaCount to 1"},
	} {
		t.Run(c.set, func(t *testing.T) {
			t.Parallel()
			_, err := shipped.Template(t.Context(), "dynamic-toolset", "--set", c.set)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("want %q, got %v", c.want, err)
			}
		})
	}
}

// schema is the part of a JSON schema that matters here.
type schema struct {
	Properties           map[string]schema
	AdditionalProperties any
}

// TestSchema: it knows every value and every key of the configuration, and no others.
func TestSchema(t *testing.T) {
	t.Attr("req", "DTS-PKG-1 DTS-CFG-1")
	var s schema
	check(t, json.Unmarshal([]byte(read(t, "charts", "dynamic-toolset", "values.schema.json")), &s))
	agrees(t, "config", s.Properties["config"], reflect.TypeFor[config.Config]())

	helm, err := shipped.Helm()
	check(t, err)
	dir, err := shipped.Chart()
	check(t, err)
	documented := topLevel(command(t, "", helm, "show", "values", dir))
	known := slices.DeleteFunc(slices.Sorted(maps.Keys(s.Properties)), func(k string) bool {
		return k == "enabled" || k == "global" // a parent chart's
	})
	if d := cmp.Diff(documented, known); d != "" {
		t.Errorf("values.yaml and the schema (-values +schema):\n%s", d)
	}
}

func agrees(t *testing.T, path string, s schema, typ reflect.Type) {
	t.Helper()
	if open, ok := s.AdditionalProperties.(bool); !ok || open {
		t.Errorf("%s: other keys are allowed", path)
	}
	var keys []string
	for i := range typ.NumField() {
		field := typ.Field(i)
		key, _, _ := strings.Cut(field.Tag.Get("yaml"), ",")
		keys = append(keys, key)
		if field.Type.Kind() == reflect.Struct {
			agrees(t, path+"."+key, s.Properties[key], field.Type)
		}
	}
	slices.Sort(keys)
	if d := cmp.Diff(keys, slices.Sorted(maps.Keys(s.Properties))); d != "" {
		t.Errorf("%s (-configuration +schema):\n%s", path, d)
	}
}

// topLevel are the keys at the left margin of a YAML text, sorted.
func topLevel(text string) (keys []string) {
	for line := range strings.SplitSeq(text, "\n") {
		if key, _, ok := strings.Cut(line, ":"); ok && key != "" && !strings.ContainsAny(key[:1], " #-") {
			keys = append(keys, key)
		}
	}
	slices.Sort(keys)
	return keys
}
