//go:build integration

package integration

import (
	"os"
	"path/filepath"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/yaml"

	"kubernaut.io/dynamic-toolset/test/chart/shipped"
)

// holmesValues are the values of HolmesGPT's chart that the examples have and generate --values prints.
type holmesValues struct {
	InitContainers         []corev1.Container   `json:"initContainers"`
	CustomClusterRoleRules []rbacv1.PolicyRule  `json:"customClusterRoleRules"`
	AdditionalEnvVars      []corev1.EnvVar      `json:"additionalEnvVars"`
	AdditionalVolumes      []corev1.Volume      `json:"additionalVolumes"`
	AdditionalVolumeMounts []corev1.VolumeMount `json:"additionalVolumeMounts"`
	Certificate            string               `json:"certificate"`
	OpenShift              bool                 `json:"openshift"`
}

// example is the path of one of the examples for HolmesGPT.
func example(t *testing.T, name string) string {
	t.Helper()
	root, err := shipped.Root()
	must(t, err)
	return filepath.Join(root, "examples", "holmesgpt", name)
}

func exampleValues(t *testing.T, name string) (v holmesValues) {
	t.Helper()
	text, err := os.ReadFile(example(t, name))
	must(t, err)
	must(t, yaml.UnmarshalStrict(text, &v))
	return v
}

// holmesDeployment is what HolmesGPT's chart makes of the values (helm/holmes/templates of HolmesGPT/holmesgpt), as far as it matters
// here.
func holmesDeployment(namespace, name, account string, v *holmesValues) *appsv1.Deployment {
	labels := map[string]string{"app": name}
	env := append([]corev1.EnvVar{{Name: "LOG_LEVEL", Value: "INFO"}}, v.AdditionalEnvVars...)
	if v.Certificate != "" {
		env = append(env, corev1.EnvVar{Name: "CERTIFICATE", Value: v.Certificate})
	}
	if v.OpenShift {
		env = append(env, corev1.EnvVar{Name: "IS_OPENSHIFT", Value: "True"})
	}
	own := corev1.ConfigMapVolumeSource{
		LocalObjectReference: corev1.LocalObjectReference{Name: "custom-toolsets-configmap"}, Optional: new(true),
	}
	return &appsv1.Deployment{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name, Labels: map[string]string{"app": "holmes"}},
		Spec: appsv1.DeploymentSpec{
			Selector: &metav1.LabelSelector{MatchLabels: labels},
			Template: corev1.PodTemplateSpec{
				ObjectMeta: metav1.ObjectMeta{Labels: labels},
				Spec: corev1.PodSpec{
					ServiceAccountName: account,
					InitContainers:     v.InitContainers,
					Containers: []corev1.Container{{
						Name: "holmes", Image: "robustadev/holmes:0.45.0", Command: []string{"python3", "-u", "server.py"}, Env: env,
						VolumeMounts: append([]corev1.VolumeMount{{Name: own.Name, MountPath: "/etc/holmes/config"}}, v.AdditionalVolumeMounts...),
						SecurityContext: &corev1.SecurityContext{ // the strictest, so that Pod Security speaks of the sidecar
							ReadOnlyRootFilesystem: new(true), RunAsNonRoot: new(true), AllowPrivilegeEscalation: new(false),
							Capabilities:   &corev1.Capabilities{Drop: []corev1.Capability{"ALL"}},
							SeccompProfile: &corev1.SeccompProfile{Type: corev1.SeccompProfileTypeRuntimeDefault},
						},
					}},
					Volumes: append([]corev1.Volume{{Name: own.Name, VolumeSource: corev1.VolumeSource{ConfigMap: &own}}}, v.AdditionalVolumes...),
				},
			},
		},
	}
}
