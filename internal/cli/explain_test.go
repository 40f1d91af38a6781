package cli

import (
	"encoding/json"
	"strings"
	"testing"

	"kubernaut.io/dynamic-toolset/internal/backend"
	"kubernaut.io/dynamic-toolset/internal/view"
)

func TestExplain(t *testing.T) {
	t.Attr("req", "DTS-OUT-12 DTS-CLI-4")
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
	var got view.Explanation
	r := mustRun(t, "explain", "-f", clusterFile, "-n", "monitoring", "prometheus-pushgateway", "-o", "json")
	if err := json.Unmarshal([]byte(r.out), &got); err != nil {
		t.Fatal(err)
	}
	if len(got.Services) != 1 || got.Services[0].Verdict != backend.Rejected || got.Services[0].Requests == nil ||
		len(got.Tried) != 1 || got.Tried[0].Type != "prometheus" || got.Tried[0].Against != got.Services[0].Reason {
		t.Errorf("%s", r.out)
	}
}
