package recipe_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"kubernaut.io/dynamic-toolset/internal/backend"
	"kubernaut.io/dynamic-toolset/internal/catalog"
	"kubernaut.io/dynamic-toolset/internal/recipe"
)

func at(namespace, name string) backend.Ref { return backend.Ref{Namespace: namespace, Name: name} }

func builtin(t *testing.T) *catalog.Catalog {
	t.Helper()
	c, err := catalog.Builtin()
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// installed are Services as charts and operators make them, whose backend requires credentials that nobody has named.
func installed(typ, namespace, name string, labels, selector map[string]string, ports ...string) *backend.Finding {
	s := &backend.Service{Ref: at(namespace, name), Labels: labels, Selector: selector}
	for i, p := range ports {
		s.Ports = append(s.Ports, backend.Port{Name: p, Number: int32(9000 + i)})
	}
	return &backend.Finding{
		Ref: s.Ref, Service: s, Type: typ, Candidate: &backend.Candidate{Service: s, Type: typ}, Verdict: backend.Unavailable,
		Observation: backend.Observation{Outcome: backend.AuthRequired}, Remedies: []string{"credentials: …"},
	}
}

func grafana(namespace, name string) *backend.Finding {
	return installed("grafana", namespace, name, map[string]string{
		"app.kubernetes.io/name": "grafana", "helm.sh/chart": "grafana-12.7.3", "app.kubernetes.io/instance": "kps",
	}, nil, "http-web")
}

// told is a recipe in a line for each thing.
func told(r backend.Recipe) (lines []string) {
	lines = append(lines, fmt.Sprintf("%s: %q -> %q", r.By, r.Secret, r.Copy))
	for _, i := range r.Items {
		lines = append(lines, fmt.Sprintf("%s: %s from %q, %q", i.Field, i.Variable, i.Key, i.Value))
	}
	for _, s := range r.Steps {
		lines = append(lines, "step: "+s.Command)
	}
	if r.Line != "" {
		lines = append(lines, r.Line)
	}
	return lines
}

// Each chart and operator keeps its credentials elsewhere, as its own source says; see the catalog.
func TestRecipesOfChartsAndOperators(t *testing.T) {
	t.Attr("req", "DTS-CLI-8")
	c := builtin(t)
	tests := map[string]struct {
		finding *backend.Finding
		secret  string
		items   string // field=key, or field:value
	}{
		"Grafana's chart in kube-prometheus-stack": {grafana("monitoring", "kps-grafana"), "kps-grafana", "password=admin-password username=admin-user"},
		"Rancher's monitoring": {installed("grafana", "cattle-monitoring-system", "rancher-monitoring-grafana", map[string]string{
			"app.kubernetes.io/name": "grafana", "helm.sh/chart": "grafana-9.2.1"}, nil, "nginx-http"),
			"rancher-monitoring-grafana", "password=admin-password username=admin-user"},
		"Grafana's older chart": {installed("grafana", "m", "graf", map[string]string{"app": "grafana", "chart": "grafana-3.5.0"}, nil, "service"),
			"graf", "password=admin-password username=admin-user"},
		"Grafana by bitnami": {installed("grafana", "m", "graf", map[string]string{
			"app.kubernetes.io/name": "grafana", "helm.sh/chart": "grafana-12.1.9", "app.kubernetes.io/component": "grafana"}, nil, "http"),
			"graf-admin", "password=GF_SECURITY_ADMIN_PASSWORD username:admin"},
		"the Grafana operator": {installed("grafana", "m", "ops-service", map[string]string{
			"app.kubernetes.io/managed-by": "grafana-operator"}, map[string]string{"app": "ops"}, "grafana"),
			"ops-admin-credentials", "password=GF_SECURITY_ADMIN_PASSWORD username=GF_SECURITY_ADMIN_USER"},
		"ECK": {installed("elasticsearch", "logs", "prod-es-http", map[string]string{
			"common.k8s.elastic.co/type": "elasticsearch", "elasticsearch.k8s.elastic.co/cluster-name": "prod"}, nil, "https"),
			"prod-es-elastic-user", "password=elastic username:elastic"},
		"Elastic's chart": {installed("elasticsearch", "logs", "elasticsearch-master", map[string]string{
			"chart": "elasticsearch", "app": "elasticsearch-master", "heritage": "Helm", "release": "es"}, nil, "http", "transport"),
			"elasticsearch-master-credentials", "password=password username=username"},
		"Elasticsearch by bitnami": {installed("elasticsearch", "logs", "es", map[string]string{"app.kubernetes.io/name": "elasticsearch",
			"helm.sh/chart": "elasticsearch-22.1.0", "app.kubernetes.io/component": "master"}, nil, "tcp-rest-api", "tcp-transport"),
			"es", "password=elasticsearch-password username:elastic"},
		"the OpenSearch operator": {installed("opensearch", "logs", "search", map[string]string{"opensearch.org/opensearch-cluster": "main"}, nil, "http"),
			"main-admin-password", "password=password username=username"},
		"the OpenSearch operator of old": {installed("opensearch", "logs", "search", map[string]string{"opster.io/opensearch-cluster": "main"}, nil, "http"),
			"main-admin-password", "password=password username=username"},
		"OpenSearch by bitnami": {installed("opensearch", "logs", "os", map[string]string{"helm.sh/chart": "opensearch-2.0.1"}, nil, "tcp-rest-api"),
			"os", "password=opensearch-password username:admin"},
		"the OpenSearch chart": {installed("opensearch", "logs", "opensearch-cluster-master", map[string]string{
			"app.kubernetes.io/name": "opensearch", "helm.sh/chart": "opensearch-3.2.1"}, nil, "http", "transport"),
			"", "password=password username:admin"},
		"vmauth": {installed("victoriametrics", "vm", "vmauth-main", map[string]string{
			"app.kubernetes.io/name": "vmauth", "managed-by": "vm-operator"}, nil, "http"), "", "basic_auth=basic_auth"},
		"LokiStack": {installed("loki", "openshift-logging", "logging-loki-gateway-http", map[string]string{
			"app.kubernetes.io/name": "lokistack", "app.kubernetes.io/component": "lokistack-gateway"}, nil, "public"),
			"", "api_key=token"},
		"OpenShift's Alertmanager": {installed("alertmanager", "openshift-monitoring", "alertmanager-main", map[string]string{
			"app.kubernetes.io/managed-by": "cluster-monitoring-operator"}, nil, "web"), "", "token=token"},
		"made by hand": {installed("prometheus", "m", "prometheus", nil, nil, "web"), "", "bearer_token=bearer_token"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			f := tt.finding
			list := recipe.For(f, c.Lookup(f.Type), "kubernaut-system")
			if len(list) == 0 {
				t.Fatal("no recipe")
			}
			var items []string
			for _, i := range list[0].Items {
				items = append(items, i.Field+map[bool]string{true: ":" + i.Value, false: "=" + i.Key}[i.Key == ""])
				if suffix := "_" + strings.ReplaceAll(strings.ToUpper(f.Namespace+"_"+f.Name), "-", "__"); !strings.HasSuffix(i.Variable, suffix) {
					t.Errorf("variable %s is not named after the Service", i.Variable)
				}
				if !strings.Contains(list[0].Line, i.Field+": "+i.Variable) {
					t.Errorf("%q does not name %s", list[0].Line, i.Variable)
				}
			}
			if got := strings.Join(items, " "); list[0].Secret != tt.secret || got != tt.items {
				t.Errorf("Secret %q: %s; want %q: %s", list[0].Secret, got, tt.secret, tt.items)
			}
			if want := "dynamic-toolset." + f.Type + "." + f.Namespace + "." + f.Name; list[0].Copy != want {
				t.Errorf("copy %q, want %q", list[0].Copy, want)
			}
			for _, r := range list[1:] {
				if r.Secret != "" {
					t.Errorf("a second Secret: %s of %s", r.Secret, r.By)
				}
			}
		})
	}
}

// What the configuration has named comes first, and needs no line; what it has not named has the line.
func TestRecipesFollowTheConfiguration(t *testing.T) {
	t.Attr("req", "DTS-CLI-8 DTS-OUT-4")
	c := builtin(t)
	given := func(f *backend.Finding, credentials map[string]string) *backend.Finding {
		f.Verdict, f.Remedies, f.Entitled, f.Vouched, f.Credentials = backend.Accepted, nil, true, true, credentials
		return f
	}
	chart := "Grafana's chart (also in kube-prometheus-stack and Rancher's monitoring): "
	tests := map[string]struct {
		finding   *backend.Finding
		namespace string
		want      []string
	}{
		"the chart's Secret": {given(grafana("monitoring", "g"), map[string]string{"username": "U", "password": "P"}), "agents", []string{
			chart + `"g" -> "dynamic-toolset.grafana.monitoring.g"`, `password: P from "admin-password", ""`, `username: U from "admin-user", ""`,
			`a service account in Grafana: "" -> "dynamic-toolset.grafana.monitoring.g"`, `api_key: GRAFANA_API_KEY from "api_key", ""`, "step: ",
			"credentials: {grafana: {monitoring/g: {api_key: GRAFANA_API_KEY}}}",
		}},
		"in HolmesGPT's own namespace": {given(grafana("monitoring", "g"), map[string]string{"username": "U", "password": "P"}), "monitoring", []string{
			chart + `"g" -> "g"`, `password: P from "admin-password", ""`, `username: U from "admin-user", ""`,
			`a service account in Grafana: "" -> "dynamic-toolset.grafana.monitoring.g"`, `api_key: GRAFANA_API_KEY from "api_key", ""`, "step: ",
			"credentials: {grafana: {monitoring/g: {api_key: GRAFANA_API_KEY}}}",
		}},
		"a key that no Secret holds": {given(grafana("monitoring", "g"), map[string]string{"api_key": "KEY"}), "agents", []string{
			`a service account in Grafana: "" -> "dynamic-toolset.grafana.monitoring.g"`, `api_key: KEY from "api_key", ""`, "step: ",
			chart + `"g" -> "dynamic-toolset.grafana.monitoring.g"`, `password: GRAFANA_PASSWORD from "admin-password", ""`,
			`username: GRAFANA_USERNAME from "admin-user", ""`,
			"credentials: {grafana: {monitoring/g: {password: GRAFANA_PASSWORD, username: GRAFANA_USERNAME}}}",
		}},
		"what no recipe gives": {given(installed("victoriametrics", "vm", "single", nil, nil), map[string]string{"basic_auth": "B"}), "agents", []string{
			`: "" -> "dynamic-toolset.victoriametrics.vm.single"`, `basic_auth: B from "basic_auth", ""`,
		}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			var got []string
			for _, r := range recipe.For(tt.finding, c.Lookup(tt.finding.Type), tt.namespace) {
				got = append(got, told(r)...)
			}
			if d := cmp.Diff(tt.want, got); d != "" {
				t.Error(d)
			}
		})
	}
}

// The labels and the name are a stranger's: what they say never leaves the Service's own namespace, nor what a name can be.
func TestRecipesOfStrangers(t *testing.T) {
	t.Attr("req", "DTS-SEC-3 DTS-CLI-8")
	c := builtin(t)
	eck := func(cluster string) *backend.Finding {
		return installed("elasticsearch", "evil", "x-es-http", map[string]string{
			"common.k8s.elastic.co/type": "elasticsearch", "elasticsearch.k8s.elastic.co/cluster-name": cluster}, nil, "https")
	}
	for _, value := range []string{"", "A", "a b", "x;id", "$(id)", "`id`", "x\ny", "{{ env.X }}", "../x", "-x", "x'", `x"`, "ä", strings.Repeat("a", 254)} {
		for _, r := range recipe.For(eck(value), c.Lookup("elasticsearch"), "kubernaut-system") {
			if r.Secret != "" {
				t.Errorf("cluster name %q: Secret %q", value, r.Secret)
			}
			if all := fmt.Sprint(r); value != "" && value != "A" && strings.Contains(all, value) {
				t.Errorf("cluster name %q is in %s", value, all)
			}
		}
	}
	quiet := map[string]*backend.Finding{"wants none": grafana("evil", "g"), "foreign host": grafana("evil", "g"), "a tenant": grafana("evil", "g")}
	quiet["wants none"].Remedies = nil
	quiet["foreign host"].Candidate.ForeignHost = true
	quiet["a tenant"].Reason.Code = backend.CodeTenantMissing
	for name, f := range quiet {
		if got := recipe.For(f, c.Lookup("grafana"), "kubernaut-system"); got != nil {
			t.Errorf("%s: %v", name, got)
		}
	}

	// The token of HolmesGPT's own ServiceAccount is for whom it may go to, whatever the labels say.
	openshift := installed("thanos", "evil", "thanos-querier", map[string]string{"app.kubernetes.io/managed-by": "cluster-monitoring-operator"}, nil, "web")
	for _, r := range recipe.For(openshift, c.Lookup("thanos"), "kubernaut-system") {
		if r.Line == "" || len(r.Items) == 0 || len(r.Steps) > 0 {
			t.Errorf("a stranger's Service is offered a token of the cluster's: %v", told(r))
		}
	}
	openshift.AgentToken, openshift.Remedies = true, nil
	var got []string
	for _, r := range recipe.For(openshift, c.Lookup("thanos"), "kubernaut-system") {
		got = append(got, told(r)...)
	}
	if d := cmp.Diff([]string{`HolmesGPT's own ServiceAccount, whose token OpenShift's monitoring takes: "" -> ""`, "step: openshift: true"}, got); d != "" {
		t.Error(d)
	}
}
