package cli

import (
	"path/filepath"
	"strings"
	"testing"
)

// TestOutConflicts refuses what means nothing where a directory is written, before anything is.
func TestOutConflicts(t *testing.T) {
	t.Attr("req", "DTS-RUN-6 DTS-CFG-1")
	for _, tt := range []struct {
		args []string
		want string
	}{
		{[]string{"--set", "output.configMap=toolsets"}, "output.configMap: with --out no ConfigMap is written; leave it out"},
		{[]string{"--set", "holmesgpt.service=holmes/holmes-holmes"}, "holmesgpt.service: with --out one HolmesGPT reads the directory"},
		{[]string{"-f", clusterFile, "--set", "auth.mode=kubernetes"}, "auth.mode kubernetes: with -f there is no cluster that could check tokens"},
		{[]string{"--set", "holmesgpt.service=off"}, ""},
		{[]string{"--set", "holmesgpt.url=http://127.0.0.1:5050", "--set", "output.namespace=holmes"}, ""},
		{[]string{"--overrides", "overrides.yaml"}, ""},
	} {
		t.Run(strings.Join(tt.args, " "), func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "out")
			got := run(t, append([]string{"serve", "--check", "--out", dir}, tt.args...)...)
			if tt.want == "" && got.code != 0 || tt.want != "" && (got.code != 1 || !strings.Contains(got.err, tt.want)) {
				t.Errorf("%+v\nwant %q", got, tt.want)
			}
		})
	}
	if got := run(t, "serve", "-f", clusterFile, "--out", t.TempDir(), "--overrides", filepath.Join(t.TempDir(), "none", "o.yaml")); got.code != 1 ||
		!strings.Contains(got.err, "--overrides: ") || !strings.Contains(got.err, "no such file or directory") {
		t.Errorf("a mount that is not there: %+v", got)
	}
}
