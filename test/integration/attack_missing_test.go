//go:build integration

package integration

import (
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"kubernaut.io/dynamic-toolset/test/integration/testenv"
	"kubernaut.io/dynamic-toolset/test/standin"
)

// Services that become something and nothing again and again have their EndpointSlices read; those of a Service of another
// namespace that becomes something wait for none of them.
func TestFlippedServicesDelayNobody(t *testing.T) {
	t.Attr("req", "DTS-SEC-3")
	const flipped, writers = 1000, 8
	env := testenv.Shared(t)
	start(t, env)
	env.Namespace(t, "evil")
	services := env.Client.CoreV1().Services("evil")
	name := func(i int) string { return fmt.Sprintf("x%04d", i) }
	sideBySide(flipped, func(i int) {
		s := &corev1.Service{
			ObjectMeta: metav1.ObjectMeta{Name: name(i)},
			Spec:       corev1.ServiceSpec{ClusterIP: corev1.ClusterIPNone, Ports: []corev1.ServicePort{{Name: "http", Port: 8080}}},
		}
		if _, err := services.Create(t.Context(), s, metav1.CreateOptions{}); err != nil {
			t.Error(err)
		}
	})
	env.Create(t, testenv.Service{Namespace: "good", Name: "plain", Port: "http", Number: 8080, Kind: standin.Prometheus})
	stop := make(chan struct{})
	var flipping sync.WaitGroup
	var flips atomic.Int64
	defer flipping.Wait()
	defer close(stop)
	for w := range writers {
		flipping.Go(func() {
			for r := 0; ; r++ {
				for i := w; i < flipped; i += writers {
					select {
					case <-stop:
						return
					default:
					}
					to := []string{`"false"`, `null`, `"true"`, `null`}[(r+i)%4]
					patch := fmt.Sprintf(`{"metadata":{"annotations":{"kubernaut.io/toolset":%s}}}`, to)
					if _, err := services.Patch(t.Context(), name(i), "application/merge-patch+json", []byte(patch), metav1.PatchOptions{}); err == nil {
						flips.Add(1)
					}
				}
			}
		})
	}
	testenv.Eventually(t, time.Minute, "there is much to read", func() error {
		if n := flips.Load(); n < flipped {
			return fmt.Errorf("%d flips", n)
		}
		return nil
	})
	env.Change(t, "good", "plain", func(s *corev1.Service) {
		s.Annotations = map[string]string{"kubernaut.io/toolset": "true", "kubernaut.io/toolset-type": "prometheus"}
	})
	published(t, env, "it became one", "name: good/plain\n")
}
