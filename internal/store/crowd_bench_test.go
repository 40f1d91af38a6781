package store

import (
	"fmt"
	"net/netip"
	"testing"
	"time"

	"kubernaut.io/dynamic-toolset/internal/backend"
)

// Whoever may make Services and EndpointSlices in one namespace decides how many there are and in which order they come and go, and
// all others wait meanwhile. It fails where each of many takes much longer than each of few.
func BenchmarkCrowd(b *testing.B) {
	const few, many = 500, 20_000
	slice := func(w *Store, service string, i int) {
		s := Slice{Name: fmt.Sprintf("x%06d", i)}
		for j := range 12 {
			s.Ready = append(s.Ready, netip.AddrFrom4([4]byte{10, byte(j), byte(i >> 8), byte(i)}))
		}
		w.Slice(ref(service), s)
	}
	service := func(name string, age int) backend.Service {
		return backend.Service{
			Ref: ref(name), Created: time.Unix(int64(age), 0), Labels: map[string]string{"app": fmt.Sprintf("%0700d", age)},
		}
	}
	for name, do := range map[string]struct {
		most             int // times as long
		before, measured func(w *Store, n int)
	}{
		"the youngest first": {15, nil, func(w *Store, n int) {
			for i := range n {
				w.Service(service(fmt.Sprint(i), n-i))
			}
		}},
		"the oldest go": {15, func(w *Store, n int) {
			for i := range n {
				w.Service(service(fmt.Sprint(i), i))
			}
		}, func(w *Store, n int) {
			for i := range n {
				w.DeleteService(ref(fmt.Sprint(i)))
			}
		}},
		"a Service with many slices becomes nothing": {15, func(w *Store, n int) {
			w.Service(service("s", 1))
			for i := range n {
				slice(w, "s", i)
			}
			for i := range 8000 { // of another, so that there is no room to keep them for a while
				slice(w, "t", n+i)
			}
			w.Service(service("t", 1))
		}, func(w *Store, _ int) { w.Service(backend.Service{Ref: ref("s")}) }},
		"the slices of a Service come and go, the last first": {35, nil, func(w *Store, n int) {
			w.Service(service("s", 1))
			for i := range n {
				slice(w, "s", n-i)
			}
			for i := range n {
				w.DeleteSlice(ref(fmt.Sprintf("x%06d", i+1)))
			}
		}},
		"slices of no Service go": {15, func(w *Store, n int) {
			for i := range n {
				slice(w, fmt.Sprint("none", i), i)
			}
		}, func(w *Store, n int) {
			for i := range n {
				w.DeleteSlice(ref(fmt.Sprintf("x%06d", i)))
			}
		}},
	} {
		b.Run(name, func(b *testing.B) {
			each := map[int]time.Duration{few: time.Hour, many: time.Hour}
			for n := range each {
				for range 2 { // the better one
					w := New(Options{Relevant: func(s *backend.Service) bool { return s.Labels["app"] != "" || s.Bared > 0 }})
					if do.before != nil {
						do.before(w, n)
					}
					begun := time.Now()
					do.measured(w, n)
					each[n] = min(each[n], time.Since(begun)/time.Duration(n))
				}
			}
			for b.Loop() { // what was measured is above
			}
			b.ReportMetric(float64(each[few].Nanoseconds()), "ns/few")
			b.ReportMetric(float64(each[many].Nanoseconds()), "ns/many")
			if each[many]/each[few] > time.Duration(do.most) {
				b.Errorf("each of %d takes %s, each of %d %s: more than %d times as long", few, each[few], many, each[many], do.most)
			}
		})
	}
}
