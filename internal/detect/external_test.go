package detect

import (
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/util/intstr"

	"kubernaut.io/dynamic-toolset/internal/backend"
)

// external is a Service that renames a host, without ports.
func external(host string, pairs ...string) *backend.Service {
	s := annotated(pairs...)
	s.Type, s.ClusterIP, s.ExternalName, s.Ports = typeExternal, "", host, nil
	return s
}

// An ExternalName Service takes an include, and a host that the configuration allows; then it is asked at that host.
func TestExternalName(t *testing.T) {
	t.Attr("req", "DTS-DET-7 DTS-DET-8")
	loki := func(pairs ...string) []string {
		return append([]string{"toolset", "true", "toolset-type", "loki"}, pairs...)
	}
	port := []backend.Port{{Name: "https", Number: 443, Protocol: "TCP", Target: intstr.FromInt32(443)}}
	tests := map[string]struct {
		s    *backend.Service
		want string // the endpoint, or a part of why it is rejected
	}{
		"the host in the endpoint": {external("kb.example.org", loki("toolset-endpoint", "https://kb.example.org/loki")...), "https://kb.example.org:443/loki"},
		"as DNS writes it":         {external("KB.example.org.", loki("toolset-endpoint", "https://kb.example.org./loki")...), "https://kb.example.org:443/loki"},
		"the Service's own name": {external("kb.example.org", loki("toolset-endpoint", "https://orders.shop.svc:3100")...),
			"https://kb.example.org:3100"},
		"by its port":            {with(external("kb.example.org", loki()...), port), "https://kb.example.org:443"},
		"with a path":            {with(external("kb.example.org", loki("toolset-path", "/loki")...), port), "https://kb.example.org:443/loki"},
		"its labels say it":      {labelled(with(external("kb.example.org", "toolset", "true"), port), "grafana"), "https://kb.example.org:443"},
		"no port":                {external("kb.example.org", loki()...), "toolset-endpoint: missing"},
		"not included":           {external("kb.example.org", "toolset-type", "loki"), "an ExternalName Service"},
		"not included, with URL": {external("kb.example.org", "toolset-endpoint", "https://kb.example.org"), "an ExternalName Service"},
		"recognised alone":       {labelled(with(external("kb.example.org"), port), "grafana"), "security.allowedEndpointHosts"},
		"kept out":               {external("kb.example.org", "toolset", "false"), "opted out"},
		"not allowed":            {with(external("evil.example.org", loki()...), port), `"evil.example.org"`},
		"not allowed, by its own name": {external("evil.example.org", loki("toolset-endpoint", "https://orders.shop.svc")...),
			"security.allowedEndpointHosts"},
		"another host is allowed": {external("evil.example.org", loki("toolset-endpoint", "https://kb.example.org")...), `"evil.example.org"`},
		"both are named at once":  {external("a.example.org", loki("toolset-endpoint", "https://b.example.org")...), `"b.example.org" and "a.example.org"`},
		"no host":                 {with(external("", loki()...), port), "security.allowedEndpointHosts"},
		"metadata":                {with(external("169.254.169.254", loki()...), port), "security.allowedEndpointHosts"},
	}
	d := newDetector(t)
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			r := d.Detect(tt.s, nil)
			if !strings.HasPrefix(tt.want, "https://") {
				if len(r.Candidates) != 0 || !strings.Contains(said(tt.s, r.Rejected), tt.want) {
					t.Errorf("got %+v, want a rejection with %q", r, tt.want)
				}
				return
			}
			if len(r.Candidates) != 1 {
				t.Fatalf("%d candidates: %s", len(r.Candidates), said(tt.s, r.Rejected))
			}
			if c := r.Candidates[0]; c.Endpoint() != tt.want || !c.ForeignHost || c.Strength != backend.Explicit {
				t.Errorf("got %s, foreign %t, %s; want %s", c.Endpoint(), c.ForeignHost, c.Strength, tt.want)
			}
		})
	}
}

func with(s *backend.Service, ports []backend.Port) *backend.Service {
	s.Ports = ports
	return s
}

func labelled(s *backend.Service, name string) *backend.Service {
	s.Labels = map[string]string{"app.kubernetes.io/name": name}
	return s
}
