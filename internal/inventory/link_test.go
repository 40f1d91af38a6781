package inventory_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"kubernaut.io/dynamic-toolset/internal/backend"
	"kubernaut.io/dynamic-toolset/internal/inventory"
)

// What the owner or the configuration says comes before what leads to the Service, and the base path is the one that the probe found.
func TestLink(t *testing.T) {
	t.Attr("req", "DTS-OUT-13")
	t.Attr("req", "DTS-DET-8")
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

// The agent reads links: of a namespace that is not trusted their paths take no more room than base paths do.
func TestLinksAreBounded(t *testing.T) {
	t.Attr("req", "DTS-OUT-13")
	t.Attr("req", "DTS-SEC-3")
	for path, want := range map[string][2]int{ // links of a stranger's namespace and of a trusted one
		"/" + strings.Repeat("w", 99): {10, 20},
		"":                            {20, 20},
	} {
		var all []inventory.Detection
		for i := range 20 {
			for _, namespace := range []string{"stranger", "trusted"} {
				d := svc{ref: at(namespace, fmt.Sprintf("loki-%02d", i)), typ: "loki", strength: backend.Strong}.detection()
				d.Service.Created = time.Unix(int64(i), 0)
				d.Candidates[0].Link = "https://logs.example.com" + path
				all = append(all, d)
			}
		}
		got := [2]int{}
		for _, f := range inventory.Build(all, nil, inventory.Options{Type: builtin(t).Lookup, TrustedNamespaces: []string{"trusted"}}) {
			switch {
			case f.Link != "" && f.Namespace == "stranger":
				got[0]++
			case f.Link != "":
				got[1]++
			case f.Verdict != backend.Accepted:
				t.Errorf("%s is %s for its link", f.Ref, f.Verdict)
			case f.Name < "loki-10":
				t.Errorf("%s, an older one, has lost its link", f.Ref)
			}
		}
		if got != want {
			t.Errorf("path of %d: %v links, want %v", len(path), got, want)
		}
	}
}

// A link that takes no room has room: a path that is too long takes that of no other.
func TestLongLinksTakeNoRoom(t *testing.T) {
	t.Attr("req", "DTS-OUT-13")
	t.Attr("req", "DTS-SEC-3")
	var all []inventory.Detection
	for i, n := range []int{500, 500, 500, 20, 0, 500} {
		d := svc{ref: at("stranger", fmt.Sprintf("loki-%d", i)), typ: "loki", strength: backend.Strong}.detection()
		d.Service.Created = time.Unix(int64(i), 0)
		d.Candidates[0].Link = "https://logs.example.com" + strings.Repeat("/", min(n, 1)) + strings.Repeat("w", max(0, n-1))
		all = append(all, d)
	}
	var got []string
	for _, f := range inventory.Build(all, nil, inventory.Options{Type: builtin(t).Lookup}) {
		if f.Link != "" {
			got = append(got, f.Name)
		}
	}
	if want := []string{"loki-0", "loki-1", "loki-3", "loki-4"}; !slices.Equal(got, want) {
		t.Errorf("links of %q, want %q", got, want)
	}
}

// A link of what the configuration names keeps its room beside older ones.
func TestLinkOfTheNamedStays(t *testing.T) {
	t.Attr("req", "DTS-OUT-13")
	var all []inventory.Detection
	for i := range 4 {
		d := svc{ref: at("team", fmt.Sprintf("loki-%d", i)), typ: "loki", strength: backend.Strong, day: 1 + i}.detection()
		d.Candidates[0].Link = "https://logs.example.com/" + strings.Repeat("w", 499)
		all = append(all, d)
	}
	o := inventory.Options{Type: builtin(t).Lookup, Primary: map[string]backend.Ref{"loki": at("team", "loki-3")}}
	var got []string
	for _, f := range inventory.Build(all, nil, o) {
		if f.Link != "" {
			got = append(got, f.Name)
		}
	}
	slices.Sort(got)
	if want := []string{"loki-0", "loki-3"}; !slices.Equal(got, want) {
		t.Errorf("links of %q, want %q", got, want)
	}
}
