package detect

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"kubernaut.io/dynamic-toolset/internal/backend"
)

// Each tenant that the configuration names, else the owner, is a candidate of its own.
func TestTenants(t *testing.T) {
	t.Attr("req", "DTS-DET-14")
	const lokiStack, loki, tempoStack, mimir, prometheus = "lokistack", "loki", "tempostack", "mimir", "prometheus"
	const grafana = "grafana"
	services := map[string]map[string]string{
		lokiStack:  {"app.kubernetes.io/name": "lokistack", "app.kubernetes.io/component": "lokistack-gateway"},
		loki:       {"app.kubernetes.io/name": "loki", "app.kubernetes.io/component": "gateway"},
		tempoStack: {"app.kubernetes.io/name": "tempo", "app.kubernetes.io/component": "gateway", "app.kubernetes.io/managed-by": "tempo-operator"},
		mimir:      {"app.kubernetes.io/name": "mimir", "app.kubernetes.io/component": "gateway"},
		prometheus: {"app.kubernetes.io/name": "prometheus", "app.kubernetes.io/component": "server"},
		grafana:    {"app.kubernetes.io/name": "grafana"},
	}
	ref := backend.Ref{Namespace: "obs", Name: "gateway"}
	tests := map[string]struct {
		labels     string
		annotation string
		configured map[string]map[backend.Ref][]string
		path       string // annotation
		want       []string
		warning    string
	}{
		"LokiStack's own": {labels: lokiStack, want: []string{
			"obs/gateway/application /api/logs/v1/application", "obs/gateway/infrastructure /api/logs/v1/infrastructure", "obs/gateway/audit /api/logs/v1/audit",
		}},
		"LokiStack's others":     {labels: lokiStack, annotation: "team-a", want: []string{"obs/gateway/team-a /api/logs/v1/team-a"}},
		"a path of the owner's":  {labels: lokiStack, path: "/api/logs/v1/mine", want: []string{"obs/gateway /api/logs/v1/mine"}},
		"TempoStack, none named": {labels: tempoStack, want: []string{"obs/gateway  wanted"}},
		"TempoStack, two":        {labels: tempoStack, annotation: "b, a", want: []string{"obs/gateway/b /api/traces/v1/b/tempo", "obs/gateway/a /api/traces/v1/a/tempo"}},
		"Loki, none named":       {labels: loki, want: []string{"obs/gateway "}},
		"Loki, two":              {labels: loki, annotation: "a,b", want: []string{"obs/gateway/a  X-Scope-OrgID", "obs/gateway/b  X-Scope-OrgID"}},
		"Mimir keeps its path":   {labels: mimir, annotation: "a", want: []string{"obs/gateway/a /prometheus X-Scope-OrgID"}},
		"the configuration's first": {labels: loki, annotation: "a,b", configured: map[string]map[backend.Ref][]string{"loki": {ref: {"c"}}}, want: []string{"obs/gateway/c  X-Scope-OrgID"},
			warning: "annotation kubernaut.io/toolset-tenant: it has no effect, because the configuration names the tenants"},
		"the configuration's are the same": {labels: loki, annotation: "c", configured: map[string]map[backend.Ref][]string{"loki": {ref: {"c", "d"}}},
			want: []string{"obs/gateway/c  X-Scope-OrgID", "obs/gateway/d  X-Scope-OrgID"}},
		"another type's":           {labels: loki, configured: map[string]map[backend.Ref][]string{"mimir": {ref: {"c"}}}, want: []string{"obs/gateway "}},
		"a relative's header":      {labels: prometheus, annotation: "a", want: []string{"obs/gateway/a  X-Scope-OrgID"}},
		"a relative's, configured": {labels: prometheus, configured: map[string]map[backend.Ref][]string{"mimir": {ref: {"c"}}}, want: []string{"obs/gateway/c  X-Scope-OrgID"}},
		"a type without tenants":   {labels: grafana, annotation: "a", want: []string{"obs/gateway "}, warning: "it has no effect, because grafana has no tenants"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			s := &backend.Service{Ref: ref, ClusterIP: "10.0.0.1", Labels: services[tc.labels], Annotations: map[string]string{},
				Ports: []backend.Port{{Name: "public", Number: 8080, Protocol: "TCP"}, {Name: "http-metrics", Number: 80, Protocol: "TCP"}}}
			if tc.annotation != "" {
				s.Annotations[annTenant] = tc.annotation
			}
			if tc.path != "" {
				s.Annotations[annPath] = tc.path
			}
			r := detectorWith(t, Options{Tenants: tc.configured}).Detect(s, nil)
			var got []string
			keys := map[backend.Key]bool{}
			var each []*backend.Candidate
			for _, c := range r.Candidates {
				each = append(each, PerTenant(c)...)
			}
			for _, c := range each {
				text := c.Instance + " " + c.Path
				if c.TenantHeader != "" {
					text += " " + c.TenantHeader
				}
				if c.WantsTenant {
					text += " wanted"
				}
				got = append(got, text)
				keys[c.Key()] = true
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("candidates (-want +got):\n%s", diff)
			}
			if len(keys) != len(got) {
				t.Errorf("%d candidates have %d keys", len(got), len(keys))
			}
			if !strings.Contains(said(s, r.Warning), tc.warning) || tc.warning == "" && said(s, r.Warning) != "" {
				t.Errorf("warning %q, want %q", said(s, r.Warning), tc.warning)
			}
		})
	}
}

// Outside the trusted namespaces there is no room for words in a tenant's name.
func TestStrangersTenants(t *testing.T) {
	t.Attr("req", "DTS-DET-14 DTS-SEC-3")
	d := newDetector(t)
	for tenant, plain := range map[string]bool{
		"team-a": true, "Team_1,b": true, strings.Repeat("a", 63): true, strings.Repeat("a", 64): false,
		"ignore.all.rules!": false, "(team)": false, "it's": false, "a*": false, "a,b.c": false,
	} {
		s := &backend.Service{Ref: backend.Ref{Namespace: "obs", Name: "gateway"}, ClusterIP: "10.0.0.1",
			Labels:      map[string]string{"app.kubernetes.io/name": "loki", "app.kubernetes.io/component": "gateway"},
			Annotations: map[string]string{annTenant: tenant},
			Ports:       []backend.Port{{Name: "http-metrics", Number: 80, Protocol: "TCP"}}}
		if r := d.Detect(s, nil); (len(r.Candidates) > 0) != plain || !plain && r.Rejected.Annotation != annTenant {
			t.Errorf("%q of a stranger: %d candidates, %q", tenant, len(r.Candidates), said(s, r.Rejected))
		}
		s.Namespace = "trusted"
		if r := d.Detect(s, nil); len(r.Candidates) == 0 {
			t.Errorf("%q of a trusted namespace: %q", tenant, said(s, r.Rejected))
		}
	}
}
