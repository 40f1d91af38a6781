package yamlfile

import (
	"slices"
	"strings"
)

// Nearest is the one of known that a misspelt word most likely means, or "".
func Nearest(word string, known []string) string {
	best, least := "", 1+max(1, len(word)/3)
	for _, k := range slices.Sorted(slices.Values(known)) {
		if fold(k) == fold(word) {
			return k
		}
		if d := distance(fold(word), fold(k)); d < least {
			best, least = k, d
		}
	}
	if best != "" {
		return best
	}
	for _, k := range slices.Sorted(slices.Values(known)) { // cert for certFile, healthCheck for health
		short, long := fold(word), fold(k)
		if len(short) > len(long) {
			short, long = long, short
		}
		if len(short) >= 4 && strings.HasPrefix(long, short) {
			return k
		}
	}
	return ""
}

// fold removes what differs between the ways to write a key: config_map, config-map, ConfigMap.
func fold(s string) string {
	return strings.ToLower(strings.NewReplacer("_", "", "-", "").Replace(s))
}

// distance counts the letters to insert, remove, replace or swap with their neighbour to get from a to b.
func distance(a, b string) int {
	const tooLong = 64
	if len(a) > tooLong || len(b) > tooLong {
		return tooLong
	}
	before, last, row := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range last {
		last[j] = j
	}
	for i := 1; i <= len(a); i++ {
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			row[j] = min(last[j]+1, row[j-1]+1, last[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, last, row = last, row, before
	}
	return last[len(b)]
}

// unknown says that a key is not known, and which it may have meant.
func unknown(key string, known []string) string {
	if len(known) == 0 {
		return "unknown key; none may stand here"
	}
	if k := Nearest(key, known); k != "" {
		return `unknown key; did you mean "` + k + `"?`
	}
	return "unknown key; expected one of " + strings.Join(known, ", ")
}
