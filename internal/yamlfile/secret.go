package yamlfile

import (
	"strings"

	yaml "go.yaml.in/yaml/v3"
)

const notShown = "a text (not shown)"

// visibility is what errors may show. A secret in the wrong place may be a key as well as a value: what is not known
// to be a name is hidden.
type visibility struct {
	secret bool // the value is at or below a secret
	tree   bool // no schema: any value may be a secret, whatever its key is
	hidden bool // the key may be a secret
	// name reports which keys below a secret are names; nil: none.
	name func(key *value) bool
}

// enter notes that the schema leads from v to m.
func (v *value) enter(m *value) {
	m.reached, m.visibility = true, v.visibility
	m.hidden = m.key != nil && v.secret && (v.name == nil || !v.name(m))
}

// conceal makes v a secret; of the keys below it names are shown.
func (v *value) conceal(name func(key *value) bool) {
	if !v.secret || v.name != nil {
		v.secret, v.name = true, name
	}
}

// concealByName makes v a secret if its key is named like one. Below headers and auth the short names that have a
// value are shown.
func (v *value) concealByName() {
	key := strings.ToLower(v.key.Value)
	switch {
	case SecretName(key):
		v.conceal(nil)
	case strings.Contains(key, "header"), strings.Contains(key, "auth"):
		v.conceal(func(m *value) bool { return isName(m.key.Value) && !isNull(m.node) })
	}
}

// found describes a node at v, as far as it may be shown.
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
