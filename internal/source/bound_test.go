package source

import (
	"fmt"
	"maps"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"kubernaut.io/dynamic-toolset/internal/backend"
)

// What an owner writes into a Service is not held in megabytes, and what a chart writes is held as it is.
func TestServicesAreBounded(t *testing.T) {
	t.Attr("req", "DTS-SEC-3")
	many := func(prefix string) map[string]string {
		m := map[string]string{}
		for i := range 5000 {
			m[fmt.Sprintf("%s%05d", prefix, i)] = strings.Repeat("x", 60)
		}
		return m
	}
	huge := &corev1.Service{ObjectMeta: metav1.ObjectMeta{Labels: many("l"), Annotations: many("kubernaut.io/toolset-x")}}
	huge.Annotations["kubernaut.io/toolset"] = "true"
	huge.Annotations["kubernaut.io/toolset-description"] = strings.Repeat("ä", 100_000)
	huge.Spec.Selector = many("s")
	huge.Spec.Ports = make([]corev1.ServicePort, 20_000)
	s := FromService(huge, nil)
	size := func(m map[string]string) (n int) {
		for k, v := range m {
			n += len(k) + len(v)
		}
		return n
	}
	if n := size(s.Labels) + size(s.Annotations) + size(s.Selector); n > 3*maxTexts || len(s.Ports) != maxPorts {
		t.Errorf("%d bytes of text and %d ports are kept", n, len(s.Ports))
	}
	if s.Annotations["kubernaut.io/toolset"] != "true" {
		t.Error("the annotation that decides is not kept")
	}
	if n := len(s.Annotations["kubernaut.io/toolset-description"]); n <= 500 || n > maxText {
		t.Errorf("%d bytes of the description are kept: want too many to be valid, and few", n)
	}

	usual := &corev1.Service{ObjectMeta: metav1.ObjectMeta{
		Labels:      map[string]string{"app.kubernetes.io/name": "prometheus"},
		Annotations: map[string]string{"kubernaut.io/toolset": "true"},
	}}
	usual.Spec.Selector = map[string]string{"app": "prometheus"}
	got := FromService(usual, nil)
	want := backend.Service{Labels: maps.Clone(usual.Labels), Annotations: maps.Clone(usual.Annotations), Selector: maps.Clone(usual.Spec.Selector), Type: "ClusterIP"}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("a usual Service (-want +got):\n%s", d)
	}
}
