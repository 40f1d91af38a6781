package view

import (
	"fmt"
	"strings"
	"testing"

	"kubernaut.io/dynamic-toolset/internal/backend"
	"kubernaut.io/dynamic-toolset/internal/catalog"
)

// wanting is a finding whose backend requires credentials, and that nobody has named yet.
func wanting(typ, namespace, name string, labels map[string]string, line string) *backend.Finding {
	s := &backend.Service{
		Ref: backend.Ref{Namespace: namespace, Name: name}, Labels: labels, Ports: []backend.Port{{Name: "https", Number: 443}},
	}
	return &backend.Finding{
		Ref: s.Ref, Service: s, Type: typ, Candidate: &backend.Candidate{Service: s, Type: typ}, Verdict: backend.Unavailable,
		Observation: backend.Observation{Outcome: backend.AuthRequired}, Reason: backend.Reason{Code: backend.CodeCredentialsMissing},
		Remedies: []string{line},
	}
}

// What is said of how HolmesGPT gets the credentials of a backend: the same on the page, in the API and by explain.
func TestAdviceOfRecipes(t *testing.T) {
	t.Attr("req", "DTS-CLI-8 DTS-CLI-4")
	types, err := catalog.Builtin()
	if err != nil {
		t.Fatal(err)
	}
	chart := map[string]string{"app.kubernetes.io/name": "grafana", "helm.sh/chart": "grafana-12.7.3"}
	primary := wanting("grafana", "monitoring", "kps-grafana", chart, "")
	primary.Service.Selector = map[string]string{"app.kubernetes.io/instance": "kps", "app.kubernetes.io/name": "grafana"}
	primary.Verdict, primary.Remedies, primary.Entitled = backend.Accepted, nil, true
	primary.Credentials = map[string]string{"username": "GRAFANA_USERNAME", "password": "GRAFANA_PASSWORD"}
	beside := wanting("grafana", "kubernaut-system", "yes", chart, "")
	beside.Verdict, beside.Remedies, beside.Entitled, beside.Credentials = backend.Accepted, nil, true, primary.Credentials
	token := wanting("thanos", "openshift-monitoring", "thanos-querier", map[string]string{
		"app.kubernetes.io/managed-by": "cluster-monitoring-operator", "app.kubernetes.io/name": "thanos-query"}, "")
	token.Verdict, token.Remedies, token.AgentToken = backend.Accepted, nil, true
	basic := wanting("prometheus", "team-a", "prometheus", nil, "credentials: {prometheus: {team-a/prometheus: {basic_auth: PROMETHEUS_BASIC_AUTH_TEAM__A_PROMETHEUS}}}")
	basic.Observation.Wants = backend.KindBasic
	tests := []struct {
		name    string
		finding *backend.Finding
	}{
		{"Grafana's chart, nobody has named it", wanting("grafana", "monitoring", "kps-grafana", chart,
			"credentials: {grafana: {monitoring/kps-grafana: {api_key: GRAFANA_API_KEY_MONITORING_KPS__GRAFANA}}}")},
		{"Grafana's chart, the configuration names the user and the password", primary},
		{"in HolmesGPT's namespace, with a name that YAML takes for something else", beside},
		{"ECK", wanting("elasticsearch", "logs", "prod-es-http", map[string]string{
			"common.k8s.elastic.co/type": "elasticsearch", "elasticsearch.k8s.elastic.co/cluster-name": "prod"},
			"credentials: {elasticsearch: {logs/prod-es-http: {password: ELASTICSEARCH_PASSWORD_LOGS_PROD__ES__HTTP, username: ELASTICSEARCH_USERNAME_LOGS_PROD__ES__HTTP}}}")},
		{"vmauth", wanting("victoriametrics", "vm", "vmauth-main", map[string]string{
			"app.kubernetes.io/name": "vmauth", "managed-by": "vm-operator"},
			"credentials: {victoriametrics: {vm/vmauth-main: {basic_auth: VICTORIAMETRICS_BASIC_AUTH_VM_VMAUTH__MAIN}}}")},
		{"OpenShift's monitoring, with HolmesGPT's own token", token},
		{"nothing is known of who keeps them", basic},
	}
	var got strings.Builder
	for _, tt := range tests {
		fmt.Fprintf(&got, "%s\n", tt.name)
		e := Explain(Material{Service: tt.finding.Service, Catalog: types, Findings: []*backend.Finding{tt.finding},
			Hints: Hints{HolmesGPT: "kubernaut-system"}})
		for _, a := range e.Advice {
			fmt.Fprintf(&got, "  - %s\n", a.Text)
			for line := range strings.Lines(a.Command) {
				fmt.Fprintf(&got, "      %s\n", strings.TrimSuffix(line, "\n"))
			}
		}
		for _, r := range e.Services[0].Recipes {
			if r.Configuration == "" && tt.finding.Verdict != backend.Accepted {
				t.Errorf("%s: %s is offered without the line that vouches", tt.name, r.By)
			}
		}
	}
	golden(t, "recipes", got.String())
}

// The labels of every kind of rule are shown, since they decide something.
func TestLabelsRead(t *testing.T) {
	t.Attr("req", "DTS-CLI-4")
	types, err := catalog.Builtin()
	if err != nil {
		t.Fatal(err)
	}
	labels := map[string]string{"release": "kubecost", "app.kubernetes.io/part-of": "openshift-monitoring", "team": "a"}
	got := about(Material{Service: &backend.Service{Labels: labels}, Catalog: types})
	if got.OtherLabels != 1 || len(got.Labels) != 2 {
		t.Errorf("%v and %d others", got.Labels, got.OtherLabels)
	}
}
