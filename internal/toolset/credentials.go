package toolset

import (
	"strings"

	"kubernaut.io/dynamic-toolset/internal/catalog"
)

func holmesReference(variable string) string  { return "{{ env." + variable + " }}" }
func compactReference(variable string) string { return "${" + variable + "}" }

// credentials calls put for each credential of the finding, in the order of its type. The configuration has checked the
// fields and the variables.
func (it *item) credentials(put func(c catalog.Credential, variable string)) {
	for _, c := range it.typ.Toolset.Credentials {
		if v := it.Credentials[c.Field]; v != "" {
			put(c, v)
		}
	}
}

// putTenant writes the tenant, which is not a secret.
func (it *item) putTenant(config map[string]any) {
	if it.Candidate.TenantHeader != "" {
		put(config, it.tenants().Path, it.Candidate.Tenant)
	}
}

// tenants returns how requests name their tenant: as the type of the item says, or as a relative of the type says. For
// example a backend that looks like a Prometheus may be a relative that requires a tenant.
func (it *item) tenants() catalog.Tenants {
	if t := it.typ.Tenanted(); t != nil {
		return t.Tenants
	}
	return catalog.Tenants{}
}

// put sets a value in a tree, and reports whether its place was free.
func put(at map[string]any, path []string, value string) bool {
	if len(path) == 0 {
		return false
	}
	for _, key := range path[:len(path)-1] {
		next, ok := at[key].(map[string]any)
		if !ok {
			next = map[string]any{}
			at[key] = next
		}
		at = next
	}
	last := path[len(path)-1]
	if _, taken := at[last]; taken {
		return false
	}
	at[last] = value
	return true
}

// putCredentials writes the references into the config of an instance.
func (it *item) putCredentials(config map[string]any, warn func(Warning)) {
	it.credentials(func(c catalog.Credential, variable string) {
		path := c.Path
		if len(path) == 0 {
			path = []string{c.Field}
		}
		if !put(config, path, c.Prefix+holmesReference(variable)) {
			warn(it.about(Warning{Code: WarningCredentialPlace, Field: c.Field}))
		}
	})
}

// auth returns the auth of an HTTP endpoint. It has the first kind of authentication for which the finding has
// credentials. It is nil if one of the credentials that this kind needs is missing, because HolmesGPT would not load
// the toolset.
func (it *item) auth(warn func(Warning)) map[string]any {
	var auth map[string]any
	it.credentials(func(c catalog.Credential, variable string) {
		if auth == nil {
			auth = map[string]any{"type": c.Auth}
			if c.Header != "" {
				auth["name"] = c.Header
			}
		}
		if auth["type"] != c.Auth {
			other, _ := auth["type"].(string)
			warn(it.about(Warning{Code: WarningCredentialAuth, Field: c.Field, Kind: c.Auth, Other: other}))
			return
		}
		field := c.Field
		if len(c.Path) > 0 {
			field = c.Path[len(c.Path)-1]
		}
		auth[field] = c.Prefix + holmesReference(variable)
	})
	kind, _ := auth["type"].(string)
	if missing := missingIn(auth, kind); len(missing) > 0 {
		warn(it.about(Warning{Code: WarningCredentialPartial, Kind: kind, Names: strings.Join(missing, ",")}))
		return nil
	}
	return auth
}
