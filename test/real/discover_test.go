//go:build real

package real

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"os"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	"sigs.k8s.io/yaml"
)

// service is a Service in front of what listens at its address.
type service struct {
	namespace, name string
	labels          map[string]string
	annotations     map[string]string
	ip              string
	ports           []port
}

type port struct {
	name   string
	number int // of the Service, which is what is listened on
	target int // what the pod is said to listen on; the number where 0
}

// manifests are the Services, each with an EndpointSlice whose address nothing dials.
func manifests(list []service) ([]byte, error) {
	var out bytes.Buffer
	for i, s := range list {
		address := fmt.Sprintf("10.244.%d.%d", i/250, i%250+1)
		yes := true
		meta := metav1.ObjectMeta{
			Namespace: s.namespace, Name: s.name, Labels: s.labels, Annotations: s.annotations,
			CreationTimestamp: metav1.NewTime(time.Date(2026, 1, 1, 0, 0, i, 0, time.UTC)),
		}
		object := corev1.Service{
			TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "Service"}, ObjectMeta: meta,
			Spec: corev1.ServiceSpec{ClusterIP: s.ip, ClusterIPs: []string{s.ip}, Selector: map[string]string{"lab": s.namespace + "." + s.name}},
		}
		slice := discoveryv1.EndpointSlice{
			TypeMeta:    metav1.TypeMeta{APIVersion: "discovery.k8s.io/v1", Kind: "EndpointSlice"},
			ObjectMeta:  metav1.ObjectMeta{Namespace: s.namespace, Name: s.name + "-1", Labels: map[string]string{discoveryv1.LabelServiceName: s.name}},
			AddressType: discoveryv1.AddressTypeIPv4,
			Endpoints:   []discoveryv1.Endpoint{{Addresses: []string{address}, Conditions: discoveryv1.EndpointConditions{Ready: &yes}}},
		}
		for _, p := range s.ports {
			target := int32(p.target)
			if target == 0 {
				target = int32(p.number)
			}
			object.Spec.Ports = append(object.Spec.Ports, corev1.ServicePort{
				Name: p.name, Port: int32(p.number), TargetPort: intstr.FromInt32(target), Protocol: corev1.ProtocolTCP,
			})
			slice.Ports = append(slice.Ports, discoveryv1.EndpointPort{Name: &p.name, Port: &target})
		}
		for _, o := range []any{object, slice} {
			text, err := yaml.Marshal(o)
			if err != nil {
				return nil, err
			}
			out.WriteString("---\n")
			out.Write(text)
		}
	}
	return out.Bytes(), nil
}

// found is what discover says of a Service.
type found struct {
	Name      string            `json:"name"`
	Namespace string            `json:"namespace"`
	Type      string            `json:"type"`
	Endpoint  string            `json:"endpoint"`
	Metadata  map[string]string `json:"metadata"`
	Primary   bool              `json:"primary"`
	Verdict   string            `json:"verdict"`
	Reason    string            `json:"reason"`
}

func (f found) String() string {
	return fmt.Sprintf("%s %s, version %q, path %q, probe %q, %s: %s", f.Verdict, f.Type, f.Metadata["version"], f.Metadata["path"],
		f.Metadata["probe"], f.Endpoint, f.Reason)
}

// tool runs the built program and returns what it printed on standard output and standard error.
func (l *lab) tool(t *testing.T, args ...string) (string, string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, l.binary, args...)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		t.Fatalf("dynamic-toolset %s: %v\n%s", strings.Join(args, " "), err, stderr.String())
	}
	return stdout.String(), stderr.String()
}

// file writes the Services down.
func (l *lab) file(t *testing.T, list []service) string {
	t.Helper()
	text, err := manifests(list)
	must(t, err)
	name := filepath.Join(t.TempDir(), "services.yaml")
	must(t, os.WriteFile(name, text, 0o600))
	return name
}

// discover asks the program what the Services are. Several candidates of one Service are several results.
func (l *lab) discover(t *testing.T, list []service, args ...string) map[string][]found {
	t.Helper()
	stdout, _ := l.tool(t, append([]string{"discover", "--all", "-o", "json", "--probe=direct", "-f", l.file(t, list)}, args...)...)
	var answer struct {
		Services []found `json:"services"`
	}
	if err := json.Unmarshal([]byte(stdout), &answer); err != nil {
		t.Fatalf("reading what discover prints: %v", err)
	}
	results := map[string][]found{}
	for _, f := range answer.Services {
		key := f.Namespace + "/" + f.Name
		results[key] = append(results[key], f)
	}
	return results
}
