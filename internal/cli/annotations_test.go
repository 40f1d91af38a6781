package cli

import (
	"fmt"
	"strings"
	"testing"
)

// TestUnknownAnnotation: whoever misspells an annotation is told by every command that reads Services, and nothing else changes.
func TestUnknownAnnotation(t *testing.T) {
	t.Attr("req", "DTS-ANN-1")
	t.Attr("req", "DTS-CLI-4")
	service := func(name, annotations string) string {
		return fmt.Sprintf("{apiVersion: v1, kind: Service, metadata: {name: %s, namespace: shop, labels: {app.kubernetes.io/name: grafana}, "+
			"annotations: {%s}}, spec: {clusterIP: 10.0.0.9, ports: [{port: 3000}]}}\n---\n", name, annotations)
	}
	const said = "annotation kubernaut.io/toolset-nmae: unknown, so that it has no effect; did you mean kubernaut.io/toolset-name?"
	file := service("dashboards", "kubernaut.io/toolset-nmae: boards")
	for name, tt := range map[string]struct{ out, err string }{
		"discover":                {"shop        dashboards   grafana", "warning: shop/dashboards: " + said + "\n"},
		"discover -o json":        {`"warning": "` + said + `"`, "warning: shop/dashboards: " + said + "\n"},
		"generate":                {"name: shop/dashboards", "warning: shop/dashboards: " + said + "\n"},
		"explain shop/dashboards": {"Mend its annotation kubernaut.io/toolset-nmae: unknown", ""},
	} {
		t.Run(name, func(t *testing.T) {
			r := runWith(t, file, append(strings.Fields(name), "-f", "-")...)
			if !strings.Contains(r.out, tt.out) || !strings.Contains(r.err, tt.err) {
				t.Errorf("stdout:\n%s\nstderr:\n%s", r.out, r.err)
			}
		})
	}
	file = ""
	for i := range 13 {
		file += service(fmt.Sprintf("g%02d", i), "kubernaut.io/toolsets: x")
	}
	r := runWith(t, file, "discover", "-f", "-")
	if n := strings.Count(r.err, "did you mean kubernaut.io/toolset?"); n != 10 || !strings.Contains(r.err, "warning: and 3 Services more") {
		t.Errorf("of 13 Services it tells of %d:\n%s", n, r.err)
	}
}
