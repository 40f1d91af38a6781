package cli

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"

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
	services, verdicts := map[string]bool{}, map[string]bool{}
	for _, s := range list.Services {
		services[s.Namespace+"/"+s.Name] = true
		verdicts[string(s.Verdict)] = true
	}
	if len(services) != 40 {
		t.Errorf("%d Services", len(services))
	}
	if diff := cmp.Diff(map[string]bool{"accepted": true, "duplicate": true, "unconfirmed": true, "rejected": true}, verdicts); diff != "" {
		t.Errorf("verdicts (-want +got):\n%s", diff)
	}
}
