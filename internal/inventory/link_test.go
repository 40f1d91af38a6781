package inventory_test

import (
	"fmt"
	"strings"
	"testing"

	"kubernaut.io/dynamic-toolset/internal/backend"
	"kubernaut.io/dynamic-toolset/internal/inventory"
)

// What the owner or the configuration says comes before what leads to the Service, and the base path is the one that the probe found.
func TestLink(t *testing.T) {
	t.Attr("req", "DTS-OUT-13 DTS-DET-8")
	way := backend.Exposure{Scheme: "https", Host: "grafana.example.com"}
	for name, tt := range map[string]struct {
		said, found string
		ways        []backend.Exposure
		want        string
	}{
		"nothing is known":       {},
		"an Ingress":             {ways: []backend.Exposure{way}, want: "https://grafana.example.com"},
		"and a base path":        {found: "/grafana", ways: []backend.Exposure{way}, want: "https://grafana.example.com/grafana"},
		"the owner's word":       {said: "https://said.example.com", want: "https://said.example.com"},
		"before all that leads":  {said: "https://said.example.com", ways: []backend.Exposure{way}, want: "https://said.example.com"},
		"to which nothing added": {said: "https://said.example.com", found: "/grafana", want: "https://said.example.com"},
	} {
		d := svc{ref: at("mon", "grafana"), typ: "grafana", strength: backend.Strong}.detection()
		d.Service.Ports = []backend.Port{d.Candidates[0].Port}
		d.Candidates[0].Link, d.Exposures = tt.said, tt.ways
		observed := map[backend.Key]backend.Observation{d.Candidates[0].Key(): {Outcome: backend.Ready, Scheme: "http", Path: tt.found}}
		f := inventory.Build([]inventory.Detection{d}, observed, inventory.Options{Type: builtin(t).Lookup})[0]
		if f.Link != tt.want {
			t.Errorf("%s: link %q, want %q", name, f.Link, tt.want)
		}
	}
}

// The agent reads links: of a namespace that is not trusted their paths take no more room than base paths do, first those of
// what the configuration names, then the oldest. A path that is too long takes the room of no other.
func TestLinksAreBounded(t *testing.T) {
	t.Attr("req", "DTS-OUT-13 DTS-SEC-3")
	for name, tt := range map[string]struct {
		paths   []int // their lengths, the oldest Service's first
		options inventory.Options
		want    string
	}{
		"the oldest":             {[]int{500, 500, 500, 20, 0, 500}, inventory.Options{}, "0 1 3 4"},
		"without a path":         {[]int{0, 0, 0}, inventory.Options{}, "0 1 2"},
		"of a trusted namespace": {[]int{500, 500, 500}, inventory.Options{TrustedNamespaces: []string{"team"}}, "0 1 2"},
		"the named one":          {[]int{500, 500, 500, 500}, inventory.Options{Primary: map[string]backend.Ref{"loki": at("team", "3")}}, "0 3"},
	} {
		var all []inventory.Detection
		for i, n := range tt.paths {
			d := svc{ref: at("team", fmt.Sprint(i)), typ: "loki", strength: backend.Strong, day: 1 + i}.detection()
			d.Candidates[0].Link = "https://logs.example.com" + strings.Repeat("/", min(n, 1)) + strings.Repeat("w", max(0, n-1))
			all = append(all, d)
		}
		tt.options.Type = builtin(t).Lookup
		var got []string
		for _, f := range inventory.Build(all, nil, tt.options) {
			if f.Link != "" {
				got = append(got, f.Name)
			}
			if f.Verdict != backend.Accepted {
				t.Errorf("%s: %s is %s for its link", name, f.Ref, f.Verdict)
			}
		}
		if text := strings.Join(got, " "); text != tt.want {
			t.Errorf("%s: links of %q, want %q", name, text, tt.want)
		}
	}
}
