//go:build chart

package chart

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"

	corev1 "k8s.io/api/core/v1"

	"kubernaut.io/dynamic-toolset/internal/agent"
	"kubernaut.io/dynamic-toolset/internal/backend"
	"kubernaut.io/dynamic-toolset/internal/server"
)

// group is one of alert rules.
type group struct {
	Name  string `json:"name"`
	Rules []rule `json:"rules"`
}

type rule struct {
	Alert       string            `json:"alert,omitempty"`
	Record      string            `json:"record,omitempty"`
	Expr        string            `json:"expr"`
	For         string            `json:"for,omitempty"`
	Labels      map[string]string `json:"labels,omitempty"`
	Annotations map[string]string `json:"annotations,omitempty"`
}

func alerts(t *testing.T, args ...string) (text string, list []rule) {
	t.Helper()
	r := render(t, append([]string{"--set", "prometheusRule.enabled=true", "--set", "prometheusRule.runbookURL=https://example.org/runbook"}, args...)...)
	spec, found, err := unstructured.NestedMap(r.custom(t, "PrometheusRule"), "spec")
	if err != nil || !found {
		t.Fatalf("no rules: %v", err)
	}
	data, err := yaml.Marshal(spec)
	check(t, err)
	var groups struct{ Groups []group }
	check(t, yaml.UnmarshalStrict(data, &groups))
	for _, g := range groups.Groups {
		list = append(list, g.Rules...)
	}
	return string(data), list
}

// promtool is of Debian's package prometheus.
func promtool(t *testing.T) string {
	t.Helper()
	path, err := exec.LookPath("promtool")
	if err != nil {
		t.Fatal("promtool is missing: install the package prometheus, or put Prometheus's release on the PATH")
	}
	return path
}

// TestAlerts: each fires and clears, and links to its section of the runbook.
func TestAlerts(t *testing.T) {
	t.Attr("req", "DTS-PKG-1 DTS-DOC-1")
	text, list := alerts(t)
	dir := t.TempDir()
	write(t, filepath.Join(dir, "rules.yaml"), text)
	tests := read(t, "test", "chart", "rules_test.yaml")
	write(t, filepath.Join(dir, "rules_test.yaml"), tests)
	command(t, "", promtool(t), "check", "rules", filepath.Join(dir, "rules.yaml"))
	command(t, "", promtool(t), "test", "rules", filepath.Join(dir, "rules_test.yaml"))

	sections := map[string]bool{}
	for _, m := range regexp.MustCompile(`(?m)^## (DynamicToolset\w+)$`).FindAllStringSubmatch(read(t, "docs", "runbook.md"), -1) {
		sections[m[1]] = true
	}
	metrics := read(t, "docs", "metrics.md")
	for _, a := range list {
		if !sections[a.Alert] || !strings.Contains(metrics, a.Alert) {
			t.Errorf("docs/runbook.md has no section %s, or docs/metrics.md does not tell of it", a.Alert)
		}
		delete(sections, a.Alert)
		if want := "https://example.org/runbook#" + strings.ToLower(a.Alert); a.Annotations["runbook_url"] != want {
			t.Errorf("%s links to %q, want %q", a.Alert, a.Annotations["runbook_url"], want)
		}
		if a.Annotations["summary"] == "" || a.Annotations["description"] == "" || !slices.Contains([]string{"critical", "warning"}, a.Labels["severity"]) {
			t.Errorf("%s: %+v", a.Alert, a)
		}
		fires := fmt.Sprintf("alertname: %s\n        exp_alerts:", a.Alert)
		if n := strings.Count(tests, "alertname: "+a.Alert); !strings.Contains(tests, fires) || n < 3 {
			t.Errorf("%s is not tested before, while and after it fires", a.Alert)
		}
		exported(t, a.Alert, a.Expr)
	}
	if len(sections) > 0 {
		t.Errorf("docs/runbook.md has sections of alerts that there are not: %v", sections)
	}
	if left := regexp.MustCompile(`NAMESPACE|RUNBOOK`).FindString(text); left != "" {
		t.Errorf("%s is left in the rules", left)
	}
}

var (
	ours    = regexp.MustCompile(`\bdynamictoolset_[a-z_]+(\{[^}]*\})?`)
	matcher = regexp.MustCompile(`([a-z_]+)(=~|!~|!=|=)"([^"]*)"`)
)

// exported: an expression uses metrics that the program exports, with labels and values that they have.
func exported(t *testing.T, where, expr string) {
	t.Helper()
	used := ours.FindAllString(expr, -1)
	if len(used) == 0 {
		t.Errorf("%s uses no metric of ours: %s", where, expr)
	}
	for _, selector := range used {
		name, rest, _ := strings.Cut(selector, "{")
		m := metric(name)
		if m == nil {
			t.Errorf("%s: there is no metric %s", where, name)
			continue
		}
		for _, match := range matcher.FindAllStringSubmatch(rest, -1) {
			label, value := match[1], match[3]
			if label == "namespace" { // of the scrape
				continue
			}
			if !slices.Contains(m.Labels, label) {
				t.Errorf("%s: %s has no label %s but %v", where, name, label, m.Labels)
			}
			for v := range strings.SplitSeq(value, "|") {
				if !slices.Contains(labelValues(label), v) {
					t.Errorf("%s: %s is never %q", where, label, v)
				}
			}
		}
	}
}

func metric(name string) *server.Metric {
	for _, m := range server.NewMetrics("test", []string{"prometheus"}).Describe() {
		plain := name
		if m.Type == "histogram" {
			for _, suffix := range []string{"_bucket", "_sum", "_count"} {
				plain = strings.TrimSuffix(plain, suffix)
			}
		}
		if m.Name == plain {
			return &m
		}
	}
	return nil
}

func labelValues(label string) (list []string) {
	switch label {
	case "result":
		for _, r := range server.Results() {
			list = append(list, string(r))
		}
	case "operation":
		for _, o := range server.Operations() {
			list = append(list, string(o))
		}
	case "status":
		list = []string{agent.StatusEnabled, agent.StatusFailed}
	case "state":
		for _, v := range backend.Verdicts {
			list = append(list, string(v))
		}
	}
	return list
}

// TestDashboard: it is what Grafana reads, its panels do not overlap, and its expressions are of metrics that there are.
func TestDashboard(t *testing.T) {
	t.Attr("req", "DTS-PKG-1")
	r := render(t, "--set", "dashboard.enabled=true")
	var text string
	for _, cm := range all[*corev1.ConfigMap](r) {
		if cm.Labels["grafana_dashboard"] == "1" {
			text = cm.Data["dynamic-toolset.json"]
		}
	}
	var board struct {
		Title, UID string
		Panels     []struct {
			ID      int
			Title   string
			GridPos struct{ X, Y, W, H int }
			Targets []struct{ Expr string }
		}
	}
	check(t, json.Unmarshal([]byte(text), &board))
	if board.Title == "" || board.UID == "" || len(board.Panels) == 0 {
		t.Fatalf("%+v", board)
	}
	taken := map[[2]int]string{}
	var rules []rule
	for _, p := range board.Panels {
		for x := p.GridPos.X; x < p.GridPos.X+p.GridPos.W; x++ {
			for y := p.GridPos.Y; y < p.GridPos.Y+p.GridPos.H; y++ {
				if other := taken[[2]int{x, y}]; other != "" || x >= 24 {
					t.Fatalf("%q is over %q, or over the edge", p.Title, other)
				}
				taken[[2]int{x, y}] = p.Title
			}
		}
		if len(p.Targets) == 0 {
			t.Errorf("%q shows nothing", p.Title)
		}
		for i, target := range p.Targets {
			expr := strings.NewReplacer("$namespace", ".*", "$__rate_interval", "5m").Replace(target.Expr)
			exported(t, p.Title, strings.ReplaceAll(expr, `namespace=~".*"`, `namespace=~"x"`))
			rules = append(rules, rule{Record: fmt.Sprintf("panel:%d:%d", p.ID, i), Expr: expr})
		}
	}
	data, err := yaml.Marshal(map[string][]group{"groups": {{Name: "panels", Rules: rules}}})
	check(t, err)
	path := filepath.Join(t.TempDir(), "panels.yaml")
	check(t, os.WriteFile(path, data, 0o600))
	command(t, "", promtool(t), "check", "rules", path)
}

// TestServiceMonitor: Prometheus asks by the scheme that is served, and says who it is where that is asked.
func TestServiceMonitor(t *testing.T) {
	t.Attr("req", "DTS-PKG-1")
	for _, c := range []struct {
		sets []string
		want string
	}{
		{nil, "bearerTokenFile: /var/run/secrets/kubernetes.io/serviceaccount/token\nhonorLabels: true\ninterval: 30s\npath: /metrics\nport: metrics\nscheme: https\ntlsConfig:\n  insecureSkipVerify: true\n"},
		{[]string{"config.auth.mode=none"}, "honorLabels: true\ninterval: 30s\npath: /metrics\nport: metrics\nscheme: https\ntlsConfig:\n  insecureSkipVerify: true\n"},
		{[]string{"config.auth.mode=none", "config.server.tls.mode=off"}, "honorLabels: true\ninterval: 30s\npath: /metrics\nport: metrics\nscheme: http\n"},
		{[]string{"tlsSecret=x", "serviceMonitor.tlsConfig.serverName=x"}, "bearerTokenFile: /var/run/secrets/kubernetes.io/serviceaccount/token\nhonorLabels: true\ninterval: 30s\npath: /metrics\nport: metrics\nscheme: https\ntlsConfig:\n  serverName: x\n"},
	} {
		args := []string{"--set", "serviceMonitor.enabled=true"}
		for _, s := range c.sets {
			args = append(args, "--set", s)
		}
		r := render(t, args...)
		list, _, err := unstructured.NestedSlice(r.custom(t, "ServiceMonitor"), "spec", "endpoints")
		check(t, err)
		got, err := yaml.Marshal(list[0])
		check(t, err)
		if string(got) != c.want {
			t.Errorf("%v: %s, want %s", c.sets, got, c.want)
		}
		match, _, err := unstructured.NestedStringMap(r.custom(t, "ServiceMonitor"), "spec", "selector", "matchLabels")
		check(t, err)
		service := only[*corev1.Service](t, r)
		for k, v := range match {
			if service.Labels[k] != v {
				t.Errorf("the ServiceMonitor selects %s=%s, and the Service has %v", k, v, service.Labels)
			}
		}
	}
}
