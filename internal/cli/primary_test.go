package cli

import (
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
)

// two are two Prometheus, the older of which is the primary.
const two = `apiVersion: v1
kind: Service
metadata: {name: old, namespace: m, creationTimestamp: "2025-01-01T00:00:00Z", labels: {app.kubernetes.io/name: prometheus, app.kubernetes.io/component: server}}
spec: {clusterIP: 10.0.0.1, selector: {app: old}, ports: [{name: http, port: 9090}]}
---
apiVersion: v1
kind: Service
metadata: {name: new, namespace: team, creationTimestamp: "2025-02-01T00:00:00Z", labels: {app.kubernetes.io/name: prometheus, app.kubernetes.io/component: server}}
spec: {clusterIP: 10.0.0.2, selector: {app: new}, ports: [{name: http, port: 9090}]}
`

// explain gives the line that changes the primary, where there are several to choose from.
func TestExplainChangesThePrimary(t *testing.T) {
	t.Attr("req", "DTS-OUT-4 DTS-CLI-4")
	const byName, annotate = "primary: {prometheus: team/new}", "annotate service new kubernaut.io/toolset-primary=true"
	file := writeFile(t, "services.yaml", two)
	for name, tt := range map[string]struct {
		service string
		args    []string
		has     []string
		hasNot  []string
	}{
		"another":              {"team/new", nil, []string{"no: m/old is", byName}, []string{annotate}},
		"another, trusted":     {"team/new", []string{"--set", "security.trustedNamespaces=[team]"}, []string{byName, annotate}, nil},
		"the primary":          {"m/old", nil, []string{"yes, the oldest of its type", byName}, []string{annotate}},
		"alone":                {"m/old", []string{"-n", "m"}, nil, []string{"primary: {"}},
		"configured":           {"m/old", []string{"--set", "primary.prometheus=team/new", "--set", "security.trustedNamespaces=[m]"}, []string{"primary: {prometheus: m/old}"}, []string{"toolset-primary"}},
		"the configured one":   {"team/new", []string{"--set", "primary.prometheus=team/new"}, []string{"yes, the one which the configuration names"}, nil},
		"kept for one missing": {"m/old", []string{"--set", "primary.prometheus=m/gone"}, []string{"the place is kept for m/gone, which the configuration names", "primary: {prometheus: m/old}"}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			r := mustRun(t, append([]string{"explain", "-f", file, tt.service}, tt.args...)...)
			expect(t, flat(r.out), tt.has...)
			forbid(t, flat(r.out), tt.hasNot...)
		})
	}
}

// A primary of the configuration that is not there is told, where it was looked for.
func TestMisnamedPrimaryIsTold(t *testing.T) {
	t.Attr("req", "DTS-OUT-4")
	file := writeFile(t, "services.yaml", two)
	const said = "primary: {prometheus: m/gone}: there is no such Service"
	for _, args := range [][]string{{"discover"}, {"explain", "m/old"}, {"generate"}} {
		r := mustRun(t, append(args, "-f", file, "--set", "primary.prometheus=m/gone")...)
		if strings.Count(r.err, said) != 1 {
			t.Errorf("%s: %s", args[0], r.err)
		}
	}
	if r := mustRun(t, "discover", "-n", "team", "-f", file, "--set", "primary.prometheus=m/gone"); strings.Contains(r.err, said) {
		t.Errorf("its namespace was not read: %s", r.err)
	}
	if r := mustRun(t, "discover", "-f", file, "--set", "primary.prometheus=team/new"); r.err != "" {
		t.Errorf("it is there: %s", r.err)
	}
}

// For whom the service keeps the primary's place, the commands say too, where the user may read it.
func TestRecordedPrimaryIsShown(t *testing.T) {
	t.Attr("req", "DTS-OUT-4 DTS-CLI-4")
	prometheus := serviceObject("m", "prometheus", named("prometheus"), "10.0.0.1", port("http", 9090, 9090))
	prometheus.Labels["app.kubernetes.io/component"] = "server"
	api := &apiServer{
		services: []corev1.Service{prometheus},
		data:     map[string]string{"state.json": `{"version": 1, "published": [], "primaries": {"prometheus": "m/before"}}`},
	}
	_, kubeconfig := api.start(t)
	r := mustRun(t, "explain", "m/prometheus", "--kubeconfig", kubeconfig)
	expect(t, flat(r.out), "the place is kept for m/before, which was the primary so far")
	forbid(t, mustRun(t, "discover", "--kubeconfig", kubeconfig).out, "yes")
	before := prometheus
	before.Name, before.Spec.ClusterIP = "before", "None"
	api.services = append(api.services, before)
	r = mustRun(t, "explain", "m/prometheus", "--kubeconfig", kubeconfig)
	expect(t, flat(r.out), "yes, for now: the place is kept for m/before, which was the primary so far and which is a duplicate of m/prometheus")
}
