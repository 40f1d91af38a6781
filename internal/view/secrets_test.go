package view

import (
	"strings"
	"testing"

	"k8s.io/client-go/util/jsonpath"
	"sigs.k8s.io/yaml"

	"kubernaut.io/dynamic-toolset/internal/backend"
)

// TestSecretsOfPods: where a chart was given a Secret of one's own, the command names it.
func TestSecretsOfPods(t *testing.T) {
	t.Attr("req", "DTS-CLI-8")
	var pods map[string]any
	err := yaml.Unmarshal([]byte(`
items:
- spec:
    containers:
    - name: grafana
      env:
      - {name: GF_SECURITY_ADMIN_USER, valueFrom: {secretKeyRef: {name: mine, key: user}}}
      - {name: GF_SECURITY_ADMIN_PASSWORD, valueFrom: {secretKeyRef: {name: mine, key: password}}}
      envFrom: [{secretRef: {name: whole}}]
    volumes: [{name: v, secret: {secretName: mounted}}]
`), &pods)
	if err != nil {
		t.Fatal(err)
	}
	path := jsonpath.New("secrets").AllowMissingKeys(true)
	if err := path.Parse(usedSecrets); err != nil {
		t.Fatal(err)
	}
	var got strings.Builder
	if err := path.Execute(&got, pods); err != nil {
		t.Fatal(err)
	}
	if want := "mine user\nmine password\nwhole\nmounted\n"; got.String() != want {
		t.Errorf("%q, want %q", got.String(), want)
	}
	for want, selector := range map[string]map[string]string{
		"": nil,
		"kubectl -n mon get pods -l a=b,app.kubernetes.io/name=grafana": {"app.kubernetes.io/name": "grafana", "a": "b"},
	} {
		f := &backend.Finding{Ref: backend.Ref{Namespace: "mon", Name: "g"}, Service: &backend.Service{Selector: selector}}
		if got := podsOf(f); got != want {
			t.Errorf("%v: %q, want %q", selector, got, want)
		}
	}
}
