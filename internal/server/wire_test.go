package server

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"kubernaut.io/dynamic-toolset/internal/controller"
)

// guard lets the token "good" do what may says.
type guard struct {
	may func(Right) error
}

func (g guard) Authorize(_ context.Context, token string, a Right) (string, error) {
	if token == "" {
		return "", fmt.Errorf("%w: no token", ErrUnauthenticated)
	}
	return "jane", g.may(a)
}

func TestWhoMayAsk(t *testing.T) {
	t.Attr("req", "DTS-API-2 DTS-API-3")
	var asked Right
	var say error
	f := start(t, func(o *Options) {
		o.Authorizer = guard{func(a Right) error { asked = a; return say }}
	})
	const token = "Bearer good"
	for _, c := range []struct{ method, path, verb, resource string }{
		{"GET", "/api/v1/status", "get", "toolsets"},
		{"GET", "/api/v1/toolsets", "list", "toolsets"},
		{"GET", "/api/v1/toolsets/prometheus/metrics", "get", "toolsets"},
		{"GET", "/api/v1/services", "list", "services"},
		{"GET", "/api/v1/services/monitoring/grafana", "get", "services"},
		{"POST", "/api/v1/discover", "create", "discoveries"},
		{"GET", "/api/v1/document", "get", "toolsets"},
		{"GET", "/api/v1/changes", "list", "toolsets"},
		{"HEAD", "/api/v1/stream", "watch", "toolsets"},
	} {
		say = nil
		if a := f.ask(t, c.method, c.path, nil, "Authorization", token); a.code != http.StatusOK {
			t.Errorf("%s: %d: %s", c.path, a.code, a.body)
		}
		if want := (Right{Verb: c.verb, Resource: c.resource}); asked != want {
			t.Errorf("%s: asked for %+v, want %+v", c.path, asked, want)
		}
		if c.method == http.MethodHead {
			continue
		}
		a := f.ask(t, c.method, c.path, nil)
		isProblem(t, a, http.StatusUnauthorized)
		if !strings.HasPrefix(a.header.Get("WWW-Authenticate"), "Bearer") {
			t.Errorf("%s: WWW-Authenticate %q", c.path, a.header.Get("WWW-Authenticate"))
		}
		for err, code := range map[error]int{
			ErrForbidden: http.StatusForbidden, ErrUnavailable: http.StatusServiceUnavailable, ErrBusy: http.StatusTooManyRequests,
		} {
			say = err
			a := f.ask(t, c.method, c.path, nil, "Authorization", token)
			isProblem(t, a, code)
			if wait := a.header.Get("Retry-After"); (wait == "") != errors.Is(err, ErrForbidden) {
				t.Errorf("%s: %v: Retry-After %q", c.path, err, wait)
			}
		}
	}
	say = nil
	if s := decode[Status](t, f.get(t, "/api/v1/status", "Authorization", token)); !s.Authenticated {
		t.Error("the answer for a known user does not say so")
	}
	// Open to everybody, and nothing is told by what is not there.
	for path, code := range map[string]int{"/openapi.json": 200, "/page": 200, "/api/v1/nothing": 404, "/api/v2/status": 404, "/nothing": 404} {
		if a := f.get(t, path); a.code != code {
			t.Errorf("%s: %d, want %d", path, a.code, code)
		}
	}
	// Who may not ask learns nothing about the rest of the request.
	isProblem(t, f.get(t, "/api/v1/services?nonsense=1", "Accept", "text/html"), http.StatusUnauthorized)
}

func TestBadFilters(t *testing.T) {
	t.Attr("req", "DTS-API-2")
	f := start(t)
	token := string(decode[ToolsetList](t, f.get(t, "/api/v1/toolsets?limit=1")).Continue)
	for _, c := range []struct {
		path string
		want []string // location and a part of the message, in order
	}{
		{"/api/v1/services?verdic=accepted", []string{"query.verdic", "unknown"}},
		{"/api/v1/services?verdict=good", []string{"query.verdict", "accepted, unavailable, duplicate, unconfirmed, rejected"}},
		{"/api/v1/services?healthy=maybe", []string{"query.healthy", "true or false"}},
		{"/api/v1/services?limit=0", []string{"query.limit", ">= 1"}},
		{"/api/v1/services?limit=501", []string{"query.limit", "<= 500"}},
		{"/api/v1/services?limit=ten", []string{"query.limit", "a whole number"}},
		{"/api/v1/services?limit=99999999999999999999", []string{"query.limit", "a whole number"}},
		{"/api/v1/services?namespace=Not_One", []string{"query.namespace", "namespace"}},
		{"/api/v1/services?continue=garbage", []string{"query.continue", "from a response of this list"}},
		{"/api/v1/services?continue=" + token, []string{"query.continue", "from a response of this list"}}, // of another list
		{"/api/v1/services?search=" + strings.Repeat("x", 201), []string{"query.search", "200"}},
		{"/api/v1/services?limit=0&healthy=x", []string{"query.healthy", "", "query.limit", ""}},
		{"/api/v1/toolsets?enabled=2", []string{"query.enabled", ""}},
		{"/api/v1/changes?since=-1", []string{"query.since", ""}},
		{"/api/v1/status?x=1", []string{"query.x", "unknown"}},
		{"/api/v1/services/monitoring/grafana?x=1", []string{"query.x", "unknown"}},
	} {
		p := isProblem(t, f.get(t, c.path), http.StatusBadRequest)
		if len(p.Errors) != len(c.want)/2 {
			t.Errorf("%s: %+v", c.path, p.Errors)
			continue
		}
		for i, e := range p.Errors {
			if e.Location != c.want[2*i] || !strings.Contains(e.Message, c.want[2*i+1]) {
				t.Errorf("%s: %+v, want %s: %s", c.path, e, c.want[2*i], c.want[2*i+1])
			}
		}
	}
}

// A filter that would not be applied is refused: the answer would look as if it were.
func TestBadQueries(t *testing.T) {
	t.Attr("req", "DTS-API-2")
	f := start(t)
	for _, path := range []string{"/api/v1/services", "/api/v1/toolsets", "/api/v1/changes", "/api/v1/status"} {
		for query, want := range map[string]string{
			"type=%zz": `"%zz"`, "%": "escape", "type=loki;limit=1": "semicolon", "type=loki&type=tempo": `"type" is given 2 times`,
			"limit=1&limit=2": `"limit" is given 2 times`, "a%0Ab&a%0Ab": `"a\nb"`,
		} {
			if p := isProblem(t, f.get(t, path+"?"+query), http.StatusBadRequest); !strings.Contains(p.Detail, want) {
				t.Errorf("%s?%s: %s", path, query, p.Detail)
			}
		}
	}
}

func TestMethods(t *testing.T) {
	t.Attr("req", "DTS-API-2")
	f := start(t)
	for path, allow := range map[string]string{
		"/api/v1/status": "GET, HEAD", "/api/v1/toolsets": "GET, HEAD", "/api/v1/toolsets/a/b": "GET, HEAD",
		"/api/v1/services": "GET, HEAD", "/api/v1/services/a/b": "GET, HEAD", "/api/v1/document": "GET, HEAD",
		"/api/v1/changes": "GET, HEAD", "/api/v1/stream": "GET, HEAD", "/openapi.json": "GET, HEAD", "/api/v1/discover": "POST",
		"/page": "GET, HEAD", // not the API's own
	} {
		for _, method := range []string{"GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "BREW"} {
			if strings.Contains(allow, method) {
				continue
			}
			a := f.ask(t, method, path, nil)
			isProblem(t, a, http.StatusMethodNotAllowed)
			if a.header.Get("Allow") != allow {
				t.Errorf("%s %s: Allow %q, want %q", method, path, a.header.Get("Allow"), allow)
			}
		}
	}
}

func TestHead(t *testing.T) {
	t.Attr("req", "DTS-API-2")
	f := start(t)
	for _, path := range []string{"/api/v1/status", "/api/v1/services", "/api/v1/toolsets/prometheus/metrics", "/api/v1/document", "/api/v1/stream", "/openapi.json"} {
		head := f.ask(t, http.MethodHead, path, nil, "Accept-Encoding", "identity")
		if head.code != http.StatusOK || head.body != "" {
			t.Errorf("%s: %d %q", path, head.code, head.body)
		}
	}
	if a := f.ask(t, http.MethodHead, "/api/v1/toolsets/nothing", nil); a.code != http.StatusNotFound {
		t.Errorf("HEAD of nothing: %d", a.code)
	}
}

func TestMediaTypes(t *testing.T) {
	t.Attr("req", "DTS-API-2")
	f := start(t)
	for accept, code := range map[string]int{
		"": 200, "*/*": 200, "application/json": 200, "application/*": 200, "text/html, application/json;q=0.1": 200,
		"APPLICATION/JSON; charset=utf-8": 200, "text/html": 406, "application/xml;q=1, text/*": 406,
	} {
		a := f.get(t, "/api/v1/status", "Accept", accept)
		if a.code != code {
			t.Errorf("Accept %q: %d, want %d", accept, a.code, code)
		}
		if code == http.StatusNotAcceptable {
			isProblem(t, a, code)
		}
	}
	isProblem(t, f.get(t, "/api/v1/stream", "Accept", "application/json"), http.StatusNotAcceptable)
	for _, c := range []struct {
		media, body string
		code        int
	}{
		{"", "", 200}, {"text/plain", "", 200}, {"application/json", "{}", 200}, {"application/json; charset=utf-8", "{}", 200},
		{"", "{}", 415}, {"text/plain", "{}", 415}, {"application/x-www-form-urlencoded", "a=b", 415}, {"///", "{}", 415},
	} {
		body := io.Reader(strings.NewReader(c.body))
		for _, chunked := range []bool{false, true} {
			if chunked { // of a length that nobody says
				body = io.MultiReader(strings.NewReader(c.body))
			}
			headers := []string{}
			if c.media != "" {
				headers = append(headers, "Content-Type", c.media)
			}
			a := f.ask(t, http.MethodPost, "/api/v1/discover", body, headers...)
			if a.code != c.code {
				t.Errorf("%q, %d bytes: %d, want %d: %s", c.media, len(c.body), a.code, c.code, a.body)
			}
			if c.code != http.StatusOK {
				isProblem(t, a, c.code)
			}
		}
	}
}

func TestBeforeTheFirstDiscovery(t *testing.T) {
	t.Attr("req", "DTS-API-2")
	f := start(t)
	for _, s := range []*controller.Snapshot{nil, {}} {
		f.state.set(s)
		for _, path := range []string{"status", "services", "services/a/b", "toolsets", "toolsets/a", "document", "changes", "stream"} {
			a := f.get(t, "/api/v1/"+path)
			isProblem(t, a, http.StatusServiceUnavailable)
			if a.header.Get("Retry-After") == "" {
				t.Errorf("%s: no Retry-After", path)
			}
		}
		isProblem(t, f.ask(t, http.MethodPost, "/api/v1/discover", nil), http.StatusServiceUnavailable)
		if a := f.get(t, "/openapi.json"); a.code != http.StatusOK {
			t.Errorf("openapi.json: %d", a.code)
		}
	}
}

// A page of another site cannot make a browser start something.
func TestOtherSites(t *testing.T) {
	t.Attr("req", "DTS-SEC-3")
	f := start(t)
	isProblem(t, f.ask(t, http.MethodPost, "/api/v1/discover", nil, "Sec-Fetch-Site", "cross-site"), http.StatusForbidden)
	isProblem(t, f.ask(t, http.MethodPost, "/api/v1/discover", nil, "Origin", "https://evil.example"), http.StatusForbidden)
	for _, own := range [][]string{nil, {"Sec-Fetch-Site", "same-origin"}, {"Origin", f.url}} {
		if a := f.ask(t, http.MethodPost, "/api/v1/discover", nil, own...); a.code != http.StatusOK {
			t.Errorf("%v: %d", own, a.code)
		}
	}
}
