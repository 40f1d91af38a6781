//go:build chart

package chart

import (
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/yaml"

	"kubernaut.io/dynamic-toolset/internal/config"
	"kubernaut.io/dynamic-toolset/internal/toolset"
	"kubernaut.io/dynamic-toolset/test/chart/shipped"
)

// TestManifests: deploy holds what make manifests writes.
func TestManifests(t *testing.T) {
	t.Attr("req", "DTS-PKG-1")
	dir := t.TempDir()
	command(t, "", filepath.Join(root(t), "deploy", "render"), dir)
	for _, name := range []string{"install.yaml", "namespaced.yaml"} {
		rendered, err := os.ReadFile(filepath.Join(dir, name))
		check(t, err)
		want, have := string(rendered), read(t, "deploy", name)
		if d := cmp.Diff(want, have); d != "" {
			t.Errorf("deploy/%s is not up to date; run make manifests (-rendered +there):\n%s", name, d)
		}
		objects, err := shipped.Parse([]byte(have))
		check(t, err)
		text, err := objects.Config()
		check(t, err)
		c, err := config.Parse(name, []byte(text))
		check(t, err)
		def := config.Default()
		if c.Output.Namespace != def.Output.Namespace || c.Output.ConfigMap != def.Output.ConfigMap ||
			c.LeaderElection.LeaseName != def.LeaderElection.LeaseName ||
			port(t, c.Server.Address) != port(t, def.Server.Address) || port(t, c.Metrics.Address) != port(t, def.Metrics.Address) {
			t.Errorf("deploy/%s has other names or ports than the program by default: %+v", name, c)
		}
		if strings.Contains(have, "Helm") || strings.Contains(have, "helm.sh") {
			t.Errorf("deploy/%s calls its objects Helm's", name)
		}
		clusterWide := objects.Kind("ClusterRole", "ClusterRoleBinding", "Namespace")
		if (len(clusterWide) == 0) != (name == "namespaced.yaml") {
			t.Errorf("deploy/%s has %d objects of the whole cluster", name, len(clusterWide))
		}
	}
}

// consumer is what the values of HolmesGPT's chart have for us.
type consumer struct {
	AdditionalEnvVars      []corev1.EnvVar      `json:"additionalEnvVars"`
	AdditionalVolumes      []corev1.Volume      `json:"additionalVolumes"`
	AdditionalVolumeMounts []corev1.VolumeMount `json:"additionalVolumeMounts"`
}

// right: a directory of the right ConfigMap, not optional, and the variable names the file in it.
func (c *consumer) right(t *testing.T, where, configMap string) {
	t.Helper()
	if len(c.AdditionalVolumes) != 1 || len(c.AdditionalVolumeMounts) != 1 {
		t.Fatalf("%s: %+v", where, c)
	}
	volume, mount := c.AdditionalVolumes[0], c.AdditionalVolumeMounts[0]
	if volume.Name != mount.Name || volume.ConfigMap == nil || volume.ConfigMap.Name != configMap || volume.ConfigMap.Optional != nil ||
		len(volume.ConfigMap.Items) > 0 || mount.SubPath != "" || mount.SubPathExpr != "" || !mount.ReadOnly {
		t.Errorf("%s: %+v at %+v", where, volume, mount)
	}
	file := path.Join(mount.MountPath, toolset.KeyHolmesGPT)
	if !slices.Contains(c.AdditionalEnvVars, corev1.EnvVar{Name: "CUSTOM_TOOLSET_LOCATION", Value: file}) {
		t.Errorf("%s: CUSTOM_TOOLSET_LOCATION is not %s: %v", where, file, c.AdditionalEnvVars)
	}
	for name, without := range map[string]string{
		"TOOLSET_STATUS_REFRESH_INTERVAL_SECONDS": "HolmesGPT looks every five minutes only",
		"HOLMES_TOOLSET_PREREQ_TIMEOUT_SECONDS":   "two backends that never answer take a toolset away",
	} {
		if !slices.ContainsFunc(c.AdditionalEnvVars, func(e corev1.EnvVar) bool { return e.Name == name }) {
			t.Errorf("%s: %s: %v", where, without, c.AdditionalEnvVars)
		}
	}
	if strings.HasPrefix(mount.MountPath, "/etc/holmes/config") {
		t.Errorf("%s: the chart mounts its own ConfigMap at %s", where, mount.MountPath)
	}
}

// TestConsumers: the values for HolmesGPT's chart and for Robusta's, those in the guide and the notes are the same
// and name what is written.
func TestConsumers(t *testing.T) {
	t.Attr("req", "DTS-PKG-1")
	configMap := config.Default().Output.ConfigMap
	var own consumer
	check(t, yaml.UnmarshalStrict([]byte(read(t, "examples", "holmesgpt", "values.yaml")), &own))
	own.right(t, "values.yaml", configMap)
	var robusta struct {
		EnableHolmesGPT bool     `json:"enableHolmesGPT"`
		Holmes          consumer `json:"holmes"`
	}
	check(t, yaml.UnmarshalStrict([]byte(read(t, "examples", "holmesgpt", "values-robusta.yaml")), &robusta))
	if d := cmp.Diff(own, robusta.Holmes); d != "" || !robusta.EnableHolmesGPT {
		t.Errorf("values-robusta.yaml: %s", d)
	}
	for where, text := range map[string]string{
		"docs/install.md": read(t, "docs", "install.md"), "the notes": notes(t),
	} {
		var c consumer
		check(t, yaml.UnmarshalStrict([]byte(lines(text)), &c))
		if d := cmp.Diff(own, c); d != "" {
			t.Errorf("%s (-values.yaml +there):\n%s", where, d)
		}
	}
	var elsewhere consumer
	check(t, yaml.UnmarshalStrict([]byte(lines(notes(t, "--values", values(t)["elsewhere"]))), &elsewhere))
	elsewhere.right(t, "the notes", "found-toolsets")
	if d := cmp.Diff(own.AdditionalEnvVars, elsewhere.AdditionalEnvVars); d != "" {
		t.Errorf("the notes (-values.yaml +there):\n%s", d)
	}
}

// lines are those of a text that are for HolmesGPT's values: three lists of one-line items.
func lines(text string) string {
	var block []string
	for line := range strings.SplitSeq(text, "\n") {
		line = strings.TrimSpace(line)
		switch {
		case strings.HasPrefix(line, "additional") && strings.HasSuffix(line, ":"):
			block = append(block, line)
		case strings.HasPrefix(line, "- {") && len(block) > 0:
			block = append(block, "  "+line)
		case len(block) > 0:
			return strings.Join(block, "\n")
		}
	}
	return strings.Join(block, "\n")
}

// notes are what helm says after an installation.
func notes(t *testing.T, args ...string) string {
	t.Helper()
	helm, err := shipped.Helm()
	check(t, err)
	dir, err := shipped.Chart()
	check(t, err)
	out := command(t, "", helm, append([]string{"install", "dynamic-toolset", dir, "--dry-run=client", "--namespace", shipped.Namespace}, args...)...)
	_, text, found := strings.Cut(out, "NOTES:")
	if !found {
		t.Fatalf("no notes: %s", out)
	}
	return text
}

// TestNotes: they say what fits the values.
func TestNotes(t *testing.T) {
	t.Attr("req", "DTS-PKG-1")
	all := values(t)
	for _, c := range []struct {
		values   string
		want     []string
		unwanted []string
	}{
		{"default", []string{
			"kubectl -n kubernaut-system port-forward service/dynamic-toolset 8080:8080", "https://localhost:8080", "self-signed",
			"--clusterrole=dynamic-toolset-viewer --serviceaccount=kubernaut-system:toolset-reader", "--audience=dynamic-toolset",
			"dynamic-toolset generate",
		}, []string{"WARNING"}},
		{"auth-none", []string{"http://localhost:8080", "WARNING: config.auth.mode is none"}, []string{"create token", "https:"}},
		{"namespaced-auth", []string{"kubectl -n monitoring create rolebinding toolset-reader --role=dynamic-toolset-viewer"}, nil},
		{"elsewhere", []string{
			"in the ConfigMap found-toolsets in the namespace holmes", "service/toolsets 8080:8080",
			"kubectl -n holmes create rolebinding toolset-reader --clusterrole=toolsets-viewer", "the Lease toolsets-writer in holmes",
			"explain NAMESPACE/NAME --probe=proxy --set output.namespace=holmes", "doctor -n holmes --set output.configMap=found-toolsets",
		}, nil},
	} {
		text := notes(t, "--values", all[c.values])
		for _, w := range c.want {
			if !strings.Contains(text, w) {
				t.Errorf("%s: %q is missing in:\n%s", c.values, w, text)
			}
		}
		for _, w := range c.unwanted {
			if strings.Contains(text, w) {
				t.Errorf("%s: it says %q:\n%s", c.values, w, text)
			}
		}
	}
}

// TestOwnService: the service does not take its own Service for a backend.
func TestOwnService(t *testing.T) {
	t.Attr("req", "DTS-DET-8")
	manifests, err := shipped.Template(t.Context(), "prometheus", "--set", "fullnameOverride=prometheus")
	check(t, err)
	out := run(t, string(manifests), "discover", "-f", "-", "--all", "-o", "json")
	if !strings.Contains(out, `"verdict": "rejected"`) || !strings.Contains(out, "kubernaut.io/toolset") {
		t.Errorf("%s", out)
	}
}
