package probe

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"

	"kubernaut.io/dynamic-toolset/internal/backend"
)

func TestBasePaths(t *testing.T) {
	t.Attr("req", "DTS-PRB-2")
	grafana := products[10].answers
	redirect := func(to string) reply { return reply{status: 302, header: map[string]string{"Location": to}} }
	tests := []struct {
		name    string
		typ     string
		answers answers
		change  func(*backend.Candidate)
		outcome backend.Outcome
		path    string
		detail  string
	}{
		{"known", "prometheus", prometheus.below("/prometheus"), nil, backend.Ready, "/prometheus", ""},
		{"the candidate's", "prometheus", prometheus.below("/team/a"), func(c *backend.Candidate) { c.Path = "/team/a" }, backend.Ready, "/team/a", ""},
		{"the candidate's is wrong", "prometheus", prometheus, func(c *backend.Candidate) { c.Path = "/team/a" }, backend.Ready, "", ""},
		{"fixed and wrong", "prometheus", prometheus, func(c *backend.Candidate) { c.Path, c.FixedPath = "/team/a", true }, backend.WrongIdentity, "/team/a", "404"},
		{"the root leads to it", "prometheus", prometheus.below("/metrics-ui").with(answers{"/": redirect("/metrics-ui")}), nil, backend.Ready, "/metrics-ui", ""},
		{"the root leads to a page in it", "prometheus", prometheus.below("/a/b").with(answers{"/": redirect("/a/b/query?x=1")}), nil, backend.Ready, "/a/b", ""},
		{"the root leads there, path fixed", "prometheus", prometheus.below("/x").with(answers{"/": redirect("/x")}), func(c *backend.Candidate) { c.FixedPath = true }, backend.WrongIdentity, "", ""},
		{"the request leads there", "grafana", grafana.below("/dash").with(answers{"/api/health": redirect("/dash/api/health")}), nil, backend.Ready, "/dash", ""},
		// Grafana redirects to its public URL: only the path is of use, on the host that is being asked.
		{"the request leads there on another host", "grafana", grafana.below("/dash").with(answers{"/api/health": redirect("https://public.example/dash/api/health")}), nil, backend.Ready, "/dash", ""},
		{"hostile path", "grafana", answers{"*": redirect("/{{env.TOKEN}}/api/health")}, nil, backend.WrongIdentity, "", ""},
		{"nowhere", "prometheus", answers{}, nil, backend.WrongIdentity, "", "also tried below /prometheus"},
		{"VictoriaTraces", "jaeger", answers{"/services": {body: `{"data":[],"errors":null,"limit":0,"offset":0,"total":0}`}}.below("/select/jaeger/api"), nil, backend.Ready, "/select/jaeger", ""},
		{"a loop", "prometheus", answers{"*": redirect("/round")}, nil, backend.WrongIdentity, "", ""},
	}
	p := newProber(t, Options{})
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			target := serve(t, lookupType(t, tt.typ), tt.answers)
			if tt.change != nil {
				tt.change(target.Candidate)
			}
			got := p.Probe(t.Context(), target)
			want := observed{Outcome: tt.outcome, Path: tt.path, Detail: tt.detail, Scheme: "http"}
			if tt.outcome == backend.Ready {
				want.Identity, want.Version = true, map[string]string{"prometheus": "2.53.1", "grafana": "11.2.0"}[tt.typ]
			}
			expect(t, got, want)
			if len(got.Requests) > 40 {
				t.Errorf("%d requests", len(got.Requests))
			}
		})
	}
}

// The path of a login page on another host is not a base path of the backend.
func TestNoBasePathOfALogin(t *testing.T) {
	t.Attr("req", "DTS-PRB-2 DTS-PRB-8")
	to := reply{status: 302, header: map[string]string{"Location": "https://sso.example.org/realms/x/auth?client_id=a&redirect_uri=b"}}
	got := newProber(t, Options{}).Probe(t.Context(), serve(t, lookupType(t, "prometheus"), answers{"*": to}))
	if got.Outcome != backend.LoginRequired {
		t.Errorf("outcome %s", got.Outcome)
	}
	for _, r := range got.Requests {
		if strings.Contains(r.URL, "realms") {
			t.Errorf("asked for %s", r.URL)
		}
	}
}

func TestSameHostRedirectIsFollowed(t *testing.T) {
	t.Attr("req", "DTS-PRB-5 DTS-CLI-1")
	for name, to := range map[string]string{
		"absolute": "http://" + strings.ToUpper(testHost) + ":1/v2/answer", "without a host": "/v2/answer",
	} {
		got := newProber(t, Options{RoundTripper: via(answers{
			"/api/echo":   {status: 302, header: map[string]string{"Location": to}},
			"/v2/answer":  {body: "echo"},
			"/api/search": {body: `{"traces":[]}`},
		})}).Probe(t.Context(), targetFor(lookupType(t, "tempo")))
		t.Log(name)
		expect(t, got, observed{Outcome: backend.Ready, Identity: true, Scheme: "http"})
	}
}

func TestRedirectToAnotherHostIsNotFollowed(t *testing.T) {
	t.Attr("req", "DTS-PRB-5 DTS-SEC-3")
	var reached atomic.Int32
	other := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		reached.Add(1)
		prometheus.ServeHTTP(w, r)
	}))
	defer other.Close()
	ownHostOtherPort := strings.Replace(other.URL, "127.0.0.1", testHost, 1)
	for _, to := range []string{other.URL, ownHostOtherPort, strings.TrimPrefix(other.URL, "http:"), "gopher://" + other.Listener.Addr().String()} {
		t.Run(to, func(t *testing.T) {
			target := serve(t, lookupType(t, "prometheus"), http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.URL.RawQuery == "elsewhere" || !strings.HasPrefix(r.Host, testHost+":") {
					t.Errorf("followed to %s%s", r.Host, r.URL)
				}
				w.Header().Set("Location", to+r.URL.Path+"?elsewhere")
				w.WriteHeader(http.StatusTemporaryRedirect)
			}))
			got := newProber(t, Options{}).Probe(t.Context(), target)
			expect(t, got, observed{Outcome: backend.WrongIdentity, Scheme: "http", Detail: "a redirect to "})
			custom := target
			custom.Type = nil
			expect(t, newProber(t, Options{}).Probe(t.Context(), custom), observed{Outcome: backend.Ready, Scheme: "http"})
			if n := reached.Load(); n > 0 {
				t.Errorf("the other host got %d requests", n)
			}
		})
	}
}

func TestHostHeaderAndNothingElse(t *testing.T) {
	t.Attr("req", "DTS-PRB-5")
	t.Setenv("HTTP_PROXY", "http://127.0.0.1:1")
	t.Setenv("http_proxy", "http://127.0.0.1:1")
	t.Setenv("NO_PROXY", "")
	var target Target
	target = serve(t, lookupType(t, "grafana"), http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if want := fmt.Sprintf("%s:%d", testHost, target.Candidate.PortNumber); r.Host != want {
			t.Errorf("Host %q, want %q", r.Host, want)
		}
		for _, name := range []string{"Authorization", "Cookie", "Referer", "Proxy-Authorization"} {
			if v := r.Header.Get(name); v != "" {
				t.Errorf("%s: %s is sent", name, v)
			}
		}
		if r.Method != http.MethodGet {
			t.Errorf("method %s", r.Method)
		}
		http.SetCookie(w, &http.Cookie{Name: "session", Value: "1"})
		products[10].answers.ServeHTTP(w, r)
	}))
	expect(t, newProber(t, Options{}).Probe(t.Context(), target),
		observed{Outcome: backend.Ready, Identity: true, Version: "11.2.0", Scheme: "http"})
	// The environment is read but once in a process, so the test above alone might come too late to tell.
	if newProber(t, Options{}).transport(t.Context(), target, Address(target)).Proxy != nil {
		t.Error("the transport has a proxy function")
	}
}

func TestAddresses(t *testing.T) {
	t.Attr("req", "DTS-PRB-5")
	ready := &backend.Endpoints{Slices: []backend.EndpointSlice{
		{Ports: []backend.EndpointPort{{Name: "other", Number: 1, Protocol: "TCP"}}, Ready: []netip.Addr{netip.MustParseAddr("10.0.0.1")}},
		{Ports: []backend.EndpointPort{{Name: "http", Number: 9090, Protocol: "TCP"}}, Ready: []netip.Addr{netip.MustParseAddr("fd00::2")}},
	}}
	tests := []struct {
		name      string
		clusterIP string
		host      string
		foreign   bool
		endpoints *backend.Endpoints
		want      string
	}{
		{"cluster IP", "10.96.0.7", testHost, false, ready, "10.96.0.7:9090"},
		{"IPv6", "fd00::7", testHost, false, nil, "[fd00::7]:9090"},
		{"headless", "None", testHost, false, ready, "[fd00::2]:9090"},
		{"headless, slices unknown", "None", testHost, false, nil, testHost + ".:9090"},
		{"rendered chart", "", testHost, false, nil, testHost + ".:9090"},
		{"foreign host", "10.96.0.7", "metrics.example.org", true, ready, "metrics.example.org.:9090"},
		{"foreign address", "10.96.0.7", "192.0.2.1", true, ready, "192.0.2.1:9090"},
		{"not an address", "10.96.0.7:80@evil", testHost, false, nil, testHost + ".:9090"},
	}
	for _, tt := range tests {
		c := &backend.Candidate{Service: &backend.Service{ClusterIP: tt.clusterIP}, Host: tt.host, PortNumber: 9090, ForeignHost: tt.foreign}
		if got := Address(Target{Candidate: c, Endpoints: tt.endpoints}); got != tt.want {
			t.Errorf("%s: %s, want %s", tt.name, got, tt.want)
		}
	}
}

// A headless Service is probed at its pods, at another pod with each try.
func TestHeadlessTriesItsPods(t *testing.T) {
	t.Attr("req", "DTS-PRB-5")
	target := serve(t, nil, answers{"*": {body: "fine"}})
	target.Candidate.Service.ClusterIP = "None"
	target.Endpoints = &backend.Endpoints{Slices: []backend.EndpointSlice{{
		Ready: []netip.Addr{netip.MustParseAddr("127.9.9.9"), netip.MustParseAddr("127.0.0.1")}, // nothing listens at the first
	}}}
	got := newProber(t, Options{Tries: 2}).Probe(t.Context(), target)
	expect(t, got, observed{Outcome: backend.Ready, Scheme: "http"})
	if len(got.Requests) != 2 {
		t.Errorf("%d requests, want 2", len(got.Requests))
	}
}
