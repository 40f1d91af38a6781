package files

import (
	"bytes"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"kubernaut.io/dynamic-toolset/internal/backend"
	"kubernaut.io/dynamic-toolset/internal/store"
)

// TestWarningCodes: each fault of a file has a code, which the log of a service gives beside the words.
func TestWarningCodes(t *testing.T) {
	t.Attr("req", "DTS-CLI-1")
	service := func(more string) string { return "kind: Service\nmetadata: {namespace: x, name: a" + more + "}\n" }
	for name, tt := range map[string]struct {
		in   string
		want store.WarningCode
	}{
		"an item of a List": {"kind: List\nitems: [7]\n", store.WarningNotObject},
		"no kind":           {"metadata: {name: a}\n", store.WarningNotObject},
		"a text for a list": {service("") + "spec: {ports: a}\n", store.WarningInvalid},
		"a list for a port": {service("") + "spec: {ports: [{port: 1, targetPort: []}]}\n", store.WarningInvalid},
		"no such port":      {service("") + "spec: {ports: [{port: 70000}]}\n", store.WarningInvalid},
		"given twice":       {service("") + "---\n" + service(""), store.WarningGivenTwice},
		"another kind":      {"kind: ConfigMap\napiVersion: v1\n", store.WarningNoServices},
	} {
		path := filepath.Join(t.TempDir(), "services.yaml")
		write(t, path, tt.in+"---\n"+svcYAML("b"))
		if tt.want == store.WarningNoServices {
			write(t, path, tt.in)
		}
		var log bytes.Buffer
		source := NewSource([]string{path}, SourceOptions{
			Store: store.Options{Relevant: func(*backend.Service) bool { return true }},
			Log:   slog.New(slog.NewTextHandler(&log, nil)),
		})
		must(t, source.Load(t.Context()))
		report, err := Read(t.Context(), []string{path}, nil, source.NewContents(), ReadOptions{})
		must(t, err)
		if len(report.Warnings) != 1 {
			t.Errorf("%s: warnings %v", name, report.Warnings)
			continue
		}
		if d := cmp.Diff(tt.want, report.Warnings[0].Code); d != "" {
			t.Errorf("%s (-want +got):\n%s", name, d)
		}
		if !strings.Contains(log.String(), " code="+string(tt.want)+" what=") {
			t.Errorf("%s: the log is\n%s", name, log.String())
		}
	}
}
