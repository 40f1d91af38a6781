package yamlfile

import (
	"strings"

	yaml "go.yaml.in/yaml/v3"
)

// A secret that a person put in the wrong place may be a value or a key: what is known to be neither is shown.
const (
	notShown    = "a text (not shown)"
	keyNotShown = "(key not shown)"
)

// names says which keys below a secret are shown: those that cannot be one themselves. nil: none.
type names func(key string, empty bool) bool

// hidden is a step of a path at or below a secret.
type hidden struct {
	above string // the path above it
	step  string // as it continues that path; only of an item of a list
	key   string
	empty bool  // there is no value
	known bool  // the key is one of the schema
	names names // for any other key
}

// Names says which keys below a secret may be shown in errors, because they are names that are known; by itself none is.
func (f *File) Names(known func(key string) bool) {
	f.names = func(key string, _ bool) bool { return known(key) }
}

// Found is a value as errors show it: quoted, and not at all where path is at or below a secret.
func (f *File) Found(path, value string) string {
	if _, secret := f.secret(path); secret {
		return notShown
	}
	return Quote(value)
}

// hide notes that c, below a, is at or below a secret. key is nil for an item of a list.
func (f *File) hide(c, a at, key *yaml.Node) {
	h := hidden{above: a.path, empty: isNull(c.node), known: !a.secret, names: a.names}
	if key == nil {
		h.step = strings.TrimPrefix(c.path, a.path)
	} else {
		h.key = key.Value
	}
	f.hidden[c.path] = h
}

// reveal shows the key that leads to a path, since it is one of the schema.
func (f *File) reveal(path string) {
	if h, ok := f.hidden[path]; ok {
		h.known = true
		f.hidden[path] = h
	}
}

// show is a path as errors name it.
func (f *File) show(path string) string {
	path, secret := f.secret(path)
	if !secret {
		return path
	}
	h := f.hidden[path]
	above := f.show(h.above)
	switch {
	case h.step != "":
		return above + h.step
	case h.known, h.names != nil && h.names(h.key, h.empty):
		return Key(above, h.key)
	}
	return below(above, keyNotShown)
}

// secret says whether a path is at or below a secret; then it is cut to what the file has of it.
func (f *File) secret(path string) (string, bool) {
	for at := path; at != ""; at = parent(at) {
		if _, ok := f.hidden[at]; ok {
			return at, true
		}
		if _, ok := f.places[at]; ok {
			break
		}
	}
	return path, false
}

func below(path, step string) string {
	if path == "" {
		return step
	}
	return path + "." + step
}

// SecretName says whether a key sounds like that of a secret, by what HolmesGPT's configs, and HTTP headers, call them.
func SecretName(key string) bool {
	key = strings.NewReplacer("-", "", "_", "").Replace(strings.ToLower(key))
	for _, word := range []string{
		"passw", "passphrase", "username", "token", "apikey", "accesskey", "privatekey", "sharedkey", "authkey", "secret", "bearer",
		"jwt", "authorization", "cookie", "credential", "clientcert", "clientkey", "basicauth",
	} {
		if strings.Contains(key, word) {
			return true
		}
	}
	return false
}

// namesBelow says whether a key of a schemaless tree sounds like that of secrets, and which keys below it are shown
// nevertheless. What is called headers or auth holds secrets under names, which have a value and are short.
func namesBelow(key string) (below names, secret bool) {
	lower := strings.ToLower(key)
	switch {
	case SecretName(key):
		return nil, true
	case strings.Contains(lower, "header"), strings.Contains(lower, "auth"):
		return func(key string, empty bool) bool { return isName(key) && !empty }, true
	}
	return nil, false
}

func isName(key string) bool {
	const longest = 32
	return len(key) <= longest && !strings.ContainsFunc(key, func(r rune) bool {
		letter := r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9'
		return !letter && r != '-' && r != '_' && r != '.'
	})
}
