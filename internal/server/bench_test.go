package server

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"runtime"
	"slices"
	"sync"
	"testing"
	"time"

	"kubernaut.io/dynamic-toolset/internal/backend"
)

// clusters are 10,000 Services: most of which are nothing, as in a real one, and all of which are backends, as in the worst.
func clusters(b *testing.B) map[string]*fixture {
	b.Helper()
	all := map[string]*fixture{}
	for name, backends := range map[string]int{"20-backends": 20, "10000-backends": 10_000} {
		f := start(b, func(o *Options) { o.Log = nil })
		var findings []*backend.Finding
		var others []backend.Ref
		for i := range 10_000 {
			namespace, service := fmt.Sprintf("team-%03d", i/100), fmt.Sprintf("service-%05d", i)
			if i < backends {
				findings = append(findings, finding("prometheus", namespace, service, backend.Verdicts[i%4], backend.Ready))
			} else {
				others = append(others, backend.Ref{Namespace: namespace, Name: service})
			}
		}
		slices.SortFunc(others, backend.Ref.Compare)
		s := *example(b)
		s.Findings = findings
		f.services.others.Store(&others)
		f.state.set(&s)
		all[name] = f
	}
	return all
}

// queries are asked in turn: pages in the beginning, the middle and the end, filters, a search, and one Service.
func queries(b *testing.B, f *fixture) []string {
	b.Helper()
	paths := []string{
		"/api/v1/services?verdict=rejected", "/api/v1/services?namespace=team-050", "/api/v1/services?search=service-09",
		"/api/v1/toolsets", "/api/v1/status",
	}
	token := ""
	for range 100 {
		paths = append(paths, "/api/v1/services?limit=100&continue="+token)
		if token = string(decode[ServiceList](b, f.get(b, paths[len(paths)-1])).Continue); token == "" {
			break
		}
	}
	return paths
}

// BenchmarkServicesPage is the work for one page, without the network.
func BenchmarkServicesPage(b *testing.B) {
	b.Attr("req", "DTS-PERF-7")
	for name, f := range clusters(b) {
		b.Run(name, func(b *testing.B) {
			paths, handler := queries(b, f), f.Handler(nil)
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				r := httptest.NewRequestWithContext(b.Context(), http.MethodGet, paths[i%len(paths)], http.NoBody)
				r.Header.Set("Accept-Encoding", "gzip")
				w := httptest.NewRecorder()
				if handler.ServeHTTP(w, r); w.Code != http.StatusOK {
					b.Fatalf("%d: %s", w.Code, w.Body)
				}
			}
		})
	}
}

// BenchmarkServicesAtRate sends 500 requests a second, whether or not the ones before are answered, and reports how long
// they took from when they were due. Run it with -benchtime 5000x.
func BenchmarkServicesAtRate(b *testing.B) {
	b.Attr("req", "DTS-PERF-7")
	for name, f := range clusters(b) {
		b.Run(name, func(b *testing.B) {
			paths := queries(b, f)
			client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64, DisableCompression: true}}
			defer client.CloseIdleConnections()
			took := make([]time.Duration, b.N)
			var running sync.WaitGroup
			runtime.GC()
			begin := time.Now()
			b.ResetTimer()
			for i := range b.N {
				due := begin.Add(time.Duration(i) * 2 * time.Millisecond)
				<-time.After(time.Until(due))
				if i%250 == 0 { // a cycle twice a second
					s := *f.state.Snapshot()
					f.state.set(&s)
				}
				running.Go(func() {
					r, err := http.NewRequestWithContext(b.Context(), http.MethodGet, f.url+paths[i%len(paths)], http.NoBody)
					if err != nil {
						b.Error(err)
						return
					}
					r.Header.Set("Accept-Encoding", "gzip")
					res, err := client.Do(r)
					if err != nil {
						b.Error(err)
						return
					}
					defer res.Body.Close()
					if _, err := io.Copy(io.Discard, res.Body); err != nil || res.StatusCode != http.StatusOK {
						b.Errorf("%d, %v", res.StatusCode, err)
					}
					took[i] = time.Since(due)
				})
			}
			running.Wait()
			b.StopTimer()
			slices.Sort(took)
			b.ReportMetric(float64(took[len(took)/2].Microseconds())/1000, "p50-ms")
			b.ReportMetric(float64(took[len(took)*99/100].Microseconds())/1000, "p99-ms")
		})
	}
}
