package backend

import "strings"

// MaxTenant is the maximum length of a tenant name in Mimir and Loki, in characters.
const MaxTenant = 150

// ValidTenant reports whether Mimir, Loki and Tempo accept name as a tenant name
// (https://grafana.com/docs/mimir/latest/configure/about-tenant-ids/). Such a name is safe in a header and in a path.
func ValidTenant(name string) bool {
	special := func(r rune) bool {
		plain := r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9'
		return !plain && !strings.ContainsRune("!-_.*'()", r)
	}
	return name != "" && len(name) <= MaxTenant && name != "." && name != ".." && !strings.ContainsFunc(name, special)
}

// MaxPlainTenant is the maximum length of a tenant name that a stranger sets, in characters.
const MaxPlainTenant = 63

// PlainTenant reports whether name is a valid tenant name that cannot hold prose. Services outside the trusted
// namespaces may set only such names, because the agent reads them.
func PlainTenant(name string) bool {
	return len(name) <= MaxPlainTenant && ValidTenant(name) && !strings.ContainsAny(name, "!.*'()")
}
