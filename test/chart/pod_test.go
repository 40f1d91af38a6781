//go:build chart

package chart

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	policyv1 "k8s.io/api/policy/v1"

	"kubernaut.io/dynamic-toolset/internal/config"
)

// TestPod: probes, ports, times and memory are those of the configuration.
func TestPod(t *testing.T) {
	t.Attr("req", "DTS-PKG-1 DTS-RUN-3 DTS-RUN-4")
	each(t, func(t *testing.T, r *release) {
		template, container := r.pod(t)
		scheme, appProtocol := corev1.URISchemeHTTPS, "https"
		if r.config.Server.TLS.Mode == config.TLSOff {
			scheme, appProtocol = corev1.URISchemeHTTP, "http"
		}
		for probe, path := range map[*corev1.Probe]string{
			container.LivenessProbe: "/healthz", container.StartupProbe: "/healthz", container.ReadinessProbe: "/readyz",
		} {
			if g := probe.HTTPGet; g.Path != path || g.Port.String() != "api" || g.Scheme != scheme {
				t.Errorf("probe of %s: %+v", path, g)
			}
		}
		ports := map[string]int32{}
		for _, p := range container.Ports {
			ports[p.Name] = p.ContainerPort
		}
		if d := cmp.Diff(map[string]int32{"api": port(t, r.config.Server.Address), "metrics": port(t, r.config.Metrics.Address)}, ports); d != "" {
			t.Errorf("ports:\n%s", d)
		}
		for _, address := range []string{r.config.Server.Address, r.config.Metrics.Address} {
			if host, _, err := net.SplitHostPort(r.config.Listen(address)); err != nil || host != "" && host != "0.0.0.0" {
				t.Errorf("kubelet cannot reach %s: it listens on %q", address, r.config.Listen(address))
			}
		}
		var served []string
		for _, p := range only[*corev1.Service](t, r).Spec.Ports {
			served = append(served, fmt.Sprintf("%s %d %s %s", p.Name, p.Port, p.TargetPort.String(), *p.AppProtocol))
		}
		if want := []string{"api 8080 api " + appProtocol, "metrics 9090 metrics " + appProtocol}; !slices.Equal(served, want) {
			t.Errorf("the Service's ports are %q, want %q", served, want)
		}

		grace := time.Duration(*template.Spec.TerminationGracePeriodSeconds) * time.Second
		if least := r.config.Shutdown.Delay + r.config.Shutdown.Timeout + 10*time.Second; grace < least {
			t.Errorf("the pod is killed after %s; stopping may take %s", grace, least)
		}
		limit := container.Resources.Limits.Memory().Value()
		i := slices.IndexFunc(container.Env, func(e corev1.EnvVar) bool { return e.Name == "GOMEMLIMIT" })
		if i < 0 {
			t.Fatal("GOMEMLIMIT is not set")
		}
		if soft, err := strconv.ParseInt(container.Env[i].Value, 10, 64); err != nil || soft < limit*85/100 || soft > limit*95/100 {
			t.Errorf("GOMEMLIMIT is %s of %d", container.Env[i].Value, limit)
		}
		mounts(t, template.Spec.Volumes, container.VolumeMounts)
	})
}

func port(t *testing.T, address string) int32 {
	t.Helper()
	_, text, err := net.SplitHostPort(address)
	check(t, err)
	n, err := strconv.ParseInt(text, 10, 32)
	check(t, err)
	return int32(n)
}

func mounts(t *testing.T, volumes []corev1.Volume, mounted []corev1.VolumeMount) {
	t.Helper()
	var have, used []string
	for _, v := range volumes {
		have = append(have, v.Name)
	}
	for _, m := range mounted {
		used = append(used, m.Name)
		if m.SubPath != "" || !strings.HasPrefix(m.MountPath, "/etc/") {
			t.Errorf("mounted: %+v", m)
		}
	}
	if d := cmp.Diff(have, used); d != "" {
		t.Errorf("volumes and mounts:\n%s", d)
	}
}

// TestRestricted: the fields that Pod Security asks for. That its admission accepts the pod is shown on a real API server.
func TestRestricted(t *testing.T) {
	t.Attr("req", "DTS-SEC-2")
	each(t, func(t *testing.T, r *release) {
		template, container := r.pod(t)
		p, c := template.Spec.SecurityContext, container.SecurityContext
		if !*p.RunAsNonRoot || *p.RunAsUser != 65532 || p.SeccompProfile.Type != corev1.SeccompProfileTypeRuntimeDefault {
			t.Errorf("pod: %+v", p)
		}
		if *c.AllowPrivilegeEscalation || !*c.ReadOnlyRootFilesystem || !slices.Equal(c.Capabilities.Drop, []corev1.Capability{"ALL"}) || len(c.Capabilities.Add) > 0 {
			t.Errorf("container: %+v", c)
		}
		if a := only[*corev1.ServiceAccount](t, r).AutomountServiceAccountToken; a == nil || *a || !*template.Spec.AutomountServiceAccountToken {
			t.Error("the token is to be mounted by this pod alone")
		}
	})
}

// TestReplicas: several are spread and may not all be evicted; a single one without an election never runs twice.
func TestReplicas(t *testing.T) {
	t.Attr("req", "DTS-PKG-1 DTS-RUN-2")
	several := render(t)
	if d := only[*appsv1.Deployment](t, several); *d.Spec.Replicas != 2 || d.Spec.Strategy.RollingUpdate.MaxUnavailable.IntValue() != 0 ||
		len(d.Spec.Template.Spec.Affinity.PodAntiAffinity.PreferredDuringSchedulingIgnoredDuringExecution) != 1 ||
		d.Spec.Template.Spec.TopologySpreadConstraints[0].WhenUnsatisfiable != corev1.ScheduleAnyway {
		t.Errorf("%+v", d.Spec)
	}
	if p := only[*policyv1.PodDisruptionBudget](t, several); p.Spec.MaxUnavailable.IntValue() != 1 {
		t.Errorf("%+v", p.Spec)
	}
	one := render(t, "--values", values(t)["single"])
	if d := only[*appsv1.Deployment](t, one); d.Spec.Strategy.Type != appsv1.RecreateDeploymentStrategyType {
		t.Errorf("%+v", d.Spec.Strategy)
	}
}

// TestChecksum: a changed configuration or catalog restarts the pods, and nothing else does.
func TestChecksum(t *testing.T) {
	t.Attr("req", "DTS-PKG-1")
	sum := func(args ...string) string {
		template, _ := render(t, args...).pod(t)
		return template.Annotations["checksum/config"]
	}
	before := sum()
	if same := sum("--set", "replicaCount=5"); same != before {
		t.Error("more replicas restart the others")
	}
	for _, set := range []string{"config.log.level=debug", "catalog.files.x\\.yaml=x", "tlsSecret=x", "config.output.namespace=x"} {
		if sum("--set", set) == before {
			t.Errorf("%s restarts nothing", set)
		}
	}
}

// TestConfiguration: the program takes the file, with what is mounted as kubelet mounts it.
func TestConfiguration(t *testing.T) {
	t.Attr("req", "DTS-PKG-1 DTS-CFG-1")
	each(t, func(t *testing.T, r *release) {
		dir := t.TempDir()
		file := filepath.Join(dir, "config.yaml")
		write(t, file, r.text)
		run(t, "", "validate", "--as", "config", file)
		_, container := r.pod(t)
		var args []string
		for _, a := range container.Args {
			args = append(args, strings.ReplaceAll(a, "/etc/dynamic-toolset/config/config.yaml", file))
		}
		args = append(args, "--check")
		if r.config.Catalog.Dir != "" {
			catalog := filepath.Join(dir, "catalog")
			for _, cm := range all[*corev1.ConfigMap](r) {
				if strings.HasSuffix(cm.Name, "-catalog") {
					kubelet(t, catalog, cm.Data)
				}
			}
			args = append(args, "--set", "catalog.dir="+catalog)
		}
		run(t, "", args...)
	})
}

// kubelet lays a ConfigMap out as a volume: links to a hidden directory.
func kubelet(t *testing.T, dir string, data map[string]string) {
	t.Helper()
	for name, text := range data {
		write(t, filepath.Join(dir, "..2026", name), text)
		check(t, os.Symlink(filepath.Join("..data", name), filepath.Join(dir, name)))
	}
	check(t, os.Symlink("..2026", filepath.Join(dir, "..data")))
}

// TestNetwork: the policy denies what the program denies itself, and opens the API to the network only where it is protected.
func TestNetwork(t *testing.T) {
	t.Attr("req", "DTS-SEC-2")
	each(t, func(t *testing.T, r *release) {
		list := all[*networkingv1.NetworkPolicy](r)
		if len(list) == 0 {
			return
		}
		policy := list[0]
		var denied, want []string
		for _, peer := range policy.Spec.Egress[0].To {
			denied = append(denied, peer.IPBlock.Except...)
		}
		for _, p := range r.config.Security.DenyCIDRs {
			want = append(want, p.String())
		}
		slices.Sort(denied)
		slices.Sort(want)
		if d := cmp.Diff(want, denied); d != "" {
			t.Errorf("egress is denied to others than the program denies (-want +got):\n%s", d)
		}
		if len(policy.Spec.Egress[0].Ports) > 0 {
			t.Errorf("egress is limited to ports: %v", policy.Spec.Egress[0].Ports)
		}
		_, container := r.pod(t)
		for _, rule := range policy.Spec.Ingress {
			name := rule.Ports[0].Port.String()
			if !slices.ContainsFunc(container.Ports, func(p corev1.ContainerPort) bool { return p.Name == name }) {
				t.Errorf("ingress is allowed to %s, which is no port of the pod", name)
			}
			if name == "api" && len(rule.From) == 0 && r.config.Auth.Mode == config.AuthNone {
				t.Error("the API is open to all, and asks nobody who they are")
			}
		}
	})
}
