//go:build integration && soak

package integration

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"kubernaut.io/dynamic-toolset/test/integration/testenv"
	"kubernaut.io/dynamic-toolset/test/standin"
)

// soak is what is changed.
type soak struct {
	env      *testenv.Env
	backends []*soaked

	mu                        sync.Mutex
	override                  string // the admin's last
	changes, edits, deletions atomic.Int64
}

type soaked struct {
	testenv.Service
	made    *corev1.Service
	handler *failing
	url     string
	gone    bool
}

func newSoak(t *testing.T, env *testenv.Env) *soak {
	t.Helper()
	s := &soak{env: env}
	kinds := everyType()
	delete(kinds, "mcp")
	for i := 0; len(s.backends) < soakBackends; i++ {
		for typ, service := range kinds {
			service.Namespace, service.Name = fmt.Sprintf("soak-%d", i), typ
			h := &failing{standin: standin.New(service.Kind, standin.Options{})}
			b := put(t, env, service, h)
			s.backends = append(s.backends, &soaked{Service: service, made: b.Service, handler: h, url: b.URL()})
		}
	}
	s.backends = s.backends[:soakBackends]
	return s
}

func (s *soak) urls() (list []string) {
	for _, b := range s.backends {
		list = append(list, b.url)
	}
	return list
}

func (s *soak) text() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.override
}

// churn changes a Service about twenty times a second.
func (s *soak) churn(ctx context.Context) {
	n := 0
	every(ctx, 50*time.Millisecond, func() {
		n++
		b := s.backends[rand.N(len(s.backends))]
		switch rand.N(8) {
		case 0, 1:
			s.describe(ctx, b, n)
		case 2:
			s.ready(ctx, b, rand.N(2) == 0)
		case 3:
			b.handler.broken.Store(rand.N(2) == 0)
		case 4:
			if b.gone {
				s.create(ctx, b)
			} else {
				s.delete(ctx, b)
			}
		case 5:
			s.optOut(ctx, b, rand.N(2) == 0)
		default:
			s.nothing(ctx, n)
		}
		s.changes.Add(1)
	})
}

func (s *soak) patch(ctx context.Context, b *soaked, annotations map[string]any) {
	body, _ := json.Marshal(map[string]any{"metadata": map[string]any{"annotations": annotations}})                          // strings and nulls
	_, _ = s.env.Client.CoreV1().Services(b.Namespace).Patch(ctx, b.Name, types.MergePatchType, body, metav1.PatchOptions{}) // it may be gone
}

func (s *soak) describe(ctx context.Context, b *soaked, n int) {
	s.patch(ctx, b, map[string]any{"kubernaut.io/toolset-description": fmt.Sprintf("turn %d", n)})
}

func (s *soak) optOut(ctx context.Context, b *soaked, out bool) {
	var value any
	switch {
	case out:
		value = "disabled"
	case b.Annotations["kubernaut.io/toolset"] != "":
		value = b.Annotations["kubernaut.io/toolset"]
	}
	s.patch(ctx, b, map[string]any{"kubernaut.io/toolset": value})
}

func (s *soak) ready(ctx context.Context, b *soaked, ready bool) {
	slices := s.env.Client.DiscoveryV1().EndpointSlices(b.Namespace)
	slice, err := slices.Get(ctx, b.Name, metav1.GetOptions{})
	if err != nil {
		return // it is gone
	}
	slice.Endpoints[0].Conditions.Ready = &ready
	_, _ = slices.Update(ctx, slice, metav1.UpdateOptions{}) // the next one will do
}

func (s *soak) delete(ctx context.Context, b *soaked) {
	if err := s.env.Client.CoreV1().Services(b.Namespace).Delete(ctx, b.Name, metav1.DeleteOptions{}); err == nil {
		b.gone = true
	}
}

// create makes it again with the address it had; its EndpointSlice has stayed.
func (s *soak) create(ctx context.Context, b *soaked) {
	o := &corev1.Service{
		ObjectMeta: metav1.ObjectMeta{Namespace: b.Namespace, Name: b.Name, Labels: b.Labels, Annotations: b.Annotations},
		Spec:       *b.made.Spec.DeepCopy(),
	}
	if _, err := s.env.Client.CoreV1().Services(b.Namespace).Create(ctx, o, metav1.CreateOptions{}); err == nil {
		b.gone = false
	}
}

// nothing changes a Service that is no backend, and its slice.
func (s *soak) nothing(ctx context.Context, n int) {
	namespace, name := testenv.FillName(rand.N(soakServices - soakBackends))
	body := fmt.Appendf(nil, `{"metadata":{"labels":{"turn":"%d"}}}`, n)
	_, _ = s.env.Client.CoreV1().Services(namespace).Patch(ctx, name, types.MergePatchType, body, metav1.PatchOptions{})
	_, _ = s.env.Client.DiscoveryV1().EndpointSlices(namespace).Patch(ctx, name, types.MergePatchType, body, metav1.PatchOptions{})
}

// meddle is an admin who edits the overrides, and others who break what they can.
func (s *soak) meddle(ctx context.Context) {
	n := 0
	every(ctx, 500*time.Millisecond, func() {
		n++
		switch {
		case n%50 == 0:
			if err := s.env.Client.CoreV1().ConfigMaps(testenv.OutputNamespace).Delete(ctx, testenv.ConfigMapName, metav1.DeleteOptions{}); err == nil {
				s.deletions.Add(1)
			}
		case n%3 == 0:
			_ = s.write(ctx, "vandal", map[string]any{document: "toolsets: {}\n"}) // it may be deleted
		case n%7 == 0:
			_ = s.write(ctx, "vandal", map[string]any{"prometheus-toolset.yaml": nil, "stale-toolset.yaml": "x"})
		default:
			s.admin(ctx, n)
		}
	})
}

func (s *soak) admin(ctx context.Context, n int) {
	text := fmt.Sprintf("toolsets:\n  helm/core: {enabled: true, description: edit %d} # mine\n", n)
	if s.write(ctx, "admin", map[string]any{"overrides.yaml": text}) == nil {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.override = text
	}
}

func (s *soak) write(ctx context.Context, manager string, data map[string]any) error {
	err := edit(s.env, manager).patch(ctx, object{"data": data})
	if err == nil {
		s.edits.Add(1)
	}
	return err
}

// settle has everything there and working.
func (s *soak) settle(t *testing.T) {
	t.Helper()
	for _, b := range s.backends {
		b.handler.broken.Store(false)
		testenv.Retry(t, b.url+" works again", func() error {
			if b.gone {
				s.create(t.Context(), b)
			}
			if b.gone {
				return errors.New("it cannot be made")
			}
			s.optOut(t.Context(), b, false)
			s.ready(t.Context(), b, true)
			slice, err := s.env.Client.DiscoveryV1().EndpointSlices(b.Namespace).Get(t.Context(), b.Name, metav1.GetOptions{})
			if err == nil && !isReady(slice) {
				err = errors.New("its endpoint is not ready")
			}
			return err
		})
	}
	testenv.Retry(t, "a last edit", func() error {
		s.admin(t.Context(), 0)
		if !strings.Contains(s.text(), "edit 0}") {
			return errors.New("refused")
		}
		return nil
	})
}

func isReady(s *discoveryv1.EndpointSlice) bool {
	return s.Endpoints[0].Conditions.Ready != nil && *s.Endpoints[0].Conditions.Ready
}
