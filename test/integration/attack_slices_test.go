//go:build integration

package integration

import (
	"fmt"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	"kubernaut.io/dynamic-toolset/test/integration/testenv"
)

// sliceOf is an EndpointSlice of a Service with so many endpoints, addresses of each, and ports.
func sliceOf(namespace, service, name string, endpoints, addresses, ports int) *discoveryv1.EndpointSlice {
	s := &discoveryv1.EndpointSlice{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: namespace, Name: name, Labels: map[string]string{discoveryv1.LabelServiceName: service},
		},
		AddressType: discoveryv1.AddressTypeIPv4,
	}
	for i := range endpoints {
		var e discoveryv1.Endpoint
		for j := range addresses {
			e.Addresses = append(e.Addresses, fmt.Sprintf("10.%d.%d.%d", i/250, i%250, j))
		}
		s.Endpoints = append(s.Endpoints, e)
	}
	for i := range ports {
		s.Ports = append(s.Ports, discoveryv1.EndpointPort{
			Name: ptr.To(fmt.Sprintf("%s%03d", strings.Repeat("p", 60), i)), Port: ptr.To(int32(8000 + i)), Protocol: ptr.To(corev1.ProtocolTCP),
		})
	}
	return s
}

// enter makes EndpointSlices side by side.
func enter(t *testing.T, env *testenv.Env, n int, one func(i int) *discoveryv1.EndpointSlice) {
	t.Helper()
	sideBySide(n, func(i int) {
		s := one(i)
		if _, err := env.Client.DiscoveryV1().EndpointSlices(s.Namespace).Create(t.Context(), s, metav1.CreateOptions{}); err != nil {
			t.Error(err)
		}
	})
}

// EndpointSlices as large, and as many, as an API server takes: the service holds little of them, also where it lists them at a
// start. Nobody else is disturbed, and when they go all is as before. The chart allows the service 256 MiB; it was measured to take
// 99 to 123 MiB.
func TestSlicesTakeLittleMemory(t *testing.T) {
	t.Attr("req", "DTS-SEC-3")
	const most = 192 << 20
	for _, tc := range []struct {
		name    string
		slices  int
		one     func(i int) *discoveryv1.EndpointSlice
		crowded bool // more than is kept
	}{
		{"80 slices of 1,000 endpoints with 100 addresses", 80, func(i int) *discoveryv1.EndpointSlice {
			return sliceOf("evil", "x0000", fmt.Sprintf("large-%04d", i), 1000, 100, 1)
		}, false},
		{"5,000 slices of many ports", 5000, func(i int) *discoveryv1.EndpointSlice {
			return sliceOf("evil", fmt.Sprintf("x%04d", i%50), fmt.Sprintf("many-%04d", i), 100, 1, 100)
		}, true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			env := testenv.Start(t)
			service := start(t, env)
			victims := []*testenv.Backend{}
			for _, name := range []string{"one", "two"} {
				victims = append(victims, env.Create(t, prometheusIn("good", name)))
			}
			env.Bulk(t, 50, func(i int) testenv.Service { return noted("evil", i) })
			published(t, env, "before", "name: good/one\n", "name: good/two\n", "custom/evil/x0000", "custom/evil/x0049")

			enter(t, env, tc.slices, tc.one)
			undisturbed(t, env, "new", victims[0])
			if tc.crowded {
				published(t, env, "what is not looked at in full is not published", "-custom/evil/x0049", "name: good/new\n")
			}
			takesLittle(t, env, service, victims[1], most)

			err := env.Client.DiscoveryV1().EndpointSlices("evil").DeleteCollection(t.Context(), metav1.DeleteOptions{}, metav1.ListOptions{})
			must(t, err)
			published(t, env, "when they are gone", "custom/evil/x0000", "custom/evil/x0049", "name: good/newer\n")
		})
	}
}

// A denied address is seen wherever it stands, and takes back at once what is published.
func TestDeniedAmongManyIsSeen(t *testing.T) {
	t.Attr("req", "DTS-PRB-5")
	env := testenv.Shared(t)
	start(t, env, "--set", "health.interval=10m") // failed checks would take half an hour
	env.Create(t, prometheusIn("evil", "a"))
	enter(t, env, 1, func(int) *discoveryv1.EndpointSlice { return sliceOf("evil", "a", "large", 1000, 100, 1) })
	published(t, env, "at first", "name: evil/a\n")
	s, err := env.Client.DiscoveryV1().EndpointSlices("evil").Get(t.Context(), "large", metav1.GetOptions{})
	must(t, err)
	s.Endpoints[999].Addresses[99] = "100.100.100.200"
	_, err = env.Client.DiscoveryV1().EndpointSlices("evil").Update(t.Context(), s, metav1.UpdateOptions{})
	must(t, err)
	published(t, env, "withdrawn", "-name: evil/a\n")
}
