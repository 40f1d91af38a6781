package yamlfile

import (
	"strings"

	yaml "go.yaml.in/yaml/v3"
)

const notShown = "a text (not shown)"

// visibility says what errors may show of a value and its key. A secret in the wrong place may be a key too, so keys
// below a secret are hidden, unless they are known names.
type visibility struct {
	secret bool // the value is at or below a secret
	tree   bool // there is no schema, so any value may be a secret
	hidden bool // the key may be a secret
}

// enter passes the visibility of v on to its member m, which the schema knows.
func (f *File) enter(v, m *value) {
	m.reached, m.visibility = true, v.visibility
	m.hidden = m.key != nil && v.secret && (f.known == nil || !f.known(m.key.Value))
}

// namesSecret reports whether a key in a tree without a schema is named like a secret, or like what may hold one.
func namesSecret(key string) bool {
	key = strings.ToLower(key)
	return SecretName(key) || strings.Contains(key, "header") || strings.Contains(key, "auth")
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
