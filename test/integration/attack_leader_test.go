//go:build integration

package integration

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	discoveryv1 "k8s.io/api/discovery/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"

	"kubernaut.io/dynamic-toolset/test/integration/testenv"
)

// flapping has thousands of endpoints of one Service of a stranger become ready and not ready, all the time.
func flapping(t *testing.T, env *testenv.Env, namespace string, slicesOf, each int) (stop func()) {
	t.Helper()
	env.Create(t, testenv.Service{Namespace: namespace, Name: "flapping", Labels: named("prometheus"), Port: "http", Number: 9090})
	client := env.Client.DiscoveryV1().EndpointSlices(namespace)
	endpoints := func(i int, ready bool) (list []discoveryv1.Endpoint) {
		for j := range each {
			list = append(list, discoveryv1.Endpoint{
				Addresses:  []string{fmt.Sprintf("10.%d.%d.%d", 100+i/200, i%200, j)},
				Conditions: discoveryv1.EndpointConditions{Ready: &ready},
			})
		}
		return list
	}
	port, number := "http", int32(9090)
	sideBySide(slicesOf, func(i int) {
		_, err := client.Create(t.Context(), &discoveryv1.EndpointSlice{
			ObjectMeta:  metav1.ObjectMeta{Name: fmt.Sprintf("flapping-%04d", i), Labels: map[string]string{discoveryv1.LabelServiceName: "flapping"}},
			AddressType: discoveryv1.AddressTypeIPv4, Endpoints: endpoints(i, true),
			Ports: []discoveryv1.EndpointPort{{Name: &port, Port: &number}},
		}, metav1.CreateOptions{})
		if err != nil {
			t.Error(err)
		}
	})
	ended := make(chan struct{})
	var turns atomic.Int64
	var wg sync.WaitGroup
	for w := range 4 {
		wg.Go(func() {
			for r := 0; ; r++ {
				for i := w; i < slicesOf; i += 4 {
					select {
					case <-ended:
						return
					default:
					}
					patch, _ := json.Marshal(map[string]any{"endpoints": endpoints(i, r%2 == 1)})
					if _, err := client.Patch(t.Context(), fmt.Sprintf("flapping-%04d", i), types.MergePatchType, patch, metav1.PatchOptions{}); err == nil {
						turns.Add(1)
					}
				}
			}
		})
	}
	return sync.OnceFunc(func() {
		close(ended)
		wg.Wait()
		t.Logf("%d changes of EndpointSlices with %d endpoints each", turns.Load(), each)
	})
}

// While the owner of one namespace floods it and has thousands of endpoints flap, leaders are killed, all watches are cut and
// end as expired: what others have stays published, and what they add is published soon.
func TestLeadersAndWatchesEndInAFlood(t *testing.T) {
	t.Attr("req", "DTS-RUN-2 DTS-RUN-5 DTS-SEC-3")
	env := testenv.Shared(t)
	all := newReplicas(t, env)
	var urls []string
	for i := range 3 {
		urls = append(urls, env.Create(t, prometheusIn("monitoring", fmt.Sprintf("prometheus-%d", i))).URL())
	}
	list := []*replica{all.add(t), all.add(t)}
	published(t, env, "all is published", urls...)
	record := env.Record(t)
	stop := flapping(t, env, "evil", 30, 100)
	defer stop()
	env.Bulk(t, 1500, func(i int) testenv.Service { return noted("evil", i) })
	published(t, env, "the flood is published in part", append(urls, "custom/evil/")...)

	late := func(what string, i int) {
		t.Helper()
		published(t, env, what+": a new backend elsewhere", env.Create(t, prometheusIn("late", fmt.Sprintf("prometheus-%d", i))).URL())
	}
	for i := range 3 {
		leader := all.leader(t, list)
		list = slices.DeleteFunc(list, func(one *replica) bool { return one == leader })
		leader.Kill(t)
		late("the leader is killed", i)
		list = append(list, all.add(t))
	}
	leader := all.leader(t, list)
	var expired atomic.Int64
	for _, f := range all.fronts {
		f.Inject(func(w http.ResponseWriter, req *http.Request) bool {
			if req.URL.Query().Get("watch") == "" || expired.Add(1)%2 == 0 {
				return false
			}
			testenv.Refuse(w, apierrors.NewResourceExpired("too old resource version"))
			return true
		})
	}
	storm := make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		for range 20 {
			for _, f := range all.fronts {
				f.Cut()
			}
			select {
			case <-storm:
				return
			case <-time.After(500 * time.Millisecond):
			}
		}
	})
	for i := range 3 {
		late("watches are cut and expire", 10+i)
	}
	close(storm)
	wg.Wait()
	late("afterwards", 20)
	t.Logf("%d watches expired; the leader has taken %d MiB at most", expired.Load()/2, leader.HWM(t)>>20)
	if expired.Load() < 2 || leader.HWM(t) > 128<<20 {
		t.Error("want some, and at most 128")
	}
	stop()
	for _, c := range record.Changes() {
		if wrong := amiss(c.ConfigMap.Data[document], urls...); c.Type == watch.Deleted || len(wrong) > 0 {
			t.Errorf("%s: lost: %q", c, wrong)
		}
	}
}
