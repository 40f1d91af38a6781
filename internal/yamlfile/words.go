package yamlfile

import (
	"fmt"
	"net/netip"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// expected describes a type in YAML's words.
func expected(t reflect.Type) string {
	switch reflect.New(t).Interface().(type) {
	case *time.Duration:
		return "a duration such as 30s or 5m"
	case *netip.Prefix:
		return "a network such as 169.254.0.0/16 or fe80::/10"
	case *[]string:
		return "a list such as [a, b]"
	}
	switch t.Kind() {
	case reflect.Bool:
		return "true or false"
	case reflect.Int, reflect.Int32, reflect.Int64:
		return "a whole number"
	case reflect.Float64:
		return "a number"
	case reflect.String:
		return "a text"
	case reflect.Slice:
		if t.Elem().Kind() == reflect.String { // a type of its own, such as catalog.Values
			return "a text or a list of texts"
		}
		return "a list"
	}
	return "a value"
}

// Quote returns a value as errors show it: quoted, with control characters escaped, at most 60 characters.
func Quote(s string) string {
	const limit = 60
	if n := utf8.RuneCountInString(s); n > limit {
		return strconv.Quote(string([]rune(s)[:limit])) + fmt.Sprintf("… (%d characters)", n)
	}
	return strconv.Quote(s)
}

// unknown describes an unknown key, with the key that is probably meant or else all known ones.
func (f *File) unknown(key string, known []string) string {
	if f.full() || len(known) == 0 { // finding the nearest takes time
		return "unknown key"
	}
	if k := Nearest(key, known); k != "" {
		return `unknown key; did you mean "` + k + `"?`
	}
	return "unknown key; expected one of " + strings.Join(known, ", ")
}

// Nearest returns the one of known that a misspelt word most likely means, or "".
func Nearest(word string, known []string) string {
	word, known = fold(word), slices.Sorted(slices.Values(known))
	best, least := "", 1+max(1, len(word)/3)
	for _, k := range known {
		if d := distance(word, fold(k)); d < least {
			best, least = k, d
		}
	}
	for _, k := range known { // cert for certFile, healthCheck for health
		short, long := word, fold(k)
		if len(short) > len(long) {
			short, long = long, short
		}
		if best == "" && len(short) >= 4 && strings.HasPrefix(long, short) {
			best = k
		}
	}
	return best
}

// fold makes the ways to write a key equal: config_map, config-map, ConfigMap.
func fold(s string) string {
	return strings.ToLower(strings.NewReplacer("_", "", "-", "").Replace(s))
}

// distance returns how many letters must be inserted, removed, replaced or swapped with their neighbour to make b from
// a.
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
			replace := last[j-1]
			if a[i-1] != b[j-1] {
				replace++
			}
			row[j] = min(last[j]+1, row[j-1]+1, replace)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, last, row = last, row, before
	}
	return last[len(b)]
}
