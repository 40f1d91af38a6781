package safetext

import (
	"path"
	"slices"
	"strings"
)

// IsPath reports whether v is an absolute path of letters, digits, -._~ and the characters of besides. Such a path
// cannot contain spaces, or characters with a meaning in a URL or for HolmesGPT.
func IsPath(v, besides string) bool {
	strange := func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') &&
			!strings.ContainsRune("/-._~"+besides, r)
	}
	return strings.HasPrefix(v, "/") && !strings.ContainsFunc(v, strange)
}

// MaxPath is the largest length in bytes of a path that a stranger chooses. The agent reads such paths.
const MaxPath = 128

// PlainPath reports whether v is an absolute path of the characters of base paths and those of besides. The agent reads
// base paths, so no other text is allowed in them.
func PlainPath(v, besides string) bool {
	return len(v) <= MaxPath && !strings.HasPrefix(v, "//") && IsPath(v, ":"+besides)
}

// BasePath checks a base path and removes its trailing slash: HolmesGPT's Loki and Tempo toolsets fail with one.
func BasePath(v string) (base string, ok bool) {
	if !PlainPath(v, "") || slices.Contains(strings.Split(v, "/"), "..") {
		return "", false
	}
	return strings.TrimRight(path.Clean(v), "/"), true
}
