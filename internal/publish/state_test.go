package publish

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"kubernaut.io/dynamic-toolset/internal/backend"
)

func exampleState() *State {
	return &State{
		Published: []Instance{
			{Type: "elasticsearch", Service: backend.Ref{Namespace: "obs", Name: "es"}, Name: "obs/es", Scheme: "https", Port: 9200,
				Outcome: backend.UntrustedTLS, Version: "8.15.0", SkipVerify: true, Tenant: "team-a", TenantHeader: "X-Scope-OrgID"},
			{Type: "prometheus", Service: backend.Ref{Namespace: "monitoring", Name: "kps"}, Name: "monitoring/kps", Scheme: "http",
				Path: "/prometheus", Port: 9090, Outcome: backend.Ready, Host: "kps.monitoring.svc.cluster.local"},
			{Type: "prometheus", Service: backend.Ref{Namespace: "team", Name: "prom"}, Name: "teams", Scheme: "http", Port: 80, Outcome: backend.Ready,
				Detected: "thanos"},
			{Type: "runbooks", Service: backend.Ref{Namespace: "shop", Name: "books"}, Name: "shop/books", Scheme: "http", Port: 80,
				Outcome: backend.Ready, Host: "books.example.com", HealthPath: "/healthz?x=1", Description: "what to do at <night>"},
		},
		Primaries: map[string]backend.Ref{
			"prometheus":    {Namespace: "team", Name: "prom"},
			"elasticsearch": {Namespace: "obs", Name: "es"},
		},
		Overrides: "toolsets:\n  a<b>: null # é\n",
		Holders: map[string]backend.Ref{
			"prometheus/metrics": {Namespace: "monitoring", Name: "kps"},
			"grafana/loki":       {}, // nobody
		},
	}
}

const exampleText = `{
 "version": 1,
 "published": [
  {
   "type": "elasticsearch",
   "service": "obs/es",
   "name": "obs/es",
   "scheme": "https",
   "port": 9200,
   "outcome": "untrusted-tls",
   "version": "8.15.0",
   "skipVerify": true,
   "tenant": "team-a",
   "tenantHeader": "X-Scope-OrgID"
  },
  {
   "type": "prometheus",
   "service": "monitoring/kps",
   "name": "monitoring/kps",
   "scheme": "http",
   "path": "/prometheus",
   "port": 9090,
   "outcome": "ready",
   "host": "kps.monitoring.svc.cluster.local"
  },
  {
   "type": "prometheus",
   "service": "team/prom",
   "name": "teams",
   "scheme": "http",
   "port": 80,
   "outcome": "ready",
   "detected": "thanos"
  },
  {
   "type": "runbooks",
   "service": "shop/books",
   "name": "shop/books",
   "scheme": "http",
   "port": 80,
   "outcome": "ready",
   "host": "books.example.com",
   "healthPath": "/healthz?x=1",
   "description": "what to do at <night>"
  }
 ],
 "primaries": {
  "elasticsearch": "obs/es",
  "prometheus": "team/prom"
 },
 "overrides": "toolsets:\n  a<b>: null # é\n",
 "holders": {
  "grafana/loki": "",
  "prometheus/metrics": "monitoring/kps"
 }
}
`

func TestStateEncode(t *testing.T) {
	t.Attr("req", "DTS-OUT-10")
	s := exampleState()
	slices.Reverse(s.Published)
	before := slices.Clone(s.Published)
	got, err := s.Encode()
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(exampleText, got); diff != "" {
		t.Errorf("text (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(before, s.Published); diff != "" {
		t.Errorf("Encode changed the State:\n%s", diff)
	}
	back, err := DecodeState(got)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(exampleState(), back); diff != "" {
		t.Errorf("read back (-want +got):\n%s", diff)
	}
}

func TestStateEmpty(t *testing.T) {
	t.Attr("req", "DTS-OUT-10")
	got, err := (&State{}).Encode()
	if err != nil {
		t.Fatal(err)
	}
	back, err := DecodeState(got)
	if err != nil {
		t.Fatal(err)
	}
	if len(back.Published) != 0 || len(back.Primaries) != 0 || back.Overrides != "" || back.Holders != nil || strings.Contains(got, "holders") {
		t.Errorf("an empty State came back as %+v", back)
	}
}

func TestDecodeStateRefuses(t *testing.T) {
	t.Attr("req", "DTS-OUT-10")
	for _, tt := range []struct{ name, old, new, want string }{
		{"nothing", exampleText, "", "state.json: EOF"},
		{"not JSON", exampleText, "toolsets: {}", "state.json: invalid character"},
		{"cut off", `"primaries": {`, `"primaries": `, "state.json: invalid character"},
		{"twice", exampleText, exampleText + exampleText, "state.json: there is more after its end"},
		{"another version", `"version": 1`, `"version": 2`, "state.json: version 2, expected 1"},
		{"unknown field", `"skipVerify"`, `"skip"`, `unknown field "skip"`},
		{"scheme", `"scheme": "https"`, `"scheme": "file"`, "published[0]: scheme: expected http or https"},
		{"port", `"port": 9090`, `"port": 0`, "published[1]: port: expected 1 to 65535"},
		{"port too large", `"port": 9090`, `"port": 65536`, "published[1]: port: expected 1 to 65535"},
		{"path", `"/prometheus"`, `"@evil.example/"`, "published[1]: path: expected"},
		{"template in the path", `"/prometheus"`, `"/{{ env.TOKEN }}"`, "published[1]: path: contains a template marker"},
		{"template in the name", `"name": "teams"`, `"name": "{{ env.TOKEN }}"`, "published[2]: name: contains a template marker"},
		{"control character in the version", `8.15.0`, `8\u0007`, "published[0]: version: contains a control character"},
		{"service", `"service": "team/prom"`, `"service": "prom"`, "published[2]: expected a Service as namespace/name"},
		{"outcome", `"outcome": "untrusted-tls"`, `"outcome": "fine"`, "published[0]: outcome: expected"},
		{"host", `"books.example.com"`, `"evil.example:1/"`, "published[3]: host: expected a DNS name"},
		{"health path", `"/healthz?x=1"`, `"@evil.example"`, "published[3]: healthPath: expected"},
		{"template in the description", "what to do", "{{ env.TOKEN }}", "published[3]: description: contains a template marker"},
		{"same instance", `"service": "team/prom"`, `"service": "monitoring/kps"`, "the prometheus of monitoring/kps is there twice"},
		{"tenant", `"tenant": "team-a"`, `"tenant": "team a"`, "published[0]: tenant: expected the name of one"},
		{"primary", `"prometheus": "team/prom"`, `"prometheus": ""`, "primaries: expected a Service"},
		{"holder", `"prometheus/metrics": "monitoring/kps"`, `"prometheus/metrics": "kps"`, "holders: expected a Service"},
		{"template in a toolset's name", `"grafana/loki"`, `"{{ env.TOKEN }}"`, "holders: toolset: contains a template marker"},
		{"type", `"type": "elasticsearch"`, `"type": ""`, "published[0]: type: expected 1 to 512 bytes"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			text := strings.Replace(exampleText, tt.old, tt.new, 1)
			if text == exampleText {
				t.Fatal("the case changes nothing")
			}
			_, err := DecodeState(text)
			if err == nil {
				t.Fatal("accepted")
			}
			if !strings.Contains(err.Error(), tt.want) || strings.Contains(err.Error(), "\n") {
				t.Errorf("error %q, want one line with %q", err, tt.want)
			}
		})
	}
}

// Whatever stands in state.json is either refused or read so that it means the same again.
func FuzzDecodeState(f *testing.F) {
	f.Add(exampleText)
	f.Add(`{"version":1,"published":null,"primaries":null}`)
	f.Fuzz(func(t *testing.T, text string) {
		s, err := DecodeState(text)
		if err != nil {
			return
		}
		first, err := s.Encode()
		if err != nil {
			t.Fatal(err)
		}
		again, err := DecodeState(first)
		if err != nil {
			t.Fatalf("refuses what it wrote: %v\n%s", err, first)
		}
		if second, _ := again.Encode(); second != first {
			t.Fatalf("not the same bytes again:\n%s\n%s", first, second)
		}
	})
}
