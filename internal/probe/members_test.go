package probe

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"kubernaut.io/dynamic-toolset/internal/backend"
	"kubernaut.io/dynamic-toolset/test/standin"
)

// The members of a Thanos Query are the hosts of its sidecars, each once, sorted and bounded. Thanos Query stays ready whatever
// it answers there.
func TestMembers(t *testing.T) {
	t.Attr("req", "DTS-OUT-12 DTS-SEC-3")
	var many []string
	for i := range 2000 {
		many = append(many, fmt.Sprintf("10.1.%d.%d:10901", i/250, i%250))
	}
	raw := func(status int, body string) http.Handler {
		thanos := standin.New(standin.Thanos, standin.Options{})
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if strings.HasSuffix(r.URL.Path, "/api/v1/stores") {
				reply{status: status, body: body}.write(w)
				return
			}
			thanos.ServeHTTP(w, r)
		})
	}
	stores := func(names ...string) http.Handler {
		return standin.New(standin.Thanos, standin.Options{Stores: names})
	}
	p := newProber(t, Options{})
	for name, tt := range map[string]struct {
		handler http.Handler
		want    []string
	}{
		"addresses": {stores("10.0.0.2:10901", "10.0.0.1:10901", "10.0.0.2:10902", "[fd00::1]:10901", "[::ffff:10.0.0.3]:1"),
			[]string{"10.0.0.1", "10.0.0.2", "10.0.0.3", "fd00::1"}},
		"names": {stores("Sidecar.Monitoring.svc.cluster.local.:10901", "sidecar:10901"), []string{"sidecar", "sidecar.monitoring.svc.cluster.local"}},
		"nonsense": {stores("", ":1", "10.0.0.1", "10.0.0.1:0", "10.0.0.1:70000", "a b:1", "{{ env.X }}:1", "-a:1", "[fe80::1%eth0]:1", strings.Repeat("a", 300)+":1"),
			[]string{}},
		"only sidecars": {raw(200, `{"status":"success","data":{"store":[{"name":"10.0.0.1:1"}],"sidecar":[{"name":"10.0.0.2:1"}],"receive":[{"name":"10.0.0.3:1"}]}}`),
			[]string{"10.0.0.2"}},
		"none":              {standin.New(standin.Thanos, standin.Options{NoData: true}), []string{}},
		"a frontend":        {raw(404, "404 page not found"), nil},
		"an outage":         {raw(503, ""), nil},
		"another shape":     {raw(200, `{"status":"success","data":{"sidecar":{"name":"10.0.0.1:1"},"x":[[{"name":"10.0.0.1:1"}]]}}`), []string{}},
		"numbers and lists": {raw(200, `{"status":"success","data":{"sidecar":[1,null,"10.0.0.1:1",[{"name":"10.0.0.1:1"}],{"name":[]},{"name":{}},{"name":7}]}}`), []string{}},
		"cut off":           {raw(200, `{"status":"success","data":{"sidecar":[{"name":"10.0.0.1:1"}`), nil},
	} {
		t.Run(name, func(t *testing.T) {
			got := p.Probe(t.Context(), serve(t, lookupType(t, "thanos"), tt.handler))
			if got.Outcome != backend.Ready || !slices.Equal(got.Members, tt.want) || (got.Members == nil) != (tt.want == nil) {
				t.Errorf("%s, members %q, want %q", got.Outcome, got.Members, tt.want)
			}
		})
	}
	below := serve(t, lookupType(t, "thanos"), standin.New(standin.Thanos, standin.Options{BasePath: "/thanos", Stores: []string{"10.0.0.1:1"}}))
	below.Candidate.Path = "/thanos"
	if got := p.Probe(t.Context(), below).Members; !slices.Equal(got, []string{"10.0.0.1"}) {
		t.Errorf("below a base path: %q", got)
	}
	got := p.Probe(t.Context(), serve(t, lookupType(t, "thanos"), stores(many...))).Members
	if size := len(strings.Join(got, "")); size > maxMembers || size < maxMembers/2 {
		t.Errorf("%d bytes are kept of %d members", size, len(many))
	}
}
