package toolset

import (
	"maps"
	"regexp"
	"slices"
	"strings"

	"kubernaut.io/dynamic-toolset/internal/catalog"
)

// A name that a shell would take for an environment variable. Anything else could close the reference.
var variableName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

func holmesReference(variable string) string  { return "{{ env." + variable + " }}" }
func compactReference(variable string) string { return "${" + variable + "}" }

// credentials calls put for each credential the finding has, in the order of its type.
func (it *item) credentials(put func(c catalog.Credential, variable string)) {
	for _, c := range it.typ.Toolset.Credentials {
		if v := it.Credentials[c.Field]; variableName.MatchString(v) {
			put(c, v)
		}
	}
}

// putTenant names the tenant, which is no secret.
func (it *item) putTenant(config map[string]any) {
	if it.Candidate.TenantHeader != "" {
		put(config, it.tenants().Path, it.Candidate.Tenant)
	}
}

// tenants says how a tenant is named to it: as its type says, or a relative, since what looks like a Prometheus may
// want one.
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
			w := it.about(WarningCredentialPlace)
			w.Field = c.Field
			warn(w)
		}
	})
}

// auth is the auth of an HTTP endpoint: the first kind that the finding has credentials for.
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
			w := it.about(WarningCredentialAuth)
			w.Field, w.Kind = c.Field, c.Auth
			w.Other, _ = auth["type"].(string)
			warn(w)
			return
		}
		field := c.Field
		if len(c.Path) > 0 {
			field = c.Path[len(c.Path)-1]
		}
		auth[field] = c.Prefix + holmesReference(variable)
	})
	return auth
}

// checkCredentials reports what the configuration names and the type does not have.
func (it *item) checkCredentials(warn func(Warning)) {
	known := map[string]bool{}
	for _, c := range it.typ.Toolset.Credentials {
		known[c.Field] = true
	}
	for _, field := range slices.Sorted(maps.Keys(it.Credentials)) { // which may be a secret in the wrong place
		switch {
		case !known[field]:
			w := it.about(WarningCredentialUnknown)
			w.Names = strings.Join(slices.Sorted(maps.Keys(known)), ",")
			warn(w)
		case !variableName.MatchString(it.Credentials[field]):
			w := it.about(WarningCredentialVariable)
			w.Field = field
			warn(w)
		}
	}
}
