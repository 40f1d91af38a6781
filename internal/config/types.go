package config

import (
	"slices"
	"strings"

	"kubernaut.io/dynamic-toolset/internal/backend"
	"kubernaut.io/dynamic-toolset/internal/catalog"
	"kubernaut.io/dynamic-toolset/internal/yamlfile"
)

func (v validator) tenants(t Tenants) {
	for _, typ := range sorted(t) {
		byType := yamlfile.Key("tenants", typ)
		v.check(byType, isLabel(typ), "a backend type's name as the key", typ)
		for _, ref := range sorted(t[typ]) {
			byRef := yamlfile.Key(byType, ref)
			v.check(byRef, isRef(ref), "namespace/name of a Service as the key", ref)
			if len(t[typ][ref]) == 0 {
				v.f.At(byRef, "expected the names of tenants, e.g. [team-a, team-b], found nothing")
			}
			v.each(byRef, t[typ][ref], backend.ValidTenant, "a tenant's name: letters, digits and !-_.*'(), at most 150 characters")
		}
	}
}

// types checks what depends on the types of backends there are, those of catalog.dir included. While a file there cannot be
// read, which is reported elsewhere, nothing is said of a type that is not built in.
func (v validator) types(c *Config) {
	if len(c.Credentials)+len(c.Tenants) == 0 {
		return
	}
	types, bad := builtin(), []error(nil)
	if c.Catalog.Dir != "" {
		types, bad = catalog.Load(c.Catalog.Dir)
	}
	if types == nil {
		return
	}
	known := func(typ string) (t *catalog.Type, sure bool) {
		t = types.Lookup(typ)
		return t, t != nil || len(bad) == 0
	}
	for _, typ := range sorted(c.Credentials) {
		t, sure := known(typ)
		if !sure || !isLabel(typ) {
			continue
		}
		fields := credentialFields(typ, t)
		for _, ref := range sorted(c.Credentials[typ]) {
			for _, field := range sorted(c.Credentials[typ][ref]) {
				if isRef(ref) && isField(field) && isVariable(c.Credentials[typ][ref][field]) && !slices.Contains(fields, field) {
					path := yamlfile.Key(yamlfile.Key(yamlfile.Key("credentials", typ), ref), field)
					v.f.At(path, "expected a credential that the type has: %s, found %s", strings.Join(fields, ", "), v.f.Found(path, field))
				}
			}
		}
	}
	for _, typ := range sorted(c.Tenants) {
		if t, sure := known(typ); sure && isLabel(typ) && (t == nil || !t.HasTenants()) {
			v.f.At(yamlfile.Key("tenants", typ), "expected a type that has tenants: %s, found %s", strings.Join(tenantTypes(types), ", "), yamlfile.Quote(typ))
		}
	}
}

// credentialFields are the credentials of a type; of what no catalog describes, those of an MCP server or of an HTTP API.
func credentialFields(typ string, t *catalog.Type) (fields []string) {
	switch {
	case t != nil:
		for _, c := range t.Toolset.Credentials {
			fields = append(fields, c.Field)
		}
	case typ == backend.TypeMCP:
		fields = []string{"token"}
	default:
		fields = []string{"token", "username", "password"}
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
