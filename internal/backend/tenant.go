package backend

import "strings"

// MaxTenant is how many characters a tenant's name may have, as Mimir and Loki have it.
const MaxTenant = 150

// ValidTenant reports whether the text is a tenant's name as Mimir, Loki and Tempo take it
// (https://grafana.com/docs/mimir/latest/configure/about-tenant-ids/), so that it is fit for a header and for a path.
func ValidTenant(name string) bool {
	special := func(r rune) bool {
		plain := r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9'
		return !plain && !strings.ContainsRune("!-_.*'()", r)
	}
	return name != "" && len(name) <= MaxTenant && name != "." && name != ".." && !strings.ContainsFunc(name, special)
}

// MaxPlainTenant is how many characters a stranger's tenant may have.
const MaxPlainTenant = 63

// PlainTenant reports whether the text is a tenant's name with no room for words: what is taken from Services outside
// the trusted namespaces, since the agent reads it.
func PlainTenant(name string) bool {
	return len(name) <= MaxPlainTenant && ValidTenant(name) && !strings.ContainsAny(name, "!.*'()")
}
