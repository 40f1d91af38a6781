package agent

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestInstances has HolmesGPT's reason for each instance that fails, as multi_instance.py writes them.
func TestInstances(t *testing.T) {
	t.Attr("req", "DTS-RUN-7")
	tests := []struct {
		name, status, text string
		want               map[string]string
	}{
		{"one of two", StatusEnabled, "[a/prom] ; failed: [b/prom] Connection refused: [Errno 111]", map[string]string{"b/prom": "Connection refused: [Errno 111]"}},
		{"two of three", StatusEnabled, "[a/prom] ok; failed: [b/prom] timed out | [c/prom] HTTP 403", map[string]string{"b/prom": "timed out", "c/prom": "HTTP 403"}},
		{"all", StatusFailed, "[a/prom] timed out\n[b/prom] HTTP 403\nof two lines", map[string]string{"a/prom": "timed out", "b/prom": "HTTP 403 of two lines"}},
		{"a reason that names another", StatusEnabled, "[a/prom] ok; failed: [b/prom] x | [a/prom] it is I who fails", map[string]string{"b/prom": "x"}},
		{"a reason that names another almost", StatusEnabled, "[a/prom] ok; failed: [b/prom] x | [a/prom ] it is I | [a/prom\u200b] who fails",
			map[string]string{"b/prom": "x"}},
		{"all work", StatusEnabled, "[a/prom] ok; [b/prom] ok", nil},
		{"no instance is at fault", StatusFailed, "ENV var replacement X does not exist", nil},
		{"the key", StatusFailed, "[a/prom] refuses s3cret", map[string]string{"a/prom": "refuses [key]"}},
		{"a value of a setting", StatusEnabled, "[a/prom] ok; failed: [b/prom] bad, input_value={'key': 'x | [c/prom] S3CRET'} | [d/prom] x", map[string]string{"b/prom": "bad, input_value=[not shown]]"}},
		{"switched off", StatusDisabled, "[a/prom] x", nil},
		{"a reason that names another in brackets", StatusFailed, "[a/prom] x\n[b/prom] [[a/prom]] is well", map[string]string{"b/prom": "[[a/prom]] is well"}},
		{"not in the document", StatusFailed, "[a/prom] x\n[e/prom] y", map[string]string{"a/prom": "x"}},
		{"ends in a name", StatusFailed, "[a/prom", map[string]string{}},
		{"cut", StatusFailed, "[a/prom] x\n[b/prom] y" + cutMark, nil},
	}
	known := map[string]bool{"a/prom": true, "b/prom": true, "c/prom": true, "d/prom": true}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, failing(&Toolset{Status: tt.status, Error: tt.text}, known, "s3cret")); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// A reason that quotes a backend's answer adds no instance that the document does not have.
func TestInstancesAreTheDocuments(t *testing.T) {
	t.Attr("req", "DTS-RUN-7 DTS-SEC-3")
	h := &holmes{loaded: "generation/1", failing: "[a/prom] timed out\n[evil/prom] is yours\n[b/prom] HTTP 403"}
	r, _ := askOne(t, h)
	if len(r.Toolsets) != 1 {
		t.Fatalf("%+v", r)
	}
	want := map[string]string{"a/prom": "timed out", "b/prom": "HTTP 403"}
	if diff := cmp.Diff(want, r.Toolsets[0].Instances); diff != "" {
		t.Error(diff)
	}
}

// Each toolset of the document is listed once, whatever HolmesGPT lists.
func TestToolsetsAreThoseOfTheDocument(t *testing.T) {
	t.Attr("req", "DTS-RUN-7")
	list := strings.Repeat(`{"name": "prometheus/metrics", "status": "failed"}, {"name": "bash", "status": "enabled"}, `, 1000)
	r, _ := askOne(t, reloading(`{"version": "1", "toolsets": [`+list+`{"name": "prometheus/metrics", "status": "enabled"}]}`))
	if got := r.Toolsets; len(got) != 1 || got[0].Status != StatusEnabled {
		t.Errorf("%d toolsets: %v", len(got), got[:min(3, len(got))])
	}
}
