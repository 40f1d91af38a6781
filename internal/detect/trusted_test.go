package detect

import (
	"cmp"
	"strings"
	"testing"

	"kubernaut.io/dynamic-toolset/internal/backend"
	"kubernaut.io/dynamic-toolset/internal/catalog"
)

// A name from outside the trusted namespaces begins with its namespace: no stranger's Service is called "primary".
func TestNamesTellTheNamespace(t *testing.T) {
	t.Attr("req", "DTS-ANN-3 DTS-SEC-3")
	tests := map[string]struct{ namespace, name, want string }{
		"a stranger's":                      {"evil", "primary", "evil/primary"},
		"a stranger's, as long as it gets":  {"evil", strings.Repeat("a", 63), "evil/" + strings.Repeat("a", 63)},
		"a stranger's, called as a trusted": {"evil", "trusted", "evil/trusted"},
		"a trusted one's":                   {"trusted", "primary", "primary"},
		"nobody's":                          {"evil", "", "evil/orders"},
		"nobody's, trusted":                 {"trusted", "", "trusted/orders"},
	}
	d := newDetector(t)
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			s := annotated("toolset", "true", "toolset-type", "custom")
			s.Namespace = tc.namespace
			if tc.name != "" {
				s.Annotations[annName] = tc.name
			}
			r := d.Detect(s, nil)
			if len(r.Candidates) != 1 || r.Candidates[0].Instance != tc.want {
				t.Fatalf("got %+v, want the instance %s", r, tc.want)
			}
			// What was published under a name, by this version or an older one, is called as it would be now.
			for _, recorded := range []string{tc.want, tc.name} {
				if got := d.InstanceName(s.Ref, recorded); got != tc.want {
					t.Errorf("recorded as %q it is called %q, want %q", recorded, got, tc.want)
				}
			}
		})
	}
}

// NAME.NAMESPACE is a host of another zone where the namespace is called like that zone: a stranger's is not written for it.
func TestForeignNames(t *testing.T) {
	t.Attr("req", "DTS-SEC-3 DTS-PRB-11")
	for namespace, short := range map[string]string{"dev": "", "com": "", "trusted": "intranet.trusted"} {
		for _, health := range []string{"/healthz", "none"} {
			for name, kept := range map[string]string{
				"intranet": "", "intranet." + namespace: short, "intranet." + namespace + ".svc": "intranet." + namespace + ".svc",
			} {
				s := annotated("toolset", "true", "toolset-type", "custom", "toolset-health-endpoint", health, "toolset-endpoint", "http://"+name+":8080")
				s.Namespace, s.Name, s.ClusterIP = namespace, "intranet", "None"
				r := newDetector(t).Detect(s, nil)
				full := "intranet." + namespace + ".svc.cluster.local"
				if len(r.Candidates) != 1 || r.Candidates[0].Host != cmp.Or(kept, full) || r.Candidates[0].FullName != full {
					t.Errorf("%s of %s: %+v", name, namespace, r)
				}
			}
		}
	}
}

// onlyTrusted is a detector that takes additions from trusted namespaces alone, with a type of the admin's own.
func onlyTrusted(t *testing.T) *Detector {
	t.Helper()
	c, err := catalog.Builtin()
	if err != nil {
		t.Fatal(err)
	}
	own := *c.Lookup("jaeger")
	own.Type = "acme" // as from catalog.dir
	all := *c
	all.Types = append(append([]*catalog.Type{}, c.Types...), &own)
	d, err := New(&all, Options{
		TrustedNamespaces: []string{"trusted"}, OnlyTrusted: true, AllowedEndpointHosts: []string{"kb.example.org"},
	})
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// With security.annotations trusted, strangers correct what is proven, and add nothing.
func TestOnlyTrustedMayAdd(t *testing.T) {
	t.Attr("req", "DTS-ANN-3 DTS-ANN-1")
	metrics := []string{"toolset", "true", "toolset-type", "prometheus"}
	with := func(pairs ...string) []string { return append(append([]string{}, metrics...), pairs...) }
	tests := map[string]struct {
		pairs    []string
		rejected string // the annotation; "" for a candidate from either namespace
	}{
		"custom":                    {[]string{"toolset", "true", "toolset-type", "custom"}, "toolset-type"},
		"a type of their own":       {[]string{"toolset", "enabled", "toolset-type", "wiki"}, "toolset-type"},
		"custom, also unproven":     {[]string{"toolset", "true", "toolset-type", "custom", "toolset-health-endpoint", "none"}, "toolset-type"},
		"unproven":                  {with("toolset-health-endpoint", "none"), "toolset-health-endpoint"},
		"unproven, by the alias":    {with("toolset-health-path", "none"), "toolset-health-path"},
		"a note":                    {with("toolset-description", "Ask it first."), "toolset-description"},
		"an empty note":             {with("toolset-description", "  "), ""},
		"a catalog type":            {metrics, ""},
		"a type of the admin's own": {[]string{"toolset", "true", "toolset-type", "acme"}, ""},
		"port, scheme and path":     {with("toolset-port", "9999", "toolset-scheme", "https", "toolset-path", "/p"), ""},
		"a name":                    {with("toolset-name", "main"), ""},
		"a health path":             {with("toolset-health-endpoint", "/healthz"), ""},
		"an endpoint of its own":    {with("toolset-endpoint", "https://orders.shop:9999/p"), ""},
		"an endpoint that the configuration allows": {with("toolset-endpoint", "https://kb.example.org/p"), ""},
	}
	d := onlyTrusted(t)
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			s := annotated(tc.pairs...)
			r := d.Detect(s, nil)
			if tc.rejected == "" {
				if len(r.Candidates) != 1 {
					t.Fatalf("rejected: %s", said(s, r.Rejected))
				}
				return
			}
			want := "kubernaut.io/" + tc.rejected
			if len(r.Candidates) != 0 || r.Rejected.Annotation != want || !strings.HasPrefix(said(s, r.Rejected), "annotation "+want+": ") ||
				!strings.Contains(said(s, r.Rejected), "security.annotations") || !strings.Contains(said(s, r.Rejected), "shop is not") {
				t.Errorf("got %+v, want it rejected for %s, with the reason", r, want)
			}
			s.Namespace = "trusted"
			if r := d.Detect(s, nil); len(r.Candidates) != 1 {
				t.Errorf("in a trusted namespace it is rejected: %s", said(s, r.Rejected))
			}
			s.Namespace = "shop"
			if r := newDetector(t).Detect(s, nil); len(r.Candidates) != 1 {
				t.Errorf("without that setting it is rejected: %s", said(s, r.Rejected))
			}
		})
	}
	// The opt-out is everybody's.
	out := annotated("toolset", "false")
	out.Labels = map[string]string{"app.kubernetes.io/name": "grafana"}
	if r := d.Detect(out, nil); len(r.Candidates) != 0 || r.Rejected.Code != backend.CodeOptedOut {
		t.Errorf("opted out: %+v", r)
	}
}

// Who opts out need not remove or correct the other annotations first.
func TestOptOutBesideOthers(t *testing.T) {
	t.Attr("req", "DTS-DET-8 DTS-ANN-1")
	d := newDetector(t)
	for key, value := range map[string]string{
		"toolset-type": "runbooks", "toolset-port": "nope", "toolset-health-endpoint": "none", "toolset-primary": "true", "toolset-link": "https://a.example",
	} {
		s := annotated("toolset", "false")
		s.Annotations["kubernaut.io/"+key] = value
		if r := d.Detect(s, nil); r.Rejected.Code != backend.CodeOptedOut || r.Warning.Is() {
			t.Errorf("%s=%s: %s", key, value, said(s, r.Rejected))
		}
	}
}
