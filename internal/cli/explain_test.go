package cli

import (
	"encoding/json"
	"strings"
	"testing"

	"kubernaut.io/dynamic-toolset/internal/backend"
)

func TestExplain(t *testing.T) {
	t.Attr("req", "DTS-CLI-4")
	tests := []struct {
		name, service string
		args          []string
	}{
		{"accepted", "monitoring/prometheus-server", nil},
		{"duplicate", "monitoring/prometheus-server-headless", nil},
		{"rejected", "monitoring/prometheus-pushgateway", nil},
		{"unconfirmed", "team-a/metrics", nil},
		{"missed", "shop/checkout", nil},
		{"bad-annotation", "shop/orders-kb", nil},
		{"opted-out", "logging/loki", nil},
		{"credentials", "monitoring/grafana", nil},
		{"unavailable", "logging/elasticsearch-master", []string{"--probe=direct"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := mustRun(t, append([]string{"explain", "-f", clusterFile, tt.service}, tt.args...)...)
			golden(t, "explain-"+tt.name, r.out)
			if r.err != "" {
				t.Errorf("stderr: %s", r.err)
			}
			verdict, _, _ := strings.Cut(strings.TrimPrefix(tt.name, "opted-"), "\n")
			for _, v := range backend.Verdicts {
				if first, _, _ := strings.Cut(r.out, "\n\n"); string(v) == verdict && !strings.Contains(first, verdict) {
					t.Errorf("the first sentence does not give the verdict: %s", first)
				}
			}
			for l := range strings.Lines(r.out) {
				if !strings.Contains(l, "kubectl -n ") && len(l) > textWidth+1 {
					t.Errorf("a line of %d characters: %s", len(l), l)
				}
			}
		})
	}
}

func TestExplainJSON(t *testing.T) {
	t.Attr("req", "DTS-CLI-4")
	var got explanation
	r := mustRun(t, "explain", "-f", clusterFile, "-n", "monitoring", "prometheus-pushgateway", "-o", "json")
	if err := json.Unmarshal([]byte(r.out), &got); err != nil {
		t.Fatal(err)
	}
	if len(got.Services) != 1 || got.Services[0].Verdict != backend.Rejected || got.Requests == nil ||
		len(got.Tried) != 1 || got.Tried[0].Type != "prometheus" || got.Tried[0].Against != got.Services[0].Reason {
		t.Errorf("%s", r.out)
	}
}

// TestAdvice: what a person is told to do is for the case at hand.
func TestAdvice(t *testing.T) {
	t.Attr("req", "DTS-CLI-4")
	service := &backend.Service{Ref: backend.Ref{Namespace: "a", Name: "b"}, Ports: []backend.Port{{Number: 80}}}
	selecting := &backend.Service{Ref: service.Ref, Ports: service.Ports, Selector: map[string]string{"app": "b", "tier": "x"}}
	weak := &backend.Candidate{Service: service}
	explicit := &backend.Candidate{Service: service, Strength: backend.Explicit}
	unavailable := func(s *backend.Service, o backend.Outcome) backend.Finding {
		return backend.Finding{Service: s, Type: "grafana", Candidate: weak, Verdict: backend.Unavailable, Observation: backend.Observation{Outcome: o}}
	}
	tests := []struct {
		name    string
		finding backend.Finding
		want    string // part of it
	}{
		{"no endpoints", unavailable(selecting, backend.NoEndpoints), "kubectl -n a get pods -l app=b,tier=x"},
		{"no endpoints, no selector", unavailable(service, backend.NoEndpoints), "kubectl -n a get endpointslices -l kubernetes.io/service-name=b"},
		{"TLS", unavailable(service, backend.UntrustedTLS), "tls: {insecureSkipVerify: [a/b]}"},
		{"refused", unavailable(service, backend.Unreachable), "taken in as soon as it answers"},
		{"something else", backend.Finding{Service: service, Type: "grafana", Candidate: weak, Verdict: backend.Rejected, Reason: "x"}, "toolset-type=custom"},
		{"something else, but its owner says so", backend.Finding{Service: service, Type: "grafana", Candidate: explicit, Verdict: backend.Rejected, Reason: "x"}, "toolset-port=PORT"},
		{"bad annotation", backend.Finding{Service: service, Verdict: backend.Rejected, Reason: "annotation kubernaut.io/toolset-scheme: expected http or https"}, "kubernaut.io/toolset-scheme=VALUE"},
		{"name taken", backend.Finding{Service: service, Candidate: explicit, Verdict: backend.Rejected, Reason: `annotation kubernaut.io/toolset-name: "x" is taken`}, "kubernaut.io/toolset-name=VALUE"},
	}
	for _, tt := range tests {
		tt.finding.Ref = service.Ref
		var texts []string
		for _, a := range new(discovered).advise(&tt.finding) {
			texts = append(texts, a.text, a.command)
		}
		if got := strings.Join(texts, "\n"); !strings.Contains(got, tt.want) {
			t.Errorf("%s: %q is not in\n%s", tt.name, tt.want, got)
		}
	}
	external := backend.Finding{Service: &backend.Service{Type: "ExternalName"}, Verdict: backend.Rejected, Reason: "an ExternalName Service"}
	if got := new(discovered).advise(&external); len(got) != 0 {
		t.Errorf("nothing can be done about an ExternalName Service, yet: %v", got)
	}
}
