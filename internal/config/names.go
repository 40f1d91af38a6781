package config

import (
	"maps"
	"regexp"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/util/validation"
)

// isLabel: names of namespaces and of backend types (RFC 1123).
func isLabel(s string) bool { return len(validation.IsDNS1123Label(s)) == 0 }

// isDomain: DNS names, and names of ConfigMaps and Leases (RFC 1123), without a closing dot.
func isDomain(s string) bool { return len(validation.IsDNS1123Subdomain(s)) == 0 }

// isRef: namespace/name of a Service.
func isRef(s string) bool {
	namespace, name, ok := strings.Cut(s, "/")
	return ok && isLabel(namespace) && isLabel(name)
}

// isToolset: HolmesGPT refuses a whole document for one dot in a name.
func isToolset(s string) bool { return matches(`^[A-Za-z0-9_-]+(/[A-Za-z0-9_-]+)*$`, s) }

func isField(s string) bool { return matches(`^[A-Za-z_][A-Za-z0-9_]*$`, s) }

func isVariable(s string) bool { return matches(`^[A-Z_][A-Z0-9_]*$`, s) }

func matches(pattern, s string) bool {
	ok, err := regexp.MatchString(pattern, s)
	return ok && err == nil
}

func sorted[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
