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

// bar describes what refuses a request before it reaches the backend. The zero bar refuses nothing.
type bar struct {
	outcome backend.Outcome
	kinds   []backend.Kind // for auth-required: the kinds of credentials that the response names
	mesh    string         // the service mesh that refuses, or that may be the one
}

// barred returns what refused the request, if the response shows it. A status that the check expects shows nothing,
// unless it comes with a page on which people sign in.
func (a *answer) barred(expected bool) bar {
	switch {
	case a.away != nil && leadsToLogin(a.away, a.asked), a.status < 400 && a.page().signIn:
		return bar{outcome: backend.LoginRequired}
	case expected:
		return bar{}
	case a.status == http.StatusUnauthorized && a.mentions(noOrgID):
		return wants(backend.KindTenant)
	case a.status == http.StatusUnauthorized:
		return wants(a.challenges()...)
	case a.status == http.StatusForbidden:
		return a.forbidding()
	case a.status == http.StatusBadRequest && a.mentions(nginxWantsCertificate):
		return wants(backend.KindCertificate)
	}
	return bar{}
}

const (
	// noOrgID is the text of Mimir, Cortex, Loki and Tempo for a request without a tenant.
	noOrgID = "no org id"
	// nginxWantsCertificate is nginx's text for a client without a certificate, with the status 400.
	// https://nginx.org/en/docs/http/ngx_http_ssl_module.html#ssl_verify_client
	nginxWantsCertificate = "no required ssl certificate was sent"
)

func wants(kinds ...backend.Kind) bar {
	return bar{outcome: backend.AuthRequired, kinds: kinds}
}

// seen returns what the probe has seen if the bar gave the response why.
func (b bar) seen(code backend.Code, t *catalog.Type, why *backend.Answer) backend.Seen {
	return backend.Seen{Code: code, Type: t.Title, Value: b.mesh, Answer: why}
}

// challenges returns the kinds of credentials that WWW-Authenticate names, each once. One header may name several: a
// scheme is a word at the beginning or after a comma, and no "=" follows it.
func (a *answer) challenges() (kinds []backend.Kind) {
	for part := range strings.SplitSeq(cut(strings.Join(a.header.Values("WWW-Authenticate"), ","), maxText), ",") {
		scheme, rest, _ := strings.Cut(strings.TrimSpace(part), " ")
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

// forbidding returns what a 403 means. It requires credentials only if the response says so.
func (a *answer) forbidding() bar {
	mesh, kinds := a.mesh(), a.challenges()
	switch {
	case mesh != "":
		return bar{outcome: backend.ForbiddenByMesh, mesh: mesh}
	case a.page().signIn:
		return bar{outcome: backend.LoginRequired}
	case len(kinds) > 0:
		return wants(kinds...)
	case a.mentions(noOrgID):
		return wants(backend.KindTenant)
	case asksToLogIn(string(a.start())), a.mentions(
		"credential", "unauthenticated", "not authenticated", "authentication", "system:anonymous", "bearer token",
		"missing token", "api key", "apikey", "not logged in",
		// Grafana, OpenSearch and Elasticsearch:
		"additional permissions", "no permissions for", "is unauthorized for user",
	):
		return wants()
	case len(bytes.TrimSpace(a.head())) == 0 && a.header.Get("Server") == "": // like a policy of Linkerd
		return bar{outcome: backend.Forbidden, mesh: backend.MeshLinkerd}
	}
	return bar{outcome: backend.Forbidden}
}

// mesh returns the service mesh that sent the response because of a policy, "" if none did.
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

// wants returns the kind of credential to give to a backend of type t, "" if the response names none. If it names
// several, the first one counts for which the type's toolset has a field.
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

// refusal returns the response with the challenge of what refused the request.
func (a *answer) refusal() *backend.Answer {
	shown := *a.shown
	shown.Challenge = clean(a.text("WWW-Authenticate"))
	return &shown
}

// start returns the part of the body that may say what the client lacks.
func (a *answer) start() []byte { return a.body[:min(len(a.body), 4<<10)] }

// mentions reports whether the body has one of the texts near its beginning. The texts are in lower case.
func (a *answer) mentions(texts ...string) bool {
	lower := small(a.start())
	return slices.ContainsFunc(texts, func(text string) bool { return bytes.Contains(lower, []byte(text)) })
}

func asksToLogIn(text string) bool { return slices.Contains(loginWords(text), "login") }

// loginWords returns the words of a text in lower case. It returns the word "login" for each way to write "log in" and
// "sign in".
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

// maxLoginPath is the number of bytes of a redirect's path that leadsToLogin reads. The path to a page on which people
// sign in is short; a stranger's path may be long.
const maxLoginPath = 1 << 10

// leadsToLogin reports whether a redirect to another host leads to a page on which people sign in. A word in its host
// or path shows this, or a parameter of OpenID Connect or SAML. A redirect to the requested path is no login: the
// backend has only moved.
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
