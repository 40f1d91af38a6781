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
		StandIns:  map[string]backend.StandIn{"prometheus": {By: backend.Ref{Namespace: "monitoring", Name: "kps"}, For: backend.Ref{Namespace: "team", Name: "prom"}}},
		Overrides: "toolsets:\n  a<b>: null # é\n",
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
 "standins": {
  "prometheus": {
   "by": "monitoring/kps",
   "for": "team/prom"
  }
 },
 "overrides": "toolsets:\n  a<b>: null # é\n"
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

func TestDecodeStateRefuses(t *testing.T) {
	t.Attr("req", "DTS-OUT-10")
	for _, tt := range []struct{ name, old, new, want string }{
		{"nothing", exampleText, "", "state.json: EOF"},
		{"not JSON", exampleText, "toolsets: {}", "state.json: invalid character"},
		{"cut off", `"primaries": {`, `"primaries": `, "state.json: invalid character"},
		{"twice", exampleText, exampleText + exampleText, "state.json: there is more text after its end"},
		{"another version", `"version": 1`, `"version": 2`, "state.json: version 2, expected 1"},
		{"unknown field", `"overrides"`, `"patches"`, `unknown field "patches"`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := DecodeState(changed(t, tt.old, tt.new))
			if err == nil {
				t.Fatal("accepted")
			}
			if !strings.Contains(err.Error(), tt.want) || strings.Contains(err.Error(), "\n") {
				t.Errorf("error %q, want one line with %q", err, tt.want)
			}
		})
	}
}

func changed(t *testing.T, old, replacement string) string {
	t.Helper()
	text := strings.Replace(exampleText, old, replacement, 1)
	if text == exampleText {
		t.Fatal("the case changes nothing")
	}
	return text
}

// What cannot be is left out alone: a Service of a stranger's must not make the service forget all the rest.
func TestDecodeStateLeavesOut(t *testing.T) {
	t.Attr("req", "DTS-OUT-10 DTS-SEC-3")
	for _, tt := range []struct {
		name, old, new string
		published      int // which is left out
		primary        string
	}{
		{"unknown field", `"skipVerify"`, `"skip"`, 0, ""},
		{"not a mapping", `"published": [`, `"published": [7,`, -1, ""},
		{"scheme", `"scheme": "https"`, `"scheme": "file"`, 0, ""},
		{"port", `"port": 9090`, `"port": 0`, 1, ""},
		{"port too large", `"port": 9090`, `"port": 99999`, 1, ""},
		{"path", `"/prometheus"`, `"@evil.example/"`, 1, ""},
		{"template in the path", `"/prometheus"`, `"/{{ env.TOKEN }}"`, 1, ""},
		{"template in the name", `"name": "teams"`, `"name": "{{ env.TOKEN }}"`, 2, ""},
		{"control character in the version", `8.15.0`, `8\u0007`, 0, ""},
		{"service", `"service": "team/prom"`, `"service": "prom"`, 2, ""},
		{"outcome", `"outcome": "untrusted-tls"`, `"outcome": "fine"`, 0, ""},
		{"host", `"books.example.com"`, `"evil.example:1/"`, 3, ""},
		{"health path", `"/healthz?x=1"`, `"@evil.example"`, 3, ""},
		{"template in the description", "what to do", "{{ env.TOKEN }}", 3, ""},
		{"same instance", `"service": "team/prom"`, `"service": "monitoring/kps"`, 2, ""},
		{"tenant", `"tenant": "team-a"`, `"tenant": "team a"`, 0, ""},
		{"type", `"type": "elasticsearch"`, `"type": ""`, 0, ""},
		{"primary", `"prometheus": "team/prom"`, `"prometheus": ""`, -1, "prometheus"},
		{"template in a type", `"prometheus": "team/prom"`, `"{{ env.TOKEN }}": "team/prom"`, -1, "prometheus"},
		{"what an earlier release wrote", `"primaries"`, `"holders": {"grafana/loki": ""}, "primaries"`, -1, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			want := exampleState()
			if tt.published >= 0 {
				want.Published = slices.Delete(want.Published, tt.published, tt.published+1)
			}
			delete(want.Primaries, tt.primary)
			got, err := DecodeState(changed(t, tt.old, tt.new))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// So is a primary for the time being.
func TestDecodeStateLeavesOutStandIns(t *testing.T) {
	t.Attr("req", "DTS-OUT-10 DTS-SEC-3")
	for name, tt := range map[string]struct{ old, new string }{
		"by":                 {`"by": "monitoring/kps"`, `"by": "kps"`},
		"for":                {`"for": "team/prom"`, `"for": ""`},
		"template in a type": {`"prometheus": {`, `"{{ env.TOKEN }}": {`},
	} {
		got, err := DecodeState(changed(t, tt.old, tt.new))
		if err != nil || len(got.StandIns) > 0 || len(got.Primaries) != 2 {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
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
