package safetext

import (
	"path"
	"slices"
	"strings"
)

// IsPath reports whether v is an absolute path of letters, digits, -._~ and what else is named: there is no room in it for
// words with blanks between them, nor for what a URL or HolmesGPT gives a meaning.
func IsPath(v, besides string) bool {
	strange := func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && !strings.ContainsRune("/-._~"+besides, r)
	}
	return strings.HasPrefix(v, "/") && !strings.ContainsFunc(v, strange)
}

// MaxPath is how long a path may be that strangers choose, in bytes: the agent reads it.
const MaxPath = 128

// PlainPath reports whether v is an absolute path of the characters that base paths have, and what else is named. The agent reads
// base paths, so that there is no room in them for anything else.
func PlainPath(v, besides string) bool {
	return len(v) <= MaxPath && !strings.HasPrefix(v, "//") && IsPath(v, ":"+besides)
}

// BasePath checks a base path and takes its trailing slash off: HolmesGPT's Loki and Tempo toolsets break on one.
func BasePath(v string) (base string, ok bool) {
	if !PlainPath(v, "") || slices.Contains(strings.Split(v, "/"), "..") {
		return "", false
	}
	return strings.TrimRight(path.Clean(v), "/"), true
}
