package probe

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"kubernaut.io/dynamic-toolset/internal/backend"
	"kubernaut.io/dynamic-toolset/internal/catalog"
	"kubernaut.io/dynamic-toolset/test/standin"
)

// below serves a stand-in of the type below a base path, and its paths of the server at the root. other serves the rest.
func below(typ *catalog.Type, base string, other http.HandlerFunc) http.HandlerFunc {
	own := map[string]string{"mimir": "/prometheus"}[typ.Type] // where the stand-in itself serves its API
	b := standin.New(standin.Kind(typ.Type), standin.Options{})
	ofServer := map[string]bool{}
	for _, list := range [...][]catalog.Check{typ.Probe.Identity, typ.Probe.Not, typ.Probe.Health} {
		for i := range list {
			if list[i].Root {
				ofServer[list[i].Get] = true
			}
		}
	}
	return func(w http.ResponseWriter, r *http.Request) {
		rest, inside := strings.CutPrefix(r.URL.Path, base)
		switch inside = inside && (rest == "" || strings.HasPrefix(rest, "/")); {
		case ofServer[r.URL.Path]:
		case inside:
			r.URL.Path = own + rest
		default:
			other(w, r)
			return
		}
		b.ServeHTTP(w, r)
	}
}

// A backend is found with the requests of one try, whatever its base path.
func TestRequestsOfOneTry(t *testing.T) {
	t.Attr("req", "DTS-PRB-2 DTS-PRB-5")
	const deep = "/team/observability"
	redirect := func(to string, below bool) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			switch {
			case below:
				http.Redirect(w, r, to+r.URL.Path, http.StatusFound)
			case r.URL.Path == "/":
				http.Redirect(w, r, to, http.StatusFound)
			default:
				http.NotFound(w, r)
			}
		}
	}
	type place struct {
		name, base, candidate string
		other                 http.HandlerFunc
	}
	p := newProber(t, Options{})
	for _, typ := range builtin(t).Types {
		places := []place{
			{"at the root", "", "", http.NotFound},
			{"where the root leads to", deep, "", redirect(deep, false)},
			{"where the root leads to a page of it", deep, "", redirect(deep+"/home", false)},
			{"where each request leads to", deep, "", redirect(deep, true)},
		}
		for i, known := range typ.Probe.Paths {
			other := typ.Probe.Paths[(i+1)%len(typ.Probe.Paths)]
			places = append(places,
				place{"below " + known, known, "", http.NotFound},
				place{"below " + known + ", where detection has it", known, known, http.NotFound},
				place{"below " + known + ", where detection has " + other, known, other, http.NotFound},
				place{"below " + known + ", where the root leads to", known, "", redirect(known+"/", false)},
				place{"at the root, where detection has " + known, "", known, http.NotFound},
				place{"below " + known + ", while the root leads elsewhere", known, "", redirect("/app", false)})
		}
		for _, at := range places {
			t.Run(typ.Type+" "+at.name, func(t *testing.T) {
				var requests atomic.Int32
				serveIt := below(typ, at.base, at.other)
				target := serve(t, typ, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					requests.Add(1)
					serveIt(w, r)
				}))
				target.Candidate.Path = at.candidate
				got := p.Probe(t.Context(), target)
				want := observed{Outcome: backend.Ready, Identity: true, Scheme: "http", Path: at.base, Version: got.Version}
				if at.base == "" && slices.Contains(typ.Probe.Paths, got.Path) {
					want.Path = got.Path // VictoriaMetrics is at both
				}
				expect(t, got, want)
				if n := int(requests.Load()); n > maxRequests || n != len(got.Requests) {
					t.Errorf("%d requests, %d of them noted; want at most %d", n, len(got.Requests), maxRequests)
				}
			})
		}
	}
}

// A try never exceeds its number of requests, whatever the redirects of the backend, and reports that it was used up.
func TestTryIsBounded(t *testing.T) {
	t.Attr("req", "DTS-PRB-5 DTS-SEC-3")
	fresh := func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, fmt.Sprintf("/%x%s", time.Now().UnixNano(), r.URL.Path), http.StatusFound)
	}
	elsewhere := func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, fmt.Sprintf("/%x", time.Now().UnixNano()), http.StatusFound)
	}
	long := func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "/"+strings.Repeat("x", maxLocation), http.StatusFound)
	}
	mimir := below(lookupType(t, "mimir"), "/api/prom", http.NotFound)
	proven := func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/api/prom/api/v1/query", "/api/prom/api/v1/status/buildinfo":
			mimir(w, r)
		case "/", "/api/v1/status/buildinfo", "/prometheus/api/v1/status/buildinfo":
			http.NotFound(w, r)
		default:
			elsewhere(w, r)
		}
	}
	wrongScheme := func(asked *int) http.HandlerFunc { // at the last moment
		return func(w http.ResponseWriter, r *http.Request) {
			if *asked++; *asked < maxRequests {
				fresh(w, r)
				return
			}
			http.Error(w, "Client sent an HTTP request to an HTTPS server.", http.StatusBadRequest)
		}
	}
	tests := []struct {
		name    string
		typ     string
		handler http.HandlerFunc
		most    int
		want    observed
	}{
		{"new base paths without end", "prometheus", fresh, maxRequests, observed{Outcome: backend.WrongIdentity, Detail: "it redirected 8 requests to other pages"}},
		{"new pages without end", "prometheus", elsewhere, maxRequests, observed{Outcome: backend.WrongIdentity, Detail: "it redirected 8 requests to other pages"}},
		{"new pages once it is known", "mimir", proven, maxRequests, observed{Outcome: backend.NotReady, Identity: true, Path: "/api/prom", Version: "2.17.0", Detail: "one try of the probe sends at most 8 requests"}},
		{"new pages, custom", "", elsewhere, maxRedirects + 1, observed{Outcome: backend.Ready, Detail: "a redirect"}},
		{"a page with a long name", "tempo", long, 3, observed{Outcome: backend.WrongIdentity, Detail: "a redirect to"}},
		{"the other scheme, late", "prometheus", wrongScheme(new(int)), maxRequests + 1, observed{Outcome: backend.WrongIdentity}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var requests atomic.Int32
			target := serve(t, nil, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				requests.Add(1)
				tt.handler(w, r)
			}))
			if tt.typ != "" {
				target.Type = lookupType(t, tt.typ)
			}
			got := newProber(t, Options{Tries: 3}).Probe(t.Context(), target) // each of which would ask as often again
			tt.want.Scheme = "http"
			expect(t, got, tt.want)
			harmless(t, got)
			if n := int(requests.Load()); n > tt.most {
				t.Errorf("%d requests, want at most %d", n, tt.most)
			}
		})
	}
}

// Checks that look at one large answer share it, so that a backend with many services is not asked again and again.
func TestLargeAnswerIsRequestedOnce(t *testing.T) {
	t.Attr("req", "DTS-PRB-5")
	services := `"` + strings.Repeat(strings.Repeat("s", 99)+`","`, 1000) + `last"`
	requests := map[string]int{}
	got := newProber(t, Options{RoundTripper: via(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		requests[r.URL.Path]++
		if r.URL.Path == "/api/services" {
			reply{body: `{"data":[` + services + `],"total":1001,"errors":null}`}.write(w)
			return
		}
		standin.New(standin.Jaeger, standin.Options{}).ServeHTTP(w, r)
	}))}).Probe(t.Context(), targetFor(lookupType(t, "jaeger")))
	expect(t, got, observed{Outcome: backend.Ready, Identity: true, Scheme: "http", Version: "2.10.0"})
	if requests["/api/services"] != 1 || len(got.Requests) != 2 {
		t.Errorf("requests %v, want one for the services and one for the version", requests)
	}
}
