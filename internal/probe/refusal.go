package probe

import (
	"bytes"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"unicode"

	"kubernaut.io/dynamic-toolset/internal/backend"
	"kubernaut.io/dynamic-toolset/internal/catalog"
)

// bar is what stands before a backend and does not let a request through.
type bar struct {
	outcome backend.Outcome
	kinds   []backend.Kind // of credentials that it names, for auth-required
	mesh    string         // whose policy refuses, or may be what does
}

// barred says what stands before the backend, if an answer shows that something does. A status that was expected shows
// nothing, but for a page on which people sign in.
func (a *answer) barred(expected bool) (bar, bool) {
	switch {
	case a.away != nil && leadsToLogin(a.away, a.asked), a.status < 400 && a.page().signIn:
		return bar{outcome: backend.LoginRequired}, true
	case expected:
		return bar{}, false
	case a.status == http.StatusUnauthorized:
		return a.wanting(), true
	case a.status == http.StatusForbidden:
		return a.forbidding(), true
	case a.status == http.StatusBadRequest && a.mentions(nginxWantsCertificate):
		return wants(backend.KindCertificate), true
	}
	return bar{}, false
}

// nginx's words for a client that shows none, with the status 400.
// https://nginx.org/en/docs/http/ngx_http_ssl_module.html#ssl_verify_client
const nginxWantsCertificate = "no required ssl certificate was sent"

func wants(kinds ...backend.Kind) bar {
	return bar{outcome: backend.AuthRequired, kinds: kinds}
}

// seen is what it does to a request that was answered so.
func (b bar) seen(code backend.Code, t *catalog.Type, why *backend.Answer) backend.Seen {
	return backend.Seen{Code: code, Type: t.Title, Value: b.mesh, Answer: why}
}

// wanting is what a 401 means.
func (a *answer) wanting() bar {
	if a.mentions("no org id") { // Mimir, Cortex, Loki and Tempo
		return wants(backend.KindTenant)
	}
	return wants(a.challenges()...)
}

// challenges are the kinds that WWW-Authenticate names, each once. One header may name several: a scheme is a word, at
// the beginning or after a comma, that no "=" follows.
func (a *answer) challenges() (kinds []backend.Kind) {
	for part := range strings.SplitSeq(cut(strings.Join(a.header.Values("WWW-Authenticate"), ","), maxText), ",") {
		part = strings.TrimSpace(part)
		scheme, rest, _ := strings.Cut(part, " ")
		if !schemeLike(scheme) || strings.HasPrefix(strings.TrimSpace(rest), "=") {
			continue
		}
		kind := backend.KindOther
		switch strings.ToLower(scheme) {
		case "basic":
			kind = backend.KindBasic
		case "bearer":
			kind = backend.KindBearer
		case "apikey":
			kind = backend.KindAPIKey
		}
		if !slices.Contains(kinds, kind) {
			kinds = append(kinds, kind)
		}
	}
	return kinds
}

func schemeLike(word string) bool {
	letter := func(r rune) bool { return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' }
	strange := func(r rune) bool { return !letter(r) && r != '-' && (r < '0' || r > '9') }
	return word != "" && letter(rune(word[0])) && !strings.ContainsFunc(word, strange)
}

// forbidding is what a 403 means. It wants credentials only where it says so.
func (a *answer) forbidding() bar {
	if mesh := a.mesh(); mesh != "" {
		return bar{outcome: backend.ForbiddenByMesh, mesh: mesh}
	}
	if a.page().signIn {
		return bar{outcome: backend.LoginRequired}
	}
	if kinds := a.challenges(); len(kinds) > 0 {
		return wants(kinds...)
	}
	if a.mentions("no org id") {
		return wants(backend.KindTenant)
	}
	if a.mentions(
		"credential", "unauthenticated", "not authenticated", "authentication", "system:anonymous", "bearer token",
		"missing token", "api key", "apikey", "not logged in",
		// Of Grafana, OpenSearch and Elasticsearch:
		"additional permissions", "no permissions for", "is unauthorized for user",
	) {
		return wants()
	}
	if asksToLogIn(string(a.body[:min(len(a.body), 4<<10)])) {
		return wants()
	}
	if len(bytes.TrimSpace(a.head())) == 0 && a.header.Get("Server") == "" { // as Linkerd's policies answer
		return bar{outcome: backend.Forbidden, mesh: backend.MeshLinkerd}
	}
	return bar{outcome: backend.Forbidden}
}

// mesh names the service mesh whose policy gave the answer; "" for none.
func (a *answer) mesh() string {
	server := strings.ToLower(a.text("Server"))
	text := string(bytes.TrimSpace(a.body[:min(len(a.body), 8*quoted)]))
	switch {
	case a.header.Get("L5d-Proxy-Error") != "":
		return backend.MeshLinkerd
	case strings.HasPrefix(text, "RBAC: access denied") && strings.Contains(server, "istio"):
		return backend.MeshIstio
	case strings.HasPrefix(text, "RBAC: access denied"):
		return backend.MeshUnnamed
	case text == "Access denied" && server == "envoy":
		return backend.MeshCilium
	}
	return ""
}

// wants is the kind that a backend of that type should be given: of several that are named the one that the type
// usually takes, then one that HolmesGPT's toolset for it has a place for.
func (b bar) wants(t *catalog.Type) backend.Kind {
	if b.outcome != backend.AuthRequired || len(b.kinds) == 0 {
		return ""
	}
	for i := range t.Toolset.Credentials {
		if k := backend.Kind(t.Toolset.Credentials[i].Is()); slices.Contains(b.kinds, k) {
			return k
		}
	}
	return b.kinds[0]
}

// refuse enters what the last bar means for a backend that has proven its type.
func (s *session) refuse(o *backend.Observation, t *catalog.Type, why *backend.Answer) {
	o.Outcome, o.Wants, o.Seen = s.bar.outcome, s.bar.wants(t), s.bar.seen(backend.CodeRefused, t, why)
}

// refusal is the answer of what stands before a backend.
func (a *answer) refusal() *backend.Answer {
	shown := *a.show()
	shown.Challenge = clean(a.text("WWW-Authenticate"))
	return &shown
}

// mentions looks for texts in lower case near the beginning of the body.
func (a *answer) mentions(texts ...string) bool {
	lower := small(a.body[:min(len(a.body), 4<<10)])
	return slices.ContainsFunc(texts, func(text string) bool { return bytes.Contains(lower, []byte(text)) })
}

func asksToLogIn(text string) bool { return slices.Contains(loginWords(text), "login") }

// loginWords are the words of a text in lower case; each way to write "log in" or "sign in" is the word "login".
func loginWords(text string) (words []string) {
	between := func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) }
	for w := range strings.FieldsFuncSeq(strings.ToLower(text), between) {
		last := len(words) - 1
		switch {
		case (w == "in" || w == "on") && last >= 0 && (words[last] == "sign" || words[last] == "log"):
			words[last] = "login"
		case w == "signin" || w == "signon" || w == "logon":
			words = append(words, "login")
		default:
			words = append(words, w)
		}
	}
	return words
}

// maxLoginPath is how many bytes of a redirect's path are read for such a word: the path of a page to sign in at is
// short, and a stranger's may be long.
const maxLoginPath = 1 << 10

// leadsToLogin says whether a redirect to another host leads to where people sign in: by a word of its host or its
// path, or by the parameters that OpenID Connect and SAML have. What keeps the path that was asked is only moved.
func leadsToLogin(u *url.URL, asked string) bool {
	if len(u.RawQuery)+len(u.Path) > maxPage {
		return false
	}
	if strings.Contains(u.RawQuery, "client_id") || strings.Contains(u.RawQuery, "SAMLRequest") {
		q := u.Query()
		if q.Has("client_id") && (q.Has("redirect_uri") || q.Has("response_type")) || q.Has("SAMLRequest") {
			return true
		}
	}
	if path := strings.Trim(u.Path, "/"); path != "" && path == strings.Trim(asked, "/") {
		return false
	}
	for _, w := range loginWords(u.Hostname() + "/" + u.Path[:min(len(u.Path), maxLoginPath)]) {
		switch w {
		case "login", "oauth", "oauth2", "oidc", "openid", "saml", "saml2", "sso", "authorize", "auth":
			return true
		}
	}
	return false
}
