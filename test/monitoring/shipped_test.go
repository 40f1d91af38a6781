//go:build monitoring

package monitoring

import (
	"encoding/json"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"

	"kubernaut.io/dynamic-toolset/test/chart/shipped"
)

// monitor is what the ServiceMonitor says about scraping.
type monitor struct {
	Port        string `json:"port"`
	Path        string `json:"path"`
	Scheme      string `json:"scheme"`
	HonorLabels bool   `json:"honorLabels"`
}

// panel is one of the dashboard.
type panel struct {
	Title   string `json:"title"`
	Targets []struct {
		Expr string `json:"expr"`
	} `json:"targets"`
}

// delivered are the objects of the chart, for a service as the tests run it.
func delivered(t *testing.T, namespace string) shipped.Objects {
	t.Helper()
	objects, err := shipped.Render(t.Context(), "dynamic-toolset", "--namespace", namespace,
		"--set", "serviceMonitor.enabled=true", "--set", "prometheusRule.enabled=true", "--set", "dashboard.enabled=true",
		"--set", "config.auth.mode=none", "--set-string", "config.server.tls.mode=off")
	check(t, err)
	return objects
}

func one(t *testing.T, objects shipped.Objects, kind string) map[string]any {
	t.Helper()
	list := objects.Kind(kind)
	if len(list) != 1 {
		t.Fatalf("%d of the kind %s, want one", len(list), kind)
	}
	return list[0].Object
}

func monitorOf(t *testing.T, objects shipped.Objects) *monitor {
	t.Helper()
	list, _, err := unstructured.NestedSlice(one(t, objects, "ServiceMonitor"), "spec", "endpoints")
	check(t, err)
	if len(list) != 1 {
		t.Fatalf("%d endpoints, want one", len(list))
	}
	m := &monitor{}
	convert(t, list[0], m)
	return m
}

// rulesOf are the alert rules, and the names of the alerts. They wait two seconds each, however long they do as delivered;
// nothing else of them is changed.
func rulesOf(t *testing.T, objects shipped.Objects) (text string, names []string) {
	t.Helper()
	spec, _, err := unstructured.NestedMap(one(t, objects, "PrometheusRule"), "spec")
	check(t, err)
	groups, _, err := unstructured.NestedSlice(spec, "groups")
	check(t, err)
	for _, g := range groups {
		group, _ := g.(map[string]any)
		rules, _ := group["rules"].([]any)
		for _, r := range rules {
			rule, _ := r.(map[string]any)
			if name, ok := rule["alert"].(string); ok {
				names = append(names, name)
				rule["for"] = "2s"
			}
		}
	}
	data, err := yaml.Marshal(map[string]any{"groups": groups})
	check(t, err)
	return string(data), names
}

// panelsOf are the dashboard's.
func panelsOf(t *testing.T, objects shipped.Objects) []panel {
	t.Helper()
	for _, o := range objects.Kind("ConfigMap") {
		data, _, err := unstructured.NestedStringMap(o.Object, "data")
		check(t, err)
		for name, text := range data {
			if strings.HasSuffix(name, ".json") {
				var dashboard struct{ Panels []panel }
				check(t, json.Unmarshal([]byte(text), &dashboard))
				return dashboard.Panels
			}
		}
	}
	t.Fatal("no dashboard")
	return nil
}

func convert(t *testing.T, from, to any) {
	t.Helper()
	data, err := json.Marshal(from)
	check(t, err)
	check(t, json.Unmarshal(data, to))
}
