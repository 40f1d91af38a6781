package yamlfile

import (
	"strings"

	yaml "go.yaml.in/yaml/v3"
)

const notShown = "a text (not shown)"

// visibility says what errors may show of a value and its key. A secret in the wrong place may be a key too, so keys
// that are not known names are hidden.
type visibility struct {
	secret bool // the value is at or below a secret
	tree   bool // there is no schema, so any value may be a secret
	hidden bool // the key may be a secret
	// name reports whether a key below a secret is a name. If it is nil, no key is.
	name func(key *value) bool
}

// enter passes the visibility of v on to its member m, which the schema knows.
func (v *value) enter(m *value) {
	m.reached, m.visibility = true, v.visibility
	m.hidden = m.key != nil && v.secret && (v.name == nil || !v.name(m))
}

// conceal makes v a secret. Keys below it are shown only if they are names.
func (v *value) conceal(name func(key *value) bool) {
	if !v.secret || v.name != nil {
		v.secret, v.name = true, name
	}
}

// concealByName makes v a secret if its key is named like one. Below headers and auth, errors show short keys that have
// a value.
func (v *value) concealByName() {
	key := strings.ToLower(v.key.Value)
	switch {
	case SecretName(key):
		v.conceal(nil)
	case strings.Contains(key, "header"), strings.Contains(key, "auth"):
		v.conceal(func(m *value) bool { return isName(m.key.Value) && !isNull(m.node) })
	}
}

// found describes a node at v, without its text if that may be a secret.
func (v *value) found(n *yaml.Node) string {
	switch {
	case n.Kind == yaml.MappingNode:
		return "a mapping"
	case n.Kind == yaml.SequenceNode:
		return "a list"
	case isNull(n):
		return "nothing"
	case n.Kind == 0: // see cut
		return n.Value
	case v.secret, v.tree:
		return notShown
	}
	return Quote(n.Value)
}

// SecretName reports whether a key is named like a secret in HolmesGPT's configuration or in HTTP headers.
func SecretName(key string) bool {
	key = strings.NewReplacer("-", "", "_", "").Replace(strings.ToLower(key))
	for _, word := range []string{
		"passw", "passphrase", "username", "token", "apikey", "accesskey", "privatekey", "sharedkey", "authkey",
		"secret", "bearer", "jwt", "authorization", "cookie", "credential", "clientcert", "clientkey", "basicauth",
	} {
		if strings.Contains(key, word) {
			return true
		}
	}
	return false
}

func isName(key string) bool {
	const longest = 32
	return len(key) <= longest && !strings.ContainsFunc(key, func(r rune) bool {
		letter := r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9'
		return !letter && r != '-' && r != '_' && r != '.'
	})
}
