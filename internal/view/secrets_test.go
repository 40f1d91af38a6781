package view

import (
	"strings"
	"testing"

	"k8s.io/client-go/util/jsonpath"
	"sigs.k8s.io/yaml"

	"kubernaut.io/dynamic-toolset/internal/backend"
)

// TestSecretsOfPods: where a chart was given a Secret of one's own, the command names it; what labels hold that is not fit for a
// command gives none.
func TestSecretsOfPods(t *testing.T) {
	t.Attr("req", "DTS-CLI-8")
	t.Attr("req", "DTS-SEC-3")
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
	for _, tt := range []struct {
		selector map[string]string
		want     string
	}{
		{nil, ""},
		{map[string]string{"app": "x; id"}, ""},
		{map[string]string{"app.kubernetes.io/name": "grafana", "a": "b"}, "kubectl -n mon get pods -l a=b,app.kubernetes.io/name=grafana -o jsonpath='" + usedSecrets + "'"},
	} {
		f := &backend.Finding{Ref: backend.Ref{Namespace: "mon", Name: "g"}, Service: &backend.Service{Selector: tt.selector}}
		if got := secretsOfPods(f); got != tt.want {
			t.Errorf("%v: %q, want %q", tt.selector, got, tt.want)
		}
	}
}
