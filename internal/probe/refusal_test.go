package probe

import (
	"net"
	"net/http"
	"testing"

	"kubernaut.io/dynamic-toolset/internal/backend"
)

// The probe distinguishes what refuses a request by the response (DTS-PRB-8).
func TestRefusals(t *testing.T) {
	t.Attr("req", "DTS-PRB-8")
	challenge := func(values ...string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			for _, v := range values {
				w.Header().Add("WWW-Authenticate", v)
			}
			w.WriteHeader(http.StatusUnauthorized)
		}
	}
	says := func(status int, body string, header ...string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			for i := 0; i < len(header); i += 2 {
				w.Header().Set(header[i], header[i+1])
			}
			reply{status: status, body: body}.write(w)
		}
	}
	leads := func(to string) http.HandlerFunc { return says(302, "", "Location", to) }
	const signIn = `<!DOCTYPE html><html><head><title>Sign In</title></head><body><form action="/oauth2/start"></form></body></html>`
	auth, forbidden, mesh, login := backend.AuthRequired, backend.Forbidden, backend.ForbiddenByMesh, backend.LoginRequired
	tests := []struct {
		name   string
		typ    string
		answer http.HandlerFunc
		want   backend.Outcome
		wants  backend.Kind
		detail string
	}{
		{"basic", "prometheus", challenge(`Basic realm="Restricted"`), auth, backend.KindBasic, "username and a password"},
		{"basic before Loki", "loki", challenge(`Basic realm="Restricted"`), auth, backend.KindBasic, "username and a password"},
		{"basic before Elasticsearch", "elasticsearch", challenge(`basic realm="x", charset="UTF-8"`), auth, backend.KindBasic, ""},
		{"bearer", "prometheus", challenge(`Bearer realm="x", error="invalid_token"`), auth, backend.KindBearer, "a token"},
		{"bearer alone", "grafana", challenge("Bearer"), auth, backend.KindBearer, ""},
		{"several headers", "elasticsearch", challenge(`Basic realm="security", charset="UTF-8"`, `Bearer realm="security"`, "ApiKey"), auth, backend.KindAPIKey, "an API key"},
		{"several in one", "prometheus", challenge(`Basic realm="a, b=c", Bearer realm="x"`), auth, backend.KindBearer, ""},
		{"one that has no place", "grafana", challenge("Negotiate"), auth, backend.KindOther, "cannot send"},
		{"none named", "prometheus", says(401, "{}"), auth, "", "requires credentials"},
		{"a tenant", "loki", says(401, "no org id\n"), auth, backend.KindTenant, "X-Scope-OrgID"},
		{"a tenant of Tempo", "tempo", says(401, "no org id"), auth, backend.KindTenant, ""},
		{"403 with a challenge", "prometheus", says(403, "", "WWW-Authenticate", "Basic"), auth, backend.KindBasic, ""},
		{"403 that names credentials", "prometheus", says(403, `{"message":"no credentials were given"}`), auth, "", ""},
		{"403 of nobody", "prometheus", says(403, `User "system:anonymous" cannot get path "/api"`), auth, "", ""},
		{"403 of an anonymous viewer", "grafana", says(403, `{"accessErrorId":"ACE0","message":"You'll need additional permissions to perform this action. Permissions needed: folders:read","title":"Access denied"}`), auth, "", ""},
		{"403 of an anonymous user", "opensearch", says(403, `{"error":{"type":"security_exception","reason":"no permissions for [cluster:monitor/main] and User [name=opendistro_security_anonymous]"},"status":403}`), auth, "", ""},
		{"403 of Elasticsearch's", "elasticsearch", says(403, `{"error":{"type":"security_exception","reason":"action [cluster:monitor/main] is unauthorized for user [_anonymous]"},"status":403}`), auth, "", ""},
		{"403 of Apache", "prometheus", says(403, "You don't have permission to access this resource.", "Server", "Apache"), forbidden, "", ""},
		{"a certificate", "prometheus", says(400, "<html><title>400 No required SSL certificate was sent</title></html>"), auth, backend.KindCertificate, "client certificate"},
		{"403 of a server", "prometheus", says(403, "<html><title>403 Forbidden</title></html>", "Server", "nginx"), forbidden, "", "403 Forbidden"},
		{"403 without a word", "prometheus", says(403, ""), forbidden, "", "Linkerd"},
		{"403 of a catalog", "prometheus", says(403, "Catalog index: no", "Server", "nginx"), forbidden, "", ""},
		{"403 that asks to log in", "prometheus", says(403, "please log in"), auth, "", ""},
		{"Envoy", "prometheus", says(403, "RBAC: access denied", "Server", "envoy"), mesh, "", "Envoy"},
		{"Istio", "grafana", says(403, "RBAC: access denied", "Server", "istio-envoy"), mesh, "", "Istio"},
		{"Linkerd", "prometheus", says(403, "", "L5d-Proxy-Error", "unauthorized request on route"), mesh, "", "Linkerd"},
		{"Cilium", "prometheus", says(403, "Access denied\r\n", "Server", "envoy"), mesh, "", "Cilium"},
		{"a login elsewhere", "prometheus", leads("https://sso.example.org/realms/x/protocol/openid-connect/auth?client_id=a&redirect_uri=b"), login, "", "sign in"},
		{"a login by its host", "grafana", leads("https://login.example.org/"), login, "", "login.example.org"},
		{"a login by its path", "jaeger", leads("https://public.example.org/oauth2/sign_in?rd=%2F"), login, "", ""},
		{"a sign-in page", "prometheus", says(200, signIn), login, "", "Sign In"},
		{"a sign-in page with 403", "prometheus", says(403, signIn), login, "", ""},
		{"a form for a password", "kibana", says(200, `<html><form><input name=p type="password"></form></html>`), login, "", ""},
		{"a login here that leads on", "prometheus", func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/oauth2/start" {
				http.Redirect(w, r, "https://login.example.org/authorize", http.StatusFound)
				return
			}
			http.Redirect(w, r, "/oauth2/start", http.StatusFound)
		}, login, "", ""},
		{"a page to log on", "prometheus", says(200, `<html><title>Log-On | Example</title></html>`), login, "", ""},
		{"a login named in one word", "prometheus", says(200, `<html><title>Example SignIn</title></html>`), login, "", ""},
		{"a login elsewhere that names where to return", "prometheus", leads("https://auth.example.org/?rd=https%3A%2F%2Fx"), login, "", ""},
		// None of these.
		{"an index of a catalog", "prometheus", says(200, "<html><title>Catalog Index</title></html>"), backend.WrongIdentity, "", ""},
		{"a blog", "prometheus", says(200, "<html><title>Blog Intro</title></html>"), backend.WrongIdentity, "", ""},
		{"logs", "prometheus", says(200, "<html><title>Log Insights</title></html>"), backend.WrongIdentity, "", ""},
		{"its own address, whose host has a word of logins", "prometheus", func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "https://prom.auth.example.org"+r.URL.Path, http.StatusMovedPermanently)
		}, backend.WrongIdentity, "", "prom.auth.example.org"},
		{"another host", "prometheus", leads("https://public.example.org/"), backend.WrongIdentity, "", "public.example.org"},
		{"an author", "prometheus", leads("https://public.example.org/authors"), backend.WrongIdentity, "", ""},
		{"a page", "prometheus", says(200, "<html><title>Welcome</title><p>type=password</html>"), backend.WrongIdentity, "", ""},
		{"400", "prometheus", says(400, "no"), backend.WrongIdentity, "", ""},
	}
	p := newProber(t, Options{})
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := p.Probe(t.Context(), serve(t, lookupType(t, tt.typ), tt.answer))
			expect(t, got, observed{Outcome: tt.want, Scheme: "http", Path: got.Path, Detail: tt.detail})
			harmless(t, got)
			if got.Wants != tt.wants {
				t.Errorf("it wants %q; want %q", got.Wants, tt.wants)
			}
		})
	}
}

// The same refusals, but only for queries, after the backend has proven its type.
func TestRefusedQuery(t *testing.T) {
	t.Attr("req", "DTS-PRB-8 DTS-PRB-13")
	tests := []struct {
		name   string
		answer reply
		want   observed
	}{
		{"basic", reply{status: 401, header: map[string]string{"WWW-Authenticate": "Basic"}}, observed{Outcome: backend.AuthRequired, Wants: backend.KindBasic}},
		{"mesh", reply{status: 403, body: "RBAC: access denied"}, observed{Outcome: backend.ForbiddenByMesh}},
		{"forbidden", reply{status: 403, body: "no"}, observed{Outcome: backend.Forbidden}},
		{"login", reply{status: 302, header: map[string]string{"Location": "https://login.example.org/"}}, observed{Outcome: backend.LoginRequired}},
	}
	p := newProber(t, Options{})
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := p.Probe(t.Context(), serve(t, lookupType(t, "prometheus"), prometheus.with(answers{"/api/v1/query": tt.answer})))
			want := tt.want
			want.Identity, want.Scheme, want.Version, want.Detail = true, "http", "2.53.1", "it is Prometheus and "
			expect(t, got, want)
			if got.Wants != want.Wants {
				t.Errorf("it wants %q; want %q", got.Wants, want.Wants)
			}
		})
	}
}

// If the root refuses requests, a known base path may still be open.
func TestForbiddenRoot(t *testing.T) {
	t.Attr("req", "DTS-PRB-8")
	target := serve(t, lookupType(t, "prometheus"), prometheus.below("/prometheus").with(answers{"*": {status: 403, body: "no"}}))
	expect(t, newProber(t, Options{}).Probe(t.Context(), target),
		observed{Outcome: backend.Ready, Identity: true, Scheme: "http", Version: "2.53.1", Path: "/prometheus"})
}

// A mesh that requires mutual TLS closes each connection at once, in both schemes. The probe reports that, not a wrong identity.
func TestStrictMesh(t *testing.T) {
	t.Attr("req", "DTS-PRB-3 DTS-PRB-8")
	for cause, end := range map[string]func(net.Conn){
		backend.CauseReset:  func(c net.Conn) { _, _ = c.Read(make([]byte, 1)); _ = c.(*net.TCPConn).SetLinger(0) },
		backend.CauseClosed: func(c net.Conn) { _, _ = c.Read(make([]byte, 4096)) },
	} {
		got := newProber(t, Options{}).Probe(t.Context(), raw(t, lookupType(t, "prometheus"), end))
		expect(t, got, observed{Outcome: backend.Unreachable, Cause: cause, Scheme: "http", Detail: "a service mesh that requires mutual TLS"})
	}
}
