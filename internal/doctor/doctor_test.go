package doctor

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"

	"kubernaut.io/dynamic-toolset/internal/backend"
	"kubernaut.io/dynamic-toolset/internal/toolset"
)

const document = `toolsets:
  grafana/dashboards: {enabled: true, config: {instances: [{name: grafana, api_key: "{{ env.GRAFANA_API_KEY }}"}]}}
`

var secret = Object{KindSecret, backend.Ref{Namespace: "holmes", Name: "grafana-key"}}

// healthy is a HolmesGPT that has all it needs.
func healthy() *Facts {
	return &Facts{
		ConfigMap: backend.Ref{Namespace: "holmes", Name: "kubernaut-toolset-config"}, Exists: true, Document: document,
		Needs: NeedsOf(document),
		Workloads: []Workload{
			{Kind: "Deployment", Ref: backend.Ref{Namespace: "shop", Name: "web"}, Pod: corev1.PodSpec{Containers: []corev1.Container{{Image: "nginx"}}}},
			{Kind: "Deployment", Ref: backend.Ref{Namespace: "holmes", Name: "x-holmes"}, Pod: corev1.PodSpec{
				ServiceAccountName: "x-holmes",
				Volumes: []corev1.Volume{{Name: "dynamic", VolumeSource: corev1.VolumeSource{ConfigMap: &corev1.ConfigMapVolumeSource{
					LocalObjectReference: corev1.LocalObjectReference{Name: "kubernaut-toolset-config"}}}}},
				Containers: []corev1.Container{
					{Name: "proxy", Image: "example.com/proxy:1"},
					{
						Name: "holmes", Image: "example.com:5000/robusta/holmes:0.45.0",
						VolumeMounts: []corev1.VolumeMount{{Name: "dynamic", MountPath: "/etc/holmes/dynamic"}},
						Env: []corev1.EnvVar{
							{Name: Location, Value: "/etc/holmes/dynamic/custom_toolset.yaml"},
							{Name: Interval, Value: "60"}, {Name: Patience, Value: "600"},
							{Name: "GRAFANA_API_KEY", ValueFrom: &corev1.EnvVarSource{SecretKeyRef: &corev1.SecretKeySelector{
								LocalObjectReference: corev1.LocalObjectReference{Name: "grafana-key"}, Key: "key"}}},
						},
					},
				},
			}},
		},
		Keys: map[Object]Keys{secret: {Exists: true, Names: []string{"key"}}},
	}
}

// TestExamine has each of the usual mistakes.
func TestExamine(t *testing.T) {
	t.Attr("req", "DTS-CLI-7")
	holmes := func(f *Facts) *Workload { return &f.Workloads[1] }
	container := func(f *Facts) *corev1.Container { return &f.Workloads[1].Pod.Containers[1] }
	unset := func(name string) func(*Facts) {
		return func(f *Facts) {
			c := container(f)
			c.Env = slices.DeleteFunc(c.Env, func(v corev1.EnvVar) bool { return v.Name == name })
		}
	}
	set := func(name, value string) func(*Facts) {
		return func(f *Facts) {
			unset(name)(f)
			container(f).Env = append(container(f).Env, corev1.EnvVar{Name: name, Value: value})
		}
	}
	openShift := func(f *Facts) {
		f.Needs.OpenShift = []string{"thanos-querier.openshift-monitoring.svc"}
		set(OpenShift, "True")(f)
	}
	envFrom := func(f *Facts, prefix string, keys Keys) {
		unset("GRAFANA_API_KEY")(f)
		container(f).EnvFrom = []corev1.EnvFromSource{{Prefix: prefix, SecretRef: &corev1.SecretEnvSource{
			LocalObjectReference: corev1.LocalObjectReference{Name: "grafana-key"}}}}
		f.Keys[secret] = keys
	}
	projected := func(f *Facts, what corev1.ConfigMapProjection) {
		what.Name = "kubernaut-toolset-config"
		holmes(f).Pod.Volumes[0].VolumeSource = corev1.VolumeSource{Projected: &corev1.ProjectedVolumeSource{Sources: []corev1.VolumeProjection{
			{ServiceAccountToken: &corev1.ServiceAccountTokenProjection{Path: "token"}}, {ConfigMap: &what}}}}
	}
	authority := func(change func(f *Facts)) func(*Facts) {
		return func(f *Facts) {
			f.Needs.Authority = []string{"x.y.svc"}
			change(f)
		}
	}
	more := func(f *Facts, optional bool, keys Keys) { // a Secret as a whole that has nothing to do with it
		container(f).EnvFrom = []corev1.EnvFromSource{{SecretRef: &corev1.SecretEnvSource{
			LocalObjectReference: corev1.LocalObjectReference{Name: "llm-keys"}, Optional: &optional}}}
		f.Keys[Object{KindSecret, backend.Ref{Namespace: "holmes", Name: "llm-keys"}}] = keys
	}
	tests := []struct {
		name   string
		change func(*Facts)
		want   []Code // of what is not well
	}{
		{"all is well", func(*Facts) {}, nil},
		{"no agent", func(f *Facts) { f.Workloads = f.Workloads[:1] }, []Code{CodeNoAgent}},
		{"no ConfigMap", func(f *Facts) { f.Exists, f.Document = false, "" }, []Code{CodeConfigMapMissing}},
		{"nothing is published", func(f *Facts) { f.Document = "" }, []Code{CodeNothingPublished}},
		{"the ConfigMap may not be read", func(f *Facts) {
			f.Exists, f.Document, f.Needs = false, "", Needs{}
			f.Unseen = []Right{{Verb: "get", Resource: "configmaps", Namespace: "holmes"}}
		}, []Code{CodeConfigMapUnseen}},
		{"subPath", func(f *Facts) { container(f).VolumeMounts[0].SubPath = "custom_toolset.yaml" }, []Code{CodeSubPath}},
		{"subPath, as a file in the directory of HolmesGPT's chart", func(f *Facts) {
			container(f).VolumeMounts[0].SubPath = "custom_toolset.yaml"
			container(f).VolumeMounts[0].MountPath = "/etc/holmes/config/custom_toolset.yaml"
		}, []Code{CodeSubPath}},
		{"subPathExpr", func(f *Facts) { container(f).VolumeMounts[0].SubPathExpr = "$(A)" }, []Code{CodeSubPath}},
		{"subPath, and the directory too", func(f *Facts) {
			c := container(f)
			file := corev1.VolumeMount{Name: "dynamic", MountPath: "/etc/holmes/config/custom_toolset.yaml", SubPath: "custom_toolset.yaml"}
			c.VolumeMounts = append([]corev1.VolumeMount{file}, c.VolumeMounts...)
		}, nil},
		{"another namespace", func(f *Facts) { holmes(f).Namespace = "ai" }, []Code{CodeOtherNamespace}},
		{"another installation in another namespace", func(f *Facts) {
			other := *holmes(f)
			other.Namespace = "dev"
			f.Workloads = append(f.Workloads, other)
		}, nil},
		{"another HolmesGPT in another namespace", func(f *Facts) {
			other := *holmes(f)
			other.Namespace, other.Pod = "dev", corev1.PodSpec{Containers: []corev1.Container{{Image: "robustadev/holmes:1"}}}
			f.Workloads = append(f.Workloads, other)
			container(f).VolumeMounts = nil
		}, []Code{CodeNotMounted}},
		{"no mount", func(f *Facts) { container(f).VolumeMounts = nil }, []Code{CodeNotMounted}},
		{"another ConfigMap", func(f *Facts) { holmes(f).Pod.Volumes[0].ConfigMap.Name = "custom-toolsets-configmap" }, []Code{CodeNotMounted}},
		{"items without the document", func(f *Facts) {
			holmes(f).Pod.Volumes[0].ConfigMap.Items = []corev1.KeyToPath{{Key: "other.yaml", Path: "x"}}
		}, []Code{CodeItems}},
		{"items that rename it", func(f *Facts) {
			holmes(f).Pod.Volumes[0].ConfigMap.Items = []corev1.KeyToPath{{Key: "custom_toolset.yaml", Path: "a.yaml"}}
			set(Location, "/etc/holmes/dynamic/a.yaml")(f)
		}, nil},
		{"in a projected volume", func(f *Facts) { projected(f, corev1.ConfigMapProjection{}) }, nil},
		{"in a projected volume, optional", func(f *Facts) { projected(f, corev1.ConfigMapProjection{Optional: new(true)}) }, []Code{CodeOptional}},
		{"in a projected volume, with items", func(f *Facts) {
			projected(f, corev1.ConfigMapProjection{Items: []corev1.KeyToPath{{Key: "custom_toolset.yaml", Path: "sub/a.yaml"}}})
			set(Location, "/etc/holmes/dynamic/sub/a.yaml")(f)
		}, nil},
		{"another in a projected volume", func(f *Facts) {
			projected(f, corev1.ConfigMapProjection{})
			holmes(f).Pod.Volumes[0].Projected.Sources[1].ConfigMap.Name = "other"
		}, []Code{CodeNotMounted}},
		{"optional", func(f *Facts) { holmes(f).Pod.Volumes[0].ConfigMap.Optional = new(true) }, []Code{CodeOptional}},
		{"no location", unset(Location), []Code{CodeLocationMissing}},
		{"no location, and the mount where HolmesGPT looks without one", func(f *Facts) {
			unset(Location)(f)
			container(f).VolumeMounts[0].MountPath = "/etc/holmes/config/"
		}, nil},
		{"another location", set(Location, "/etc/holmes/config/custom_toolset.yaml"), []Code{CodeLocationWrong}},
		{"no interval", unset(Interval), []Code{CodeIntervalMissing}},
		{"a long interval", set(Interval, "300"), []Code{CodeIntervalLong}},
		{"an interval that is no number", set(Interval, "1m"), []Code{CodeIntervalLong}},
		{"little patience", unset(Patience), []Code{CodePatienceMissing}},
		{"empty patience", set(Patience, ""), []Code{CodePatienceMissing}},
		{"a variable that is not set", unset("GRAFANA_API_KEY"), []Code{CodeVariableMissing}},
		{"a plain variable", set("GRAFANA_API_KEY", "x"), nil},
		{"an empty variable", set("GRAFANA_API_KEY", ""), []Code{CodeVariableEmpty}},
		{"an empty location", set(Location, ""), []Code{CodeLocationWrong}},
		{"its Secret is missing", func(f *Facts) { f.Keys = nil }, []Code{CodeObjectMissing}},
		{"its key is missing", func(f *Facts) { f.Keys[secret] = Keys{Exists: true, Names: []string{"token"}} }, []Code{CodeKeyMissing}},
		{"its Secret may not be read", func(f *Facts) { f.Keys[secret] = Keys{Unseen: true} }, []Code{CodeObjectUnseen}},
		{"not all of its keys are seen", func(f *Facts) { f.Keys[secret] = Keys{Exists: true, Unlisted: true} }, []Code{CodeKeyUnlisted}},
		{"from a Secret as a whole", func(f *Facts) { envFrom(f, "GRAFANA_", Keys{Exists: true, Names: []string{"API_KEY"}}) }, nil},
		{"from a Secret as a whole that lacks it", func(f *Facts) { envFrom(f, "", Keys{Exists: true, Names: []string{"API_KEY"}}) },
			[]Code{CodeVariableMissing}},
		{"from a Secret as a whole that is missing", func(f *Facts) { envFrom(f, "", Keys{}) }, []Code{CodeObjectMissing}},
		{"from a Secret as a whole that may not be read", func(f *Facts) { envFrom(f, "", Keys{Unseen: true}) }, []Code{CodeObjectUnseen}},
		{"a setting from a Secret as a whole", func(f *Facts) {
			unset(Location)(f)
			envFrom(f, "", Keys{Exists: true, Names: []string{"GRAFANA_API_KEY", Location}})
		}, []Code{CodeSettingElsewhere}},
		{"a setting that no Secret as a whole has", func(f *Facts) {
			unset(Location)(f)
			envFrom(f, "", Keys{Exists: true, Names: []string{"GRAFANA_API_KEY"}})
		}, []Code{CodeLocationMissing}},
		{"a setting that a Secret as a whole could have", func(f *Facts) {
			unset(Location)(f)
			more(f, false, Keys{Unseen: true})
		}, []Code{CodeObjectUnseen}},
		{"a setting that a Secret as a whole could have, not all of whose keys are seen", func(f *Facts) {
			unset(Interval)(f)
			more(f, false, Keys{Exists: true, Unlisted: true})
		}, []Code{CodeKeyUnlisted}},
		{"a setting that no Secret as a whole has, for it is missing", func(f *Facts) {
			unset(Location)(f)
			more(f, true, Keys{})
		}, []Code{CodeLocationMissing}},
		{"a setting from a Secret that is missing", func(f *Facts) {
			c := container(f)
			c.Env[0] = corev1.EnvVar{Name: Location, ValueFrom: c.Env[3].ValueFrom}
			f.Keys = nil
		}, []Code{CodeObjectMissing, CodeObjectMissing}},
		{"a setting from a Secret", func(f *Facts) {
			c := container(f)
			c.Env[0] = corev1.EnvVar{Name: Location, ValueFrom: c.Env[3].ValueFrom}
		}, []Code{CodeSettingElsewhere}},
		{"a variable that a Secret as a whole that may be missing does not have", func(f *Facts) {
			unset("GRAFANA_API_KEY")(f)
			more(f, true, Keys{})
		}, []Code{CodeVariableMissing}},
		{"an authority is missing", authority(func(*Facts) {}), []Code{CodeAuthorityMissing}},
		{"an authority is there", authority(set("REQUESTS_CA_BUNDLE", "/ca.crt")), nil},
		{"an authority that is empty", authority(set("CERTIFICATE", "")), []Code{CodeAuthorityMissing}},
		{"an authority is there, and a Secret as a whole that is missing", authority(func(f *Facts) {
			more(f, false, Keys{})
			set("REQUESTS_CA_BUNDLE", "/ca.crt")(f)
		}), nil},
		{"an authority is there, and a Secret as a whole that may not be read", authority(func(f *Facts) {
			more(f, false, Keys{Unseen: true})
			set("REQUESTS_CA_BUNDLE", "/ca.crt")(f)
		}), nil},
		{"an authority that a Secret as a whole could have", authority(func(f *Facts) { more(f, false, Keys{Unseen: true}) }), []Code{CodeObjectUnseen}},
		{"an authority from a Secret that is missing, or from one that may not be read", authority(func(f *Facts) {
			c := container(f)
			c.Env = append(c.Env, corev1.EnvVar{Name: "CERTIFICATE", ValueFrom: &corev1.EnvVarSource{ConfigMapKeyRef: &corev1.ConfigMapKeySelector{
				LocalObjectReference: corev1.LocalObjectReference{Name: "ca"}, Key: "ca.crt"}}})
			more(f, false, Keys{Unseen: true})
		}), []Code{CodeObjectUnseen}},
		{"OpenShift without anything", func(f *Facts) { openShift(f); unset(OpenShift)(f) }, []Code{CodeOpenShiftMissing, CodeBindingMissing}},
		{"OpenShift, set to something else", func(f *Facts) {
			openShift(f)
			set(OpenShift, "1")(f)
			f.Viewers = []rbacv1.Subject{{Kind: "Group", Name: "system:serviceaccounts:holmes"}}
		}, []Code{CodeOpenShiftMissing}},
		{"OpenShift", func(f *Facts) {
			openShift(f)
			f.Viewers = []rbacv1.Subject{{Kind: "ServiceAccount", Namespace: "holmes", Name: "x-holmes"}}
		}, nil},
		{"OpenShift, another account is bound", func(f *Facts) {
			openShift(f)
			f.Viewers = []rbacv1.Subject{{Kind: "ServiceAccount", Namespace: "holmes", Name: "default"}, {Kind: "User", Name: "x-holmes"}}
		}, []Code{CodeBindingMissing}},
		{"OpenShift, bindings may not be read", func(f *Facts) { openShift(f); f.Unseen = []Right{BindingsRight()} },
			[]Code{CodeBindingUnseen}},
		{"two agents, one without a mount", func(f *Facts) {
			other := *holmes(f)
			other.Name, other.Pod = "y-holmes", corev1.PodSpec{Containers: []corev1.Container{{Image: "robustadev/holmes@sha256:1"}}}
			f.Workloads = append(f.Workloads, other)
		}, []Code{CodeNotMounted, CodeLocationMissing, CodeIntervalMissing, CodePatienceMissing, CodeVariableMissing}},
		{"an image of another name that mounts it", func(f *Facts) { container(f).Image = "example.com/mirror/agent:1" }, nil},
		{"something may not be read", func(f *Facts) { f.Unseen = []Right{{Verb: "list", Resource: "deployments"}} }, []Code{CodeUnseen}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f := healthy()
			tt.change(f)
			unknown := false
			checks := Examine(f)
			for _, c := range checks {
				unknown = unknown || c.Level == Unseen
				// A mount over a directory of the image would hide its files.
				if (c.Code == CodeSubPath || c.Code == CodeNotMounted) && c.Want != "/etc/holmes/dynamic" {
					t.Errorf("%s advises to mount at %s", c.Code, c.Want)
				}
			}
			if diff := cmp.Diff(tt.want, codes(f)); diff != "" {
				t.Error(diff)
			}
			if !unknown && Done(checks) != (len(tt.want) == 0) {
				t.Errorf("done is %t", Done(checks))
			}
		})
	}
}

// TestSidecar: a container of this service's beside HolmesGPT writes the document into a volume of both.
func TestSidecar(t *testing.T) {
	t.Attr("req", "DTS-CLI-7")
	for name, args := range map[string][]string{"one word": {"serve", "--out=/out/toolsets"}, "two words": {"serve", "--out", "/out/toolsets/"}} {
		t.Run(name, func(t *testing.T) {
			f := healthy()
			f.Exists, f.Document, f.Needs, f.Keys = false, "", Needs{}, nil
			w := &f.Workloads[1]
			w.Namespace = "elsewhere"
			w.Pod.Volumes = []corev1.Volume{{Name: "dynamic", VolumeSource: corev1.VolumeSource{EmptyDir: &corev1.EmptyDirVolumeSource{}}}}
			w.Pod.InitContainers = []corev1.Container{{Args: args, VolumeMounts: []corev1.VolumeMount{{Name: "dynamic", MountPath: "/out/"}}}}
			w.Pod.Containers[1].Env[0].Value = "/etc/holmes/dynamic/toolsets/custom_toolset.yaml"
			if got := codes(f); !slices.Equal(got, []Code{CodeSidecarDocument}) {
				t.Errorf("it is right: %v", got)
			}
			w.Pod.Containers[1].Env[0].Value = "/etc/holmes/dynamic/custom_toolset.yaml"
			if got := codes(f); !slices.Equal(got, []Code{CodeLocationWrong, CodeSidecarDocument}) {
				t.Errorf("another location: %v", got)
			}
			w.Pod.Containers[1].VolumeMounts = nil
			if got := codes(f); !slices.Equal(got, []Code{CodeConfigMapMissing, CodeOtherNamespace}) {
				t.Errorf("HolmesGPT does not mount the volume: %v", got)
			}
		})
	}
}

func codes(f *Facts) (codes []Code) {
	for _, c := range Examine(f) {
		if c.Level != OK {
			codes = append(codes, c.Code)
		}
	}
	return codes
}

func TestNeedsOf(t *testing.T) {
	t.Attr("req", "DTS-CLI-7")
	got := NeedsOf(`toolsets:
  generation/1: {enabled: false}
  kubernetes/core: {enabled: true}
  prometheus/metrics: {config: {instances: [
    {prometheus_url: "https://thanos-querier.openshift-monitoring.svc.cluster.local:9091"},
    {prometheus_url: "https://other.openshift-monitoring.svc:9091", additional_headers: {Authorization: "Basic Og=="}},
    {prometheus_url: "http://plain.shop.svc:9090"}, {prometheus_url: "https://prometheus.example.com"},
    {prometheus_url: "https://unchecked.shop.svc.example.org", verify_ssl: false}]}}
  grafana/dashboards: {config: {verify_ssl: false, instances: [{api_url: "https://grafana.openshift-monitoring.svc", verify_ssl: true}]}}
  jaeger/a: {type: http, config: {verify_ssl: false, endpoints: [{hosts: ["https://jaeger.tracing.svc:16686"]}]}}
mcp_servers:
  a: {config: {url: "https://mcp.tools.svc/{{ env.A }}"}}
`)
	want := Needs{
		Toolsets:  5,
		Variables: []toolset.Variable{{Name: "A", Toolset: "a", Field: "url"}},
		Authority: []string{"grafana.openshift-monitoring.svc", "mcp.tools.svc", "other.openshift-monitoring.svc", "thanos-querier.openshift-monitoring.svc.cluster.local"},
		OpenShift: []string{"thanos-querier.openshift-monitoring.svc.cluster.local"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if got := NeedsOf("]["); got.Toolsets != 0 {
		t.Errorf("no document needs %+v", got)
	}
}

// TestReferences: no Secret is looked at but those that something depends on.
func TestReferences(t *testing.T) {
	t.Attr("req", "DTS-CLI-7")
	f := healthy()
	c := &f.Workloads[1].Pod.Containers[1]
	c.Env = append(c.Env, corev1.EnvVar{Name: "OPENAI_API_KEY", ValueFrom: &corev1.EnvVarSource{SecretKeyRef: &corev1.SecretKeySelector{
		LocalObjectReference: corev1.LocalObjectReference{Name: "openai"}, Key: "key"}}}, corev1.EnvVar{Name: OpenShift})
	c.EnvFrom = []corev1.EnvFromSource{{SecretRef: &corev1.SecretEnvSource{LocalObjectReference: corev1.LocalObjectReference{Name: "more"}}}}
	if got := f.References(); !slices.Equal(got, []Object{secret}) {
		t.Errorf("references: %v", got)
	}
}
