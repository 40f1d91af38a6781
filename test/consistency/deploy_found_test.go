package consistency

import (
	"fmt"
	"strings"
	"testing"
)

const goodManifests = `
kind: ConfigMap
metadata: {name: c}
data:
  config.yaml: |
    output: {namespace: ns}
    security: {denyCIDRs: [169.254.0.0/16]}
---
kind: Role
metadata: {name: r, namespace: ns, annotations: {kubernaut.io/toolset: "false"}}
rules:
  - {resources: [configmaps], resourceNames: [kubernaut-toolset-config]}
  - {resources: [leases], resourceNames: [dynamic-toolset]}
  - {apiGroups: [toolset.kubernaut.io], resources: [toolsets]}
---
kind: Service
metadata: {name: s, labels: {app.kubernetes.io/name: dynamic-toolset}}
spec: {ports: [{port: 8080, targetPort: api}, {port: 9090, targetPort: metrics}]}
---
kind: NetworkPolicy
metadata: {name: n}
spec:
  ingress: [{ports: [{port: api}]}, {ports: [{port: metrics}]}]
  egress: [{to: [{ipBlock: {cidr: 0.0.0.0/0, except: [169.254.0.0/16]}}]}]
---
kind: ServiceMonitor
metadata: {name: m}
spec: {endpoints: [{port: metrics, path: /metrics}]}
---
kind: Deployment
metadata: {name: d}
spec:
  template:
    spec:
      containers:
        - args: [serve, --config=/etc/config.yaml]
          ports: [{name: api, containerPort: 8080}, {name: metrics, containerPort: 9090}]
          startupProbe: {httpGet: {path: /healthz, port: api}}
          livenessProbe: {httpGet: {path: /healthz, port: api}}
          readinessProbe: {httpGet: {path: /readyz, port: api}}
`

// Each disagreement is found: one is put into manifests that agree.
func TestDisagreementsAreFound(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ old, new, want string }{
		"none":           {"", "", ""},
		"configuration":  {"{namespace: ns}", "{nemespace: ns}", "unknown key"},
		"ConfigMap":      {"[kubernaut-toolset-config]", "[other]", "Role r: the ConfigMap is other"},
		"lease":          {"[dynamic-toolset]", "[other]", "Role r: the Lease is other"},
		"namespace":      {"name: r, namespace: ns", "name: r, namespace: other", "its namespace is other, expected ns"},
		"group":          {"toolset.kubernaut.io]", "toolsets.kubernaut.io]", "the API group of toolsets"},
		"annotation":     {"kubernaut.io/toolset:", "kubernaut.io/toolsets:", "kubernaut.io/toolsets as one that is read"},
		"label":          {"name: dynamic-toolset}}", "name: toolset}}", "app.kubernetes.io/name is toolset"},
		"Service's port": {"port: 9090, targetPort", "port: 9091, targetPort", "port 9091 is 9091, expected 9090"},
		"port":           {"containerPort: 9090", "containerPort: 9091", "the container's port metrics is 9091"},
		"policy's port":  {"[{port: metrics}]", "[{port: metric}]", "which is no port of the pod"},
		"denied":         {"except: [169.254.0.0/16]", "except: [10.0.0.0/8]", "the networks that it leaves out is 10.0.0.0/8"},
		"monitor":        {"{port: metrics, path", "{port: api, path", "ServiceMonitor m: a port is 8080"},
		"arguments":      {"--config=", "--conf=", "unknown flag"},
		"probe":          {"path: /readyz", "path: /ready-z", `readinessProbe asks for "/ready-z"`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if !strings.Contains(goodManifests, c.old) {
				t.Fatalf("nothing to replace: %s", c.old)
			}
			list, err := objects(strings.Replace(goodManifests, c.old, c.new, 1))
			fatal(t, err)
			var got []string
			checkManifests(list, func(format string, args ...any) { got = append(got, fmt.Sprintf(format, args...)) })
			if text := strings.Join(got, "\n"); c.want == "" && text != "" || !strings.Contains(text, c.want) {
				t.Errorf("got %q, want %q", text, c.want)
			}
		})
	}
}

func TestHolmesValuesAreChecked(t *testing.T) {
	t.Parallel()
	const good = `
additionalEnvVars: [{name: CUSTOM_TOOLSET_LOCATION, value: /etc/x/custom_toolset.yaml}]
additionalVolumes: [{name: v, configMap: {name: kubernaut-toolset-config}}]
additionalVolumeMounts: [{name: v, mountPath: /etc/x}]
`
	for old, want := range map[string]string{
		"nothing":                  "",
		"custom_toolset.yaml":      "CUSTOM_TOOLSET_LOCATION",
		"kubernaut-toolset-config": "the ConfigMap",
		"Mounts: [{name: v":        "the volume",
	} {
		var got []string
		checkHolmes("x", strings.Replace(good, old, strings.TrimSuffix(old, "v")+"z", 1), func(format string, args ...any) {
			got = append(got, fmt.Sprintf(format, args...))
		})
		if text := strings.Join(got, "\n"); want == "" && text != "" || !strings.Contains(text, want) {
			t.Errorf("without %s: got %q, want %q", old, text, want)
		}
	}
}
