//go:build chart

package chart

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
)

// On OpenShift the pod leaves its user to restricted-v2, which refuses any other, and trusts the authority of OpenShift's own
// services; elsewhere nothing of it is there.
func TestOpenShift(t *testing.T) {
	t.Attr("req", "DTS-PKG-1 DTS-SEC-2")
	const told, served = "openshift=true", "security.openshift.io/v1"
	const injected = "service.beta.openshift.io/inject-cabundle"
	tests := map[string]struct {
		args      []string
		openshift bool
		ca        string // the ConfigMap that is mounted
		file      string
	}{
		"elsewhere":                {nil, false, "", ""},
		"told":                     {[]string{"--set", told}, true, "dynamic-toolset-service-ca", "service-ca.crt"},
		"found":                    {[]string{"--api-versions", served}, true, "dynamic-toolset-service-ca", "service-ca.crt"},
		"told that it is not":      {[]string{"--api-versions", served, "--set", "openshift=false"}, false, "", ""},
		"an authority of your own": {[]string{"--set", told, "--set", "backendCA.configMap=own"}, true, "own", "ca.crt"},
		"a file of your own":       {[]string{"--set", told, "--set", "config.tls.caFile=/x"}, true, "", ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := render(t, tt.args...)
			template, container := r.pod(t)
			p := template.Spec.SecurityContext
			for field, id := range map[string]*int64{"runAsUser": p.RunAsUser, "runAsGroup": p.RunAsGroup, "fsGroup": p.FSGroup} {
				if (id == nil) != tt.openshift {
					t.Errorf("%s: %v", field, id)
				}
			}
			if !*p.RunAsNonRoot || p.SeccompProfile.Type != corev1.SeccompProfileTypeRuntimeDefault || container.SecurityContext.RunAsUser != nil {
				t.Errorf("pod: %+v, container: %+v", p, container.SecurityContext)
			}
			var mounted, made []string
			for _, v := range template.Spec.Volumes {
				if v.Name == "backend-ca" {
					mounted = append(mounted, v.ConfigMap.Name)
				}
			}
			for _, cm := range all[*corev1.ConfigMap](r) {
				if cm.Annotations[injected] == "true" && len(cm.Data) == 0 {
					made = append(made, cm.Name)
				}
			}
			var want []string
			if tt.ca != "" {
				want = []string{tt.ca}
				if file := "/etc/dynamic-toolset/backend-ca/" + tt.file; r.config.TLS.CAFile != file {
					t.Errorf("tls.caFile is %q, want %q", r.config.TLS.CAFile, file)
				}
			}
			if d := cmp.Diff(want, mounted); d != "" {
				t.Errorf("mounted: %s", d)
			}
			if want = slices.DeleteFunc(want, func(s string) bool { return !strings.HasSuffix(s, "-service-ca") }); len(want) != len(made) {
				t.Errorf("made to be filled in: %q, want %q", made, want)
			}
		})
	}
}
