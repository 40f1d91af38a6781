package cli

import (
	"encoding/json"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"kubernaut.io/dynamic-toolset/internal/backend"
	"kubernaut.io/dynamic-toolset/internal/view"
)

// The cluster that the README has people begin with shows what there is to see, and reads without a warning.
func TestExampleCluster(t *testing.T) {
	t.Attr("req", "DTS-DOC-1")
	r := mustRun(t, "discover", "--all", "-o", "json", "-f", "../../examples/cluster.yaml")
	if r.err != "" {
		t.Errorf("standard error: %s", r.err)
	}
	var list struct{ Services []view.Service }
	if err := json.Unmarshal([]byte(r.out), &list); err != nil {
		t.Fatal(err)
	}
	services, verdicts, duplicates := map[string]bool{}, map[string]bool{}, []string(nil)
	for _, s := range list.Services {
		services[s.Namespace+"/"+s.Name] = true
		verdicts[string(s.Verdict)] = true
		if s.Verdict == backend.Duplicate {
			duplicates = append(duplicates, s.Namespace+"/"+s.Name)
		}
	}
	if len(services) != 40 {
		t.Errorf("%d Services", len(services))
	}
	if diff := cmp.Diff(map[string]bool{"accepted": true, "duplicate": true, "unconfirmed": true, "rejected": true}, verdicts); diff != "" {
		t.Errorf("verdicts (-want +got):\n%s", diff)
	}
	slices.Sort(duplicates)
	twins := []string{"logging/logs-es-default", "logging/loki-read", "monitoring/alertmanager-operated", "monitoring/prometheus-operated"}
	if diff := cmp.Diff(twins, duplicates); diff != "" {
		t.Errorf("duplicates (-want +got):\n%s", diff)
	}
}
