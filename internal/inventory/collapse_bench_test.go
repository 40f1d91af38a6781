package inventory

import (
	"fmt"
	"net/netip"
	"testing"
	"time"

	"kubernaut.io/dynamic-toolset/internal/backend"
)

// Whoever may make Services in one namespace decides how many there are, and in what they nearly agree. Each of ten thousand takes
// not much longer than each of a thousand.
func BenchmarkCollapse(b *testing.B) {
	const few, many, most = 1_000, 10_000, 4 // where each is compared with all, each of many takes ten times as long
	for name, change := range map[string]func(i int, f *backend.Finding, e *backend.Endpoints){
		"endpoints": func(int, *backend.Finding, *backend.Endpoints) {},
		"selectors": func(i int, f *backend.Finding, e *backend.Endpoints) {
			f.Service.ClusterIP, e.Slices = "None", nil
			for k := range 60 {
				f.Service.Selector[fmt.Sprintf("key-%02d", k)] = ""
			}
			f.Service.Selector["key-00"] = fmt.Sprint(i)
		},
		"releases": func(_ int, f *backend.Finding, _ *backend.Endpoints) {
			f.Service.Labels = map[string]string{"release": "r", "app": "a"}
		},
	} {
		b.Run(name, func(b *testing.B) {
			each := map[int]time.Duration{few: time.Hour, many: time.Hour}
			for n := range each {
				all, endpoints := crowd(n, change)
				for range 3 { // the best of some
					begun := time.Now()
					collapse(all, endpoints, &Options{})
					each[n] = min(each[n], time.Since(begun)/time.Duration(n))
				}
			}
			for b.Loop() { // what was measured is above
			}
			b.ReportMetric(float64(each[few].Nanoseconds()), "ns/few")
			b.ReportMetric(float64(each[many].Nanoseconds()), "ns/many")
			if each[many] > most*each[few] {
				b.Errorf("each of %d takes %s, each of %d %s: more than %d times as long", few, each[few], many, each[many], most)
			}
		})
	}
}

func crowd(n int, change func(int, *backend.Finding, *backend.Endpoints)) (all []*backend.Finding, endpoints map[backend.Ref]*backend.Endpoints) {
	endpoints = map[backend.Ref]*backend.Endpoints{}
	for i := range n {
		name := fmt.Sprintf("prometheus-%d", i)
		s := &backend.Service{
			Ref: backend.Ref{Namespace: "a", Name: name}, ClusterIP: "10.0.0.1", Selector: map[string]string{"app": "prometheus", "instance": name},
		}
		f := &backend.Finding{Ref: s.Ref, Service: s, Type: "prometheus", Verdict: backend.Accepted, Candidate: &backend.Candidate{Service: s}}
		e := nearlyEqual(i)
		change(i, f, e)
		all, endpoints[s.Ref] = append(all, f), e
	}
	return all, endpoints
}

// nearlyEqual are as many endpoints as are compared closely, of which the last alone differs.
func nearlyEqual(i int) *backend.Endpoints {
	slice := backend.EndpointSlice{Ports: []backend.EndpointPort{{Number: 9090, Protocol: "TCP"}}}
	for j := range maxTwin - 1 {
		slice.Ready = append(slice.Ready, netip.AddrFrom4([4]byte{10, 0, 0, byte(j)}))
	}
	slice.Ready = append(slice.Ready, netip.AddrFrom4([4]byte{10, 1, byte(i >> 8), byte(i)}))
	return &backend.Endpoints{Slices: []backend.EndpointSlice{slice}}
}
