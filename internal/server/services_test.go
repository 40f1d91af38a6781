package server

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"kubernaut.io/dynamic-toolset/internal/backend"
	"kubernaut.io/dynamic-toolset/internal/view"
)

func TestServicesInOrderAndFiltered(t *testing.T) {
	t.Attr("req", "DTS-API-1")
	f := start(t)
	const (
		one, two, jaeger, grafana = "accepted:monitoring/prometheus", "accepted:team-a/prometheus", "accepted:tracing/jaeger-query", "unavailable:monitoring/grafana"
		twin, loki, catalogue     = "duplicate:monitoring/prometheus-headless", "unconfirmed:logs/loki", "rejected:shop/catalogue"
		others                    = "rejected:default/kubernetes rejected:shop/cart rejected:shop/web"
	)
	for _, c := range []struct{ query, want string }{
		{"", strings.Join([]string{one, two, jaeger, grafana, twin, loki, catalogue, others}, " ")},
		{"?type=prometheus", one + " " + two + " " + twin},
		{"?type=zipkin", ""},
		{"?namespace=shop", catalogue + " rejected:shop/cart rejected:shop/web"},
		{"?namespace=nobody", ""},
		{"?healthy=true", one + " " + jaeger},
		{"?healthy=false", two + " " + grafana},
		{"?healthy=", strings.Join([]string{one, two, jaeger, grafana, twin, loki, catalogue, others}, " ")},
		{"?verdict=unconfirmed", loki},
		{"?verdict=rejected", catalogue + " " + others},
		{"?verdict=accepted&type=prometheus&namespace=team-a&healthy=false", two},
		{"?search=JAEGER", jaeger},
		{"?search=monitoring%20headless", twin},
		{"?search=shop/c", catalogue + " rejected:shop/cart"},
		{"?search=2.0.0&verdict=unavailable", grafana},
		{"?search=svc.cluster.local:80&type=loki", loki},
		{"?search=nothing-has-this", ""},
	} {
		got := decode[ServiceList](t, f.get(t, "/api/v1/services"+c.query))
		if names(got) != c.want {
			t.Errorf("%s:\n got %s\nwant %s", c.query, names(got), c.want)
		}
		if got.Count != len(strings.Fields(c.want)) || got.Continue != "" {
			t.Errorf("%s: count %d, continue %q", c.query, got.Count, got.Continue)
		}
	}
}

// pages reads a list to its end, and calls between after each page.
func (f *fixture) pages(tb testing.TB, query string, between func()) (all []string) {
	tb.Helper()
	token := ""
	for range 1000 {
		l := decode[ServiceList](tb, f.get(tb, "/api/v1/services?"+query+"&continue="+token))
		all = append(all, strings.Fields(names(l))...)
		if l.Continue == "" {
			return all
		}
		token = string(l.Continue)
		between()
	}
	tb.Fatal("the list does not end")
	return nil
}

func TestPagesHoldEverythingOnce(t *testing.T) {
	t.Attr("req", "DTS-API-1")
	f := start(t)
	for _, query := range []string{"x=", "verdict=rejected", "namespace=monitoring", "search=o", "type=prometheus"} {
		query = strings.TrimPrefix(query, "x=")
		want := strings.Fields(names(decode[ServiceList](t, f.get(t, "/api/v1/services?"+query))))
		for limit := 1; limit <= len(want)+1; limit++ {
			got := f.pages(t, fmt.Sprintf("%s&limit=%d", query, limit), func() {})
			if d := cmp.Diff(want, got); d != "" {
				t.Errorf("%s in pages of %d: -whole +pages\n%s", query, limit, d)
			}
		}
	}
}

// The tenants of one gateway are backends of one Service and one type. Each is listed once, whatever the size of the pages.
func TestPagesHoldEachTenant(t *testing.T) {
	t.Attr("req", "DTS-API-1 DTS-DET-14")
	f := start(t)
	var all []*backend.Finding
	for _, tenant := range []string{"infrastructure", "application", "audit"} {
		one := finding("loki", "logging", "lokistack-gateway-http", backend.Accepted, backend.Ready)
		one.Candidate.Tenant, one.Candidate.Instance = tenant, one.Ref.String()+"/"+tenant
		all = append(all, one)
	}
	f.state.set(snapshot(t, all...))
	for limit := 1; limit <= 3; limit++ {
		var got []string
		for token := ""; ; {
			l := decode[ServiceList](t, f.get(t, fmt.Sprintf("/api/v1/services?type=loki&limit=%d&continue=%s", limit, token)))
			for _, s := range l.Services {
				got = append(got, s.Metadata.Tenant)
			}
			if token = string(l.Continue); token == "" {
				break
			}
		}
		if d := cmp.Diff([]string{"application", "audit", "infrastructure"}, got); d != "" {
			t.Errorf("in pages of %d: -want +got\n%s", limit, d)
		}
	}
}

// What is there all the time is on one page, whatever comes and goes around it.
func TestPagesOfAListThatChanges(t *testing.T) {
	t.Attr("req", "DTS-API-1")
	f := start(t)
	n := 0
	got := f.pages(t, "limit=1", func() {
		n++ // the snapshot of the page before is gone
		s := *example(t)
		s.Findings = append(s.Findings[:len(s.Findings):len(s.Findings)], finding("jaeger", "aaa", fmt.Sprintf("new-%d", n), backend.Accepted, backend.Ready))
		f.state.set(&s)
		f.services.others.Store(&[]backend.Ref{{Namespace: "aaa", Name: "nothing"}, {Namespace: "default", Name: "kubernetes"}, {Namespace: "shop", Name: "web"}})
	})
	seen := map[string]int{}
	for _, name := range got {
		seen[name]++
	}
	for _, f := range example(t).Findings {
		if name := string(f.Verdict) + ":" + f.Ref.String(); seen[name] != 1 {
			t.Errorf("%s is there %d times: %v", name, seen[name], got)
		}
	}
	if seen["rejected:shop/web"] != 1 || seen["rejected:default/kubernetes"] != 1 || seen["rejected:shop/cart"] != 0 {
		t.Errorf("the others: %v", got)
	}
}

// A Service that has become something is listed once, though it is still among the others, or not any more.
func TestServiceThatBecameSomething(t *testing.T) {
	t.Attr("req", "DTS-API-1")
	f := start(t)
	f.services.others.Store(&[]backend.Ref{{Namespace: "logs", Name: "loki"}, {Namespace: "shop", Name: "web"}})
	l := decode[ServiceList](t, f.get(t, "/api/v1/services?namespace=logs"))
	if names(l) != "unconfirmed:logs/loki" || l.Count != 1 {
		t.Errorf("%s, count %d", names(l), l.Count)
	}
	if s := decode[Status](t, f.get(t, "/api/v1/status")); s.ServicesTotal != 8 || s.Counts.Rejected != 2 {
		t.Errorf("status: %+v", s)
	}
}

// What is shown is what is there now, however often it was shown before.
func TestServicesAreShownAsTheyAre(t *testing.T) {
	t.Attr("req", "DTS-API-1")
	f := start(t)
	first := func() view.Service {
		return decode[ServiceList](t, f.get(t, "/api/v1/services?namespace=monitoring&verdict=accepted")).Services[0]
	}
	first()
	for _, change := range []func(*backend.Finding){
		func(*backend.Finding) {},
		func(s *backend.Finding) { s.Reason.Code = backend.CodeWorks },
		func(s *backend.Finding) { s.Observation.At = s.Observation.At.Add(time.Second) },
		func(s *backend.Finding) { s.Observation.Version = "3" },
		func(s *backend.Finding) { s.Service.Labels["team"] = "dev" },
		func(s *backend.Finding) { s.Candidate.Scheme = "https" },
		func(s *backend.Finding) { s.Primary = false },
	} {
		next := example(t)
		change(next.Findings[0])
		f.state.set(next)
		if d := cmp.Diff(view.NewService(next.Findings[0], f.o.Catalog), first()); d != "" {
			t.Errorf("-is +shown:\n%s", d)
		}
	}
}

func TestExplain(t *testing.T) {
	t.Attr("req", "DTS-API-1 DTS-CLI-4")
	f := start(t)
	e := decode[view.Explanation](t, f.get(t, "/api/v1/services/monitoring/grafana"))
	if len(e.Services) != 1 || e.Services[0].Verdict != backend.Unavailable || len(e.Tried) == 0 || len(e.Advice) == 0 {
		t.Errorf("grafana: %+v", e)
	}
	e = decode[view.Explanation](t, f.get(t, "/api/v1/services/shop/web")) // only its name is kept
	if len(e.Services) != 1 || e.Services[0].Code != backend.CodeUnmatched || e.About.Ports != "8080" {
		t.Errorf("web: %+v", e)
	}
	f.services.bare = backend.Ref{Namespace: "shop", Name: "web"}
	e = decode[view.Explanation](t, f.get(t, "/api/v1/services/shop/web")) // one of thousands that look like a backend
	if len(e.Services) != 1 || e.Services[0].Code != backend.CodeNamespaceServices || e.Services[0].Verdict != backend.Rejected {
		t.Errorf("web: %+v", e)
	}
	p := isProblem(t, f.get(t, "/api/v1/services/monitoring/grafna"), http.StatusNotFound)
	if !strings.Contains(p.Detail, `did you mean "grafana"?`) {
		t.Errorf("detail %q", p.Detail)
	}

	f.services.err = errors.New("the API server is away")
	decode[view.Explanation](t, f.get(t, "/api/v1/services/monitoring/grafana")) // is known all the same
	a := f.get(t, "/api/v1/services/shop/web")
	if p := isProblem(t, a, http.StatusServiceUnavailable); !strings.Contains(p.Detail, "API server is away") || a.header.Get("Retry-After") == "" {
		t.Errorf("%s, %v", p.Detail, a.header)
	}
}

// Nothing but names that a Service may have is looked up.
func TestExplainNamesThatNoServiceHas(t *testing.T) {
	t.Attr("req", "DTS-API-1 DTS-SEC-3")
	f := start(t)
	for _, name := range []string{
		"..%2F..%2Fsecrets", "a%00b", "%F0%9F%92%A3", "<script>alert(1)</script>", "a%25b", "UPPER", strings.Repeat("x", 300), "%0d%0aX: y", "{{env.X}}",
	} {
		a := f.get(t, "/api/v1/services/monitoring/"+name)
		isProblem(t, a, http.StatusNotFound)
		if strings.ContainsAny(a.body, "<>\x00\r") {
			t.Errorf("%s: not escaped: %s", name, a.body)
		}
	}
	if n := f.services.asked.Load(); n != 0 {
		t.Errorf("%d names were looked up", n)
	}
}

// What a stranger chose is text in JSON, and can be neither markup nor a second event.
func TestHostileTextIsEscaped(t *testing.T) {
	t.Attr("req", "DTS-SEC-3")
	hostile := "</script><img src=x onerror=alert(1)>\r\n\r\nevent: status\ndata: {}\u2028\x00"
	f := start(t)
	s := finding("prometheus", "monitoring", "prometheus", backend.Rejected, backend.Unprobed)
	s.Reason, s.Service.Labels = backend.Reason{Code: backend.CodeLookAlike, Details: backend.Details{Because: hostile}}, map[string]string{hostile: hostile}
	f.state.set(snapshot(t, s))
	a := f.get(t, "/api/v1/services")
	if strings.ContainsAny(strings.TrimSuffix(a.body, "\n"), "<>\r\n\x00\u2028") {
		t.Errorf("not escaped: %q", a.body)
	}
	if l := decode[ServiceList](t, a); l.Services[0].Reason != hostile || l.Services[0].Labels[hostile] != hostile {
		t.Errorf("changed: %q", l.Services[0].Reason)
	}
}

func TestToolsets(t *testing.T) {
	t.Attr("req", "DTS-API-1 DTS-OUT-12")
	f := start(t)
	for _, c := range []struct {
		query, want string
		tokens      int
	}{
		{"", "jaeger kubernaut/notes kubernetes/core prometheus/metrics", 855 + 31 + 1600 + 4920},
		{"?type=prometheus", "prometheus/metrics", 4920},
		{"?enabled=false", "", 0},
		{"?enabled=true&healthy=true", "jaeger", 855},
		{"?healthy=false", "prometheus/metrics", 4920},
	} {
		l := decode[ToolsetList](t, f.get(t, "/api/v1/toolsets"+c.query))
		var got []string
		for _, s := range l.Toolsets {
			got = append(got, s.Name)
		}
		if strings.Join(got, " ") != c.want || l.Count != len(got) || l.Tokens != c.tokens {
			t.Errorf("%s: %v, count %d, %d tokens, want %s with %d", c.query, got, l.Count, l.Tokens, c.want, c.tokens)
		}
	}
	var all []string
	for token, n := "", 0; n < 5; n++ {
		l := decode[ToolsetList](t, f.get(t, "/api/v1/toolsets?limit=1&continue="+token))
		all = append(all, l.Toolsets[0].Name)
		if token = string(l.Continue); token == "" {
			break
		}
	}
	if want := []string{"jaeger", "kubernaut/notes", "kubernetes/core", "prometheus/metrics"}; !cmp.Equal(want, all) {
		t.Errorf("pages: %v", all)
	}
}

func TestToolsetNames(t *testing.T) {
	t.Attr("req", "DTS-API-1")
	f := start(t)
	weird := []string{"a.b/c", "100%/x y", "ünï/☃", `q"uo'te`, "a/../b", "a//b", "{{x}}", "semi;colon?x=1#y", "trailing/", "+plus"}
	tree := f.state.snapshot.Document.HolmesGPT["toolsets"].(map[string]any)
	for _, name := range weird {
		tree[name] = map[string]any{"enabled": true}
	}
	for _, name := range append(weird, "prometheus/metrics") {
		got := decode[view.Toolset](t, f.get(t, "/api/v1/toolsets/"+url.PathEscape(name)))
		if got.Name != name {
			t.Errorf("%q: got %q", name, got.Name)
		}
	}
	for _, raw := range []string{"prometheus/metrics", "a.b/c", "trailing/", "+plus"} {
		if got := decode[view.Toolset](t, f.get(t, "/api/v1/toolsets/"+raw)); got.Name != raw {
			t.Errorf("%q: got %q", raw, got.Name)
		}
	}
	p := isProblem(t, f.get(t, "/api/v1/toolsets/prometheus/metric"), http.StatusNotFound)
	if !strings.Contains(p.Detail, `did you mean "prometheus/metrics"?`) {
		t.Errorf("detail %q", p.Detail)
	}
	for _, path := range []string{"/api/v1/toolsets/", "/api/v1/toolsets/a//b", "/api/v1/toolsets/../status", "/api/v1/./status"} {
		isProblem(t, f.get(t, path), http.StatusNotFound)
	}
}
