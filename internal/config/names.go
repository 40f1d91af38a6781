package config

import (
	"maps"
	"regexp"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/util/validation"
)

// isLabel accepts names of namespaces and of backend types (RFC 1123).
func isLabel(s string) bool { return len(validation.IsDNS1123Label(s)) == 0 }

// isDomain accepts DNS names without a dot at the end, and names of ConfigMaps and Leases (RFC 1123).
func isDomain(s string) bool { return len(validation.IsDNS1123Subdomain(s)) == 0 }

// isRef accepts namespace/name of a Service.
func isRef(s string) bool {
	namespace, name, ok := strings.Cut(s, "/")
	return ok && isLabel(namespace) && isLabel(name)
}

// isToolset accepts names of toolsets. HolmesGPT rejects a whole document if one name has a dot.
func isToolset(s string) bool { return matches(`^[A-Za-z0-9_-]+(/[A-Za-z0-9_-]+)*$`, s) }

// isNamespacePattern accepts a namespace's name in which * matches any text.
func isNamespacePattern(s string) bool {
	return matches(`^[a-z0-9*]([a-z0-9*-]*[a-z0-9*])?$`, s) && len(s) <= 63
}

// isLabelValue accepts a label's value, with * at the beginning or the end for any text.
func isLabelValue(s string) bool {
	inner := strings.TrimSuffix(strings.TrimPrefix(s, "*"), "*")
	return s != "" && !strings.Contains(inner, "*") &&
		len(validation.IsValidLabelValue(strings.ReplaceAll(s, "*", "x"))) == 0
}

// isPath accepts the path of a URL with its query.
func isPath(s string) bool { return matches(`^/[A-Za-z0-9._~:/?=&,%-]*$`, s) && len(s) <= 500 }

func isField(s string) bool { return matches(`^[A-Za-z_][A-Za-z0-9_]*$`, s) }

func isVariable(s string) bool { return matches(`^[A-Z_][A-Z0-9_]*$`, s) }

func matches(pattern, s string) bool {
	ok, err := regexp.MatchString(pattern, s)
	return ok && err == nil
}

func sorted[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
