//go:build integration && soak

package integration

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"kubernaut.io/dynamic-toolset/internal/standin"
	"kubernaut.io/dynamic-toolset/test/integration/testenv"
)

const (
	soakServices = 500
	soakBackends = 60 // of them
)

// TestSoak runs two replicas for SOAK (10m unless set) with 500 Services of which something changes all the time, backends
// that break and hang, watches that are cut, and people who edit, vandalise and delete the ConfigMap. Built with the race
// detector, there must be no race; and neither goroutines nor memory may grow.
func TestSoak(t *testing.T) {
	for _, id := range []string{"DTS-QA-3", "DTS-RUN-5", "DTS-PRB-6", "DTS-OUT-8"} {
		t.Attr("req", id)
	}
	length := 10 * time.Minute
	if text := os.Getenv("SOAK"); text != "" {
		var err error
		if length, err = time.ParseDuration(text); err != nil || length < 20*time.Second {
			t.Fatalf("SOAK=%s: want a duration of at least 20s", text)
		}
	}
	env := testenv.Start(t)
	env.Fill(t, soakServices-soakBackends, true)
	s := newSoak(t, env)
	all := newReplicas(t, env)
	args := []string{"--set", "health.interval=2s", "--set", "discovery.interval=30s", "--set", "output.resync=5s", "--set", "discovery.settle=50ms"}
	list := []*replica{all.add(t, args...), all.add(t, args...)}
	published(t, env, "all is published at first", s.urls()...)
	for _, one := range list {
		one.answers(t, 30*time.Second, "/readyz", http.StatusOK)
	}
	stops := []func(){list[0].pulse(t), list[1].pulse(t)}

	ctx, stop := context.WithTimeout(t.Context(), length)
	defer stop()
	samples := make([][]sample, len(list))
	var running sync.WaitGroup
	running.Go(func() { s.churn(ctx) })
	running.Go(func() { s.meddle(ctx) })
	running.Go(func() { all.cut(ctx) })
	every(ctx, time.Second, func() {
		for i, one := range list {
			samples[i] = append(samples[i], one.sample(t))
		}
	})
	running.Wait()
	for _, stop := range stops {
		stop()
	}

	s.settle(t)
	cm := published(t, env, "all that works is published at the end", s.urls()...)
	if got := cm.Data["overrides.yaml"]; got != s.text() {
		t.Errorf("the overrides are %q, the admin wrote %q last", got, s.text())
	}
	t.Logf("%s: %d changes of Services, %d of the ConfigMap by others, %d deletions of it, %d writes of ours, %d cuts",
		length, s.changes.Load(), s.edits.Load(), s.deletions.Load(), len(all.written(nil)), all.cuts.Load())
	for i, one := range list {
		compare(t, one.name, samples[i])
		one.Signal(t, syscall.SIGTERM)
		if code := one.Wait(t, 30*time.Second); code != 0 { // 66 where a race was found
			t.Errorf("%s: exit code %d", one.name, code)
		}
	}
}

// cut cuts the watches of all replicas now and then.
func (r *replicas) cut(ctx context.Context) {
	every(ctx, 7*time.Second, func() {
		for _, f := range r.fronts {
			f.Cut()
			r.cuts.Add(1)
		}
	})
}

// sample is how large a process is at one time.
type sample struct{ rss, heap, goroutines float64 }

func (i *instance) sample(t *testing.T) sample {
	t.Helper()
	return sample{
		rss:        float64(i.RSS(t)),
		heap:       i.metric(t, "go_memstats_heap_inuse_bytes"),
		goroutines: i.metric(t, "go_goroutines"),
	}
}

// compare holds the last quarter against the second: by then everything has been done once.
func compare(t *testing.T, name string, samples []sample) {
	t.Helper()
	n := len(samples)
	if n < 8 {
		t.Fatalf("%s: %d samples are too few", name, n)
	}
	second, last := samples[n/4:n/2], samples[n*3/4:]
	for _, of := range []struct {
		what  string
		value func(sample) float64
		unit  float64
		slack float64 // what may come and go
	}{
		{"resident memory, MiB", func(s sample) float64 { return s.rss }, 1 << 20, 16 << 20},
		{"heap in use, MiB", func(s sample) float64 { return s.heap }, 1 << 20, 8 << 20},
		{"goroutines", func(s sample) float64 { return s.goroutines }, 1, 10},
	} {
		a, b := median(second, of.value), median(last, of.value)
		t.Logf("%s: %s: %.1f in the second quarter, %.1f in the last (medians), %.1f at most", name, of.what,
			a/of.unit, b/of.unit, slices.Max(values(samples, of.value))/of.unit)
		if b > a*1.05+of.slack {
			t.Errorf("%s: %s grows", name, of.what)
		}
	}
}

func values(samples []sample, value func(sample) float64) (list []float64) {
	for _, s := range samples {
		list = append(list, value(s))
	}
	return list
}

func median(samples []sample, value func(sample) float64) float64 {
	list := values(samples, value)
	slices.Sort(list)
	return list[len(list)/2]
}

// every calls do now and then until the end.
func every(ctx context.Context, pause time.Duration, do func()) {
	tick := time.NewTicker(pause)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			do()
		}
	}
}

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
			if err := s.configMaps().Delete(ctx, testenv.ConfigMapName, metav1.DeleteOptions{}); err == nil {
				s.deletions.Add(1)
			}
		case n%3 == 0:
			s.write(ctx, "vandal", map[string]any{document: "toolsets: {}\n"})
		case n%7 == 0:
			s.write(ctx, "vandal", map[string]any{"prometheus-toolset.yaml": nil, "stale-toolset.yaml": "x"})
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
	body, err := json.Marshal(map[string]any{"data": data})
	if err == nil {
		_, err = s.configMaps().Patch(ctx, testenv.ConfigMapName, types.MergePatchType, body, metav1.PatchOptions{FieldManager: manager})
	}
	if err == nil {
		s.edits.Add(1)
	}
	return err
}

func (s *soak) configMaps() interface {
	Delete(ctx context.Context, name string, opts metav1.DeleteOptions) error
	Patch(ctx context.Context, name string, pt types.PatchType, data []byte, opts metav1.PatchOptions, subresources ...string) (*corev1.ConfigMap, error)
} {
	return s.env.Client.CoreV1().ConfigMaps(testenv.OutputNamespace)
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
