package config

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/util/validation"

	"kubernaut.io/dynamic-toolset/internal/backend"
	"kubernaut.io/dynamic-toolset/internal/catalog"
	"kubernaut.io/dynamic-toolset/internal/toolset"
	"kubernaut.io/dynamic-toolset/internal/yamlfile"
)

// Types are settings of types in the catalog, by type. Default {}: all types are looked for, everywhere.
type Types map[string]TypeSettings

// TypeSettings are the settings of one type.
type TypeSettings struct {
	// Enabled says whether backends of the type are probed and written. Default true.
	Enabled *bool `yaml:"enabled,omitempty"`
	// Namespaces in which it is looked for, with * for any text. Default []: all that are watched.
	Namespaces []string `yaml:"namespaces,omitempty"`
	// Labels of Services of this type, beside those that charts set. A Service needs all labels of one
	// mapping. A value may begin or end with * for any text. Default [].
	Labels []map[string]string `yaml:"labels,omitempty"`
	// Health says how backends of this type are probed, where that differs from the section health.
	Health TypeHealth `yaml:"health,omitempty"`
}

// TypeHealth says how backends of one type are probed.
type TypeHealth struct {
	// Path that is requested instead of the catalog's, and must be answered with 200. Default "": the catalog's.
	Path string `yaml:"path,omitempty"`
	// Timeout of one request. Default health.timeout.
	Timeout time.Duration `yaml:"timeout,omitempty"`
	// Tries of one check. Default health.tries.
	Tries int `yaml:"tries,omitempty"`
}

// Tunings returns the changes to the catalog.
func (t Types) Tunings() map[string]catalog.Tuning {
	tunings := make(map[string]catalog.Tuning, len(t))
	for typ, s := range t {
		tunings[typ] = catalog.Tuning{
			Off: s.Enabled != nil && !*s.Enabled, Namespaces: s.Namespaces, Labels: s.Labels,
			HealthPath: s.Health.Path, Timeout: s.Health.Timeout, Tries: s.Health.Tries,
		}
	}
	return tunings
}

func (v validator) tenants(t Tenants) {
	for _, typ := range sorted(t) {
		byType := yamlfile.Key("tenants", typ)
		v.f.Check(byType, isLabel(typ), "a backend type's name as the key", typ)
		for _, ref := range sorted(t[typ]) {
			byRef := yamlfile.Key(byType, ref)
			v.f.Check(byRef, isRef(ref), "namespace/name of a Service as the key", ref)
			if len(t[typ][ref]) == 0 {
				v.f.At(byRef, "expected the names of tenants, e.g. [team-a, team-b], found nothing")
			}
			v.each(byRef, t[typ][ref], backend.ValidTenant, "a tenant's name: letters, digits and !-_.*'(), at most "+
				"150 characters")
		}
	}
}

// types checks what depends on the catalog, including catalog.dir. If a file there cannot be read, which is reported
// elsewhere, types does not check types that are not built in: such a type may be in that file.
func (v validator) types(c *Config) {
	if len(c.Types)+len(c.Backends)+len(c.Primary)+len(c.Credentials)+len(c.Tenants)+len(c.Output.Keys) == 0 {
		return
	}
	types, err := builtin()
	var bad []error
	if c.Catalog.Dir != "" {
		types, bad = catalog.Load(c.Catalog.Dir)
	}
	if err != nil || types == nil {
		return
	}
	if len(bad) == 0 {
		c.Output.Keys.Check(types, func(path, message string) { v.f.At(path, "%s", message) })
	}
	// each calls check for the types in section whose names are not reported yet and that no unreadable file may have.
	each := func(section string, names []string, check func(path, typ string, t *catalog.Type)) {
		for _, typ := range names {
			path, t := yamlfile.Key(section, typ), types.Lookup(typ)
			if isLabel(typ) && (t != nil || len(bad) == 0) && !v.misspelt(path, typ, types) {
				check(path, typ, t)
			}
		}
	}
	each("types", sorted(c.Types), func(path, typ string, t *catalog.Type) {
		v.f.Check(path, t != nil, catalogType, typ)
	})
	each("primary", sorted(c.Primary), func(string, string, *catalog.Type) {})
	each("credentials", sorted(c.Credentials), func(path, typ string, t *catalog.Type) {
		v.fields(path, c.Credentials[typ], typ, t)
	})
	each("tenants", sorted(c.Tenants), func(path, typ string, t *catalog.Type) {
		v.f.Check(path, t != nil && t.HasTenants(), "a type that has tenants: "+strings.Join(tenantTypes(types), ", "),
			typ)
	})
	for i := range c.Backends {
		b := &c.Backends[i]
		if t := types.Lookup(b.Type); isLabel(b.Type) && (t != nil || len(bad) == 0) {
			v.backendType(yamlfile.Index("backends", i), b, t)
		}
	}
}

const catalogType = "a type of the catalog (dynamic-toolset catalog lists them)"

func (v validator) typeSettings(t Types) {
	for _, typ := range sorted(t) {
		path, s := yamlfile.Key("types", typ), t[typ]
		v.f.Check(path, isLabel(typ), "a backend type's name as the key", typ)
		v.each(yamlfile.Key(path, "namespaces"), s.Namespaces, isNamespacePattern,
			"a namespace's name, with * for anything")
		for i, labels := range s.Labels {
			at := yamlfile.Index(yamlfile.Key(path, "labels"), i)
			if len(labels) == 0 {
				v.f.At(at, "expected labels of a Service, e.g. {team: metrics}, found nothing")
			}
			for _, k := range sorted(labels) {
				v.f.Check(yamlfile.Key(at, k), len(validation.IsQualifiedName(k)) == 0, "a label's name as the key", k)
				v.f.Check(yamlfile.Key(at, k), isLabelValue(labels[k]),
					"a label's value, with * only at its beginning or its end", labels[k])
			}
		}
		health := yamlfile.Key(path, "health")
		v.f.Check(yamlfile.Key(health, "path"), s.Health.Path == "" || isPath(s.Health.Path), "a path such as /-/ready",
			s.Health.Path)
		v.notNegative(yamlfile.Key(health, "timeout"), s.Health.Timeout)
		v.f.Check(yamlfile.Key(health, "tries"), s.Health.Tries >= 0, "1 or more", strconv.Itoa(s.Health.Tries))
	}
}

// misspelt reports an unknown type with a name like that of a known one. Any other name may be one that an owner gave
// to a custom API by annotation.
func (v validator) misspelt(path, typ string, types *catalog.Catalog) bool {
	if types.Lookup(typ) != nil || typ == backend.TypeCustom || typ == backend.TypeMCP {
		return false
	}
	var known []string
	for _, t := range types.Types {
		known = append(known, t.Type)
	}
	meant := yamlfile.Nearest(typ, known)
	rest, longer := strings.CutPrefix(typ, meant)
	ownName := longer && (len(rest) > 1 || strings.ContainsAny(rest, "0123456789")) // grafana-oncall, loki2
	if meant == "" || ownName {
		return false
	}
	v.f.At(path, "unknown type; did you mean %q?", meant)
	return true
}

// fields checks the names of the credentials of one type; t is nil for one that is not in the catalog.
func (v validator) fields(byType string, byRef map[string]map[string]string, typ string, t *catalog.Type) {
	of, has := toolset.Credentials(typ, t), "a credential that the type has"
	if t == nil && typ != backend.TypeMCP {
		has = "a credential that an API of your own has, since the catalog has no such type"
	}
	for _, ref := range sorted(byRef) {
		v.credentialFields(yamlfile.Key(byType, ref), byRef[ref], of, has)
	}
}

// credentialFields checks the fields of one backend's credentials.
func (v validator) credentialFields(at string, variables map[string]string, of []catalog.Credential, has string) {
	fields := names(of)
	for _, field := range sorted(variables) {
		reported := !isField(field) || !isVariable(variables[field])
		v.f.Check(yamlfile.Key(at, field), reported || slices.Contains(fields, field),
			has+": "+strings.Join(fields, ", "), field)
	}
	v.pairs(at, variables, of)
}

// pairs checks that an HTTP toolset has all credentials that basic or digest authentication needs, or none of them.
func (v validator) pairs(at string, variables map[string]string, of []catalog.Credential) {
	for _, auth := range []string{"basic", "digest"} {
		pair := names(slices.DeleteFunc(slices.Clone(of), func(c catalog.Credential) bool { return c.Auth != auth }))
		given := 0
		for _, field := range pair {
			if _, is := variables[field]; is {
				given++
			}
		}
		if given > 0 && given < len(pair) {
			v.f.At(at, "expected both %s, because neither works alone", strings.Join(pair, " and "))
		}
	}
}

func names(credentials []catalog.Credential) (fields []string) {
	for _, c := range credentials {
		fields = append(fields, c.Field)
	}
	return fields
}

func tenantTypes(c *catalog.Catalog) (names []string) {
	for _, t := range c.Types {
		if t.HasTenants() {
			names = append(names, t.Type)
		}
	}
	return names
}
