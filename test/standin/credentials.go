package standin

import (
	"crypto/subtle"
	"net/http"
)

// Credentials are what a backend wants to see; any one of those given is accepted. The zero value wants none.
type Credentials struct {
	Bearer             string // Authorization: Bearer …
	APIKey             string // Authorization: ApiKey …, as Elasticsearch has it
	Username, Password string // Authorization: Basic …
	Header, Value      string // a header of the owner's own
}

func (c Credentials) wanted() bool { return c != Credentials{} }

func (c Credentials) accept(r *http.Request) bool {
	auth := r.Header.Get("Authorization")
	if c.Bearer != "" && same(auth, "Bearer "+c.Bearer) {
		return true
	}
	if c.APIKey != "" && same(auth, "ApiKey "+c.APIKey) {
		return true
	}
	if user, password, ok := r.BasicAuth(); ok && c.Username != "" && same(user, c.Username) && same(password, c.Password) {
		return true
	}
	return c.Header != "" && same(r.Header.Get(c.Header), c.Value)
}

func same(a, b string) bool { return subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1 }

// challenge is a 401 with its WWW-Authenticate headers.
func challenge(h http.HandlerFunc, schemes ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		for _, s := range schemes {
			w.Header().Add("WWW-Authenticate", s)
		}
		h(w, r)
	}
}
