package cli

import (
	"fmt"
	"strings"
	"testing"
)

// TestUnknownAnnotation: whoever misspells an annotation is told by every command that reads Services, and nothing else changes.
func TestUnknownAnnotation(t *testing.T) {
	t.Attr("req", "DTS-ANN-1 DTS-CLI-4")
	service := func(name, annotations string) string {
		return fmt.Sprintf("{apiVersion: v1, kind: Service, metadata: {name: %s, namespace: shop, labels: {app.kubernetes.io/name: grafana}, "+
			"annotations: {%s}}, spec: {clusterIP: 10.0.0.9, ports: [{port: 3000}]}}\n---\n", name, annotations)
	}
	const said = "annotation kubernaut.io/toolset-nmae: unknown, so it has no effect; did you mean kubernaut.io/toolset-name?"
	file := service("dashboards", "kubernaut.io/toolset-nmae: boards")
	for name, tt := range map[string]struct{ out, err string }{
		"discover":                {"shop        dashboards   grafana", "warning: shop/dashboards: " + said + "\n"},
		"discover -o json":        {`"warning": "` + said + `"`, "warning: shop/dashboards: " + said + "\n"},
		"generate":                {"name: shop/dashboards", "warning: shop/dashboards: " + said + "\n"},
		"explain shop/dashboards": {"Correct its annotation kubernaut.io/toolset-nmae: unknown", ""},
	} {
		t.Run(name, func(t *testing.T) {
			r := runWith(t, file, append(strings.Fields(name), "-f", "-")...)
			expect(t, r.out, tt.out)
			expect(t, r.err, tt.err)
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

// TestWhoMaySayWhat: the configuration decides what annotations from outside the trusted namespaces may add.
func TestWhoMaySayWhat(t *testing.T) {
	t.Attr("req", "DTS-ANN-3 DTS-CFG-1")
	service := func(namespace, name, annotations string) string {
		return fmt.Sprintf("{apiVersion: v1, kind: Service, metadata: {name: %s, namespace: %s, "+
			"annotations: {kubernaut.io/toolset: 'true', %s}}, spec: {clusterIP: 10.0.0.9, ports: [{port: 3000}]}}\n---\n", name, namespace, annotations)
	}
	const orders = "kubernaut.io/toolset-type: custom, kubernaut.io/toolset-name: orders, kubernaut.io/toolset-description: "
	file := service("ours", "kb", orders+"Ours.") + service("shop", "kb", orders+"Theirs.") +
		service("shop", "boards", "kubernaut.io/toolset-type: grafana, kubernaut.io/toolset-name: primary")
	for name, tt := range map[string]struct {
		set      []string
		has, not []string
		refused  bool
	}{
		"nobody is trusted": {
			nil,
			[]string{"custom/ours/orders:", "custom/shop/orders:", "name: shop/primary\n", "Theirs."},
			[]string{"custom/orders:", "name: primary\n"}, false,
		},
		"one namespace is trusted": {
			[]string{"security.trustedNamespaces=[ours]"},
			[]string{"custom/orders:", "custom/shop/orders:", "name: shop/primary\n", "Theirs."}, []string{"custom/ours/orders:"}, false,
		},
		"only trusted ones may add": {
			[]string{"security.trustedNamespaces=[ours]", "security.annotations=trusted"},
			[]string{"custom/orders:", "name: shop/primary\n", "Ours."}, []string{"custom/shop/orders:", "Theirs."}, true,
		},
	} {
		args := []string{"-f", "-"}
		for _, s := range tt.set {
			args = append(args, "--set", s)
		}
		r := runWith(t, file, append([]string{"generate", "--key", "custom_toolset.yaml"}, args...)...)
		if r.code != 0 {
			t.Fatalf("%s: %s", name, r.err)
		}
		expect(t, r.out, tt.has...)
		forbid(t, r.out, tt.not...)
		explained := flat(runWith(t, file, append([]string{"explain", "shop/kb"}, args...)...).out)
		said := strings.Contains(explained, "rejected: annotation kubernaut.io/toolset-type: "+
			"an API that is no type of the catalog is accepted only from a namespace that")
		if said != tt.refused {
			t.Errorf("%s: explain says that it is refused: %t, want %t\n%s", name, said, tt.refused, explained)
		}
	}
}
