package links

import (
	"fmt"
	"syscall"
	"testing"
	"time"

	"kubernaut.io/dynamic-toolset/internal/backend"
)

// large is an object with n of what its owner may choose to have many of.
type large struct {
	name   string
	kind   string
	object func(n int) map[string]any
}

func largest() []large {
	return []large{
		{"Ingress of many annotations", "ingress", func(n int) map[string]any {
			return largeIngress(n, n, 0)
		}},
		{"Ingress of much TLS", "ingress", func(n int) map[string]any {
			return largeIngress(n, 0, n)
		}},
		{"HTTPRoute of many hosts", "httproute", func(n int) map[string]any {
			return largeHTTPRoute(n, n, 1, 1)
		}},
		{"HTTPRoute of many backends", "httproute", func(n int) map[string]any {
			return largeHTTPRoute(1, 1, n, n)
		}},
		{"Route of many backends", "route", func(n int) map[string]any {
			o := map[string]any{"spec": map[string]any{"host": "g.example.com", "alternateBackends": times(n, service)}}
			return annotate(o, n)
		}},
	}
}

// times returns an item for each number below n.
func times(n int, item func(i int) any) (list []any) {
	for i := range n {
		list = append(list, item(i))
	}
	return list
}

func service(i int) any { return map[string]any{"name": fmt.Sprint("s", i), "port": int64(80)} }

func host(i int) any { return fmt.Sprintf("h%d.example.com", i) }

// annotate adds three annotations for each of n, which say nothing.
func annotate(object map[string]any, n int) map[string]any {
	all := map[string]any{}
	for i := range 3 * n {
		all[fmt.Sprint("a", i)] = "x"
	}
	object["metadata"] = map[string]any{"annotations": all}
	return object
}

// largeIngress has a rule with one path for each of its hosts. None of the certificates is for them.
func largeIngress(paths, annotations, certificates int) map[string]any {
	rules := times(paths, func(i int) any {
		to := map[string]any{"name": fmt.Sprint("s", i), "port": map[string]any{"number": int64(80)}}
		path := map[string]any{"path": "/p", "backend": map[string]any{"service": to}}
		return map[string]any{"host": host(i), "http": map[string]any{"paths": []any{path}}}
	})
	tls := times(certificates, func(i int) any {
		return map[string]any{"hosts": times(10, func(j int) any { return fmt.Sprint("x", i, ".", j) })}
	})
	return annotate(map[string]any{"spec": map[string]any{"rules": rules, "tls": tls}}, annotations)
}

func largeHTTPRoute(hosts, rules, backends, filters int) map[string]any {
	return map[string]any{"spec": map[string]any{
		"parentRefs": []any{map[string]any{"name": "gw"}},
		"hostnames":  times(hosts, host),
		"rules": times(rules, func(int) any {
			return map[string]any{
				"backendRefs": times(backends, service),
				"filters":     times(filters, func(int) any { return map[string]any{"type": "RequestHeaderModifier"} }),
				"matches": times(backends, func(i int) any {
					return map[string]any{"path": map[string]any{"type": "PathPrefix", "value": fmt.Sprint("/p", i)}}
				}),
			}
		}),
	}}
}

// reading returns how long it takes, by that clock, to read the object once it is decoded.
func reading(t testing.TB, now func() time.Duration, kind string, object map[string]any) time.Duration {
	t.Helper()
	from := From{Kinds: Kinds([]string{kind}), Allows: func(string, string) bool { return true }}
	var decoding time.Duration
	decode := func(into any) error {
		begun := now()
		err := Unstructured(object)(into)
		decoding += now() - begun
		return err
	}
	begun := now()
	if _, err := from.Read(from.Kinds[0], "mon", decode); err != nil {
		t.Fatal(err)
	}
	return now() - begun - decoding
}

// elapsed returns a clock of the time that passes.
func elapsed() func() time.Duration {
	begun := time.Now()
	return func() time.Duration { return time.Since(begun) }
}

// processor returns a clock of what the process computes. It stands still while a busy machine does something else.
func processor(t testing.TB) func() time.Duration {
	t.Helper()
	return func() time.Duration {
		t.Helper()
		var used syscall.Rusage
		if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
			t.Fatal(err)
		}
		return time.Duration(used.Utime.Nano() + used.Stime.Nano())
	}
}

// Each time an object is written it is read, and other namespaces' objects wait. A hundred times as large an object
// takes about a hundred times as long. Decoding it is not measured.
func BenchmarkLargeObjects(b *testing.B) {
	const few, many, most = 10, 1000, 10 // where each is compared with all, each of many takes 100 times as long
	now := elapsed()
	for _, l := range largest() {
		b.Run(l.name, func(b *testing.B) {
			each := map[int]time.Duration{few: time.Hour, many: time.Hour}
			for n := range each {
				object := l.object(n)
				for range 5 { // the best of some
					each[n] = min(each[n], reading(b, now, l.kind, object)/time.Duration(n))
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

// Even the largest objects that the API server takes are read in an instant.
func TestLargeObjectsAreReadAtOnce(t *testing.T) {
	t.Attr("req", "DTS-SEC-3")
	for _, l := range largest() {
		t.Run(l.name, func(t *testing.T) {
			if took := reading(t, processor(t), l.kind, l.object(10_000)); took > time.Second {
				t.Errorf("took %s", took)
			}
		})
	}
}

// Behind as many ways as are looked at, alike or not, nothing is found. What is not valid there is still an error.
func TestOnlyTheFirstWaysAreRead(t *testing.T) {
	t.Attr("req", "DTS-OUT-13 DTS-SEC-3")
	from := From{Kinds: Kinds([]string{"ingress", "httproute"}), Allows: func(string, string) bool { return true }}
	path := func(service string) any {
		to := map[string]any{"name": service, "port": map[string]any{"number": int64(80)}}
		return map[string]any{"path": "/", "backend": map[string]any{"service": to}}
	}
	ingress := func(paths ...any) map[string]any {
		rule := map[string]any{"host": "g.example.com", "http": map[string]any{"paths": paths}}
		return map[string]any{"spec": map[string]any{"rules": []any{rule}}}
	}
	httpRoute := func(backends ...any) map[string]any {
		rules := times(len(backends), func(i int) any { return map[string]any{"backendRefs": backends[i : i+1]} })
		return map[string]any{"spec": map[string]any{
			"parentRefs": []any{map[string]any{"name": "gw"}}, "hostnames": []any{"g.example.com"}, "rules": rules,
		}}
	}
	backendOf := func(service string) any { return map[string]any{"name": service, "port": int64(80)} }
	for before, want := range map[int]int{maxRead - 1: 1, maxRead: 0} {
		shop := func(int) any { return path("shop") }
		elsewhere := func(int) any { return backendOf("shop") }
		for i, object := range []map[string]any{
			ingress(append(times(before, shop), path("grafana"))...),
			httpRoute(append(times(before, elsewhere), backendOf("grafana"))...),
		} {
			services, err := from.Read(from.Kinds[i], "mon", Unstructured(object))
			if err != nil || len(services["grafana"]) != want || len(services["shop"]) != 1 {
				t.Errorf("%s: behind %d ways %v, %v", from.Kinds[i].Name, before, services, err)
			}
		}
		invalid := ingress(append(times(before, shop), map[string]any{"path": "/"})...)
		if _, err := from.Read(from.Kinds[0], "mon", Unstructured(invalid)); err == nil {
			t.Errorf("behind %d ways a path without a backend is no error", before)
		}
	}
}

// However many ways lead to a backend and give no link, a few are kept: each tenant of the backend has a finding of its own, for
// which all are looked at again.
func TestOnlyAFewWaysWithoutALinkAreKept(t *testing.T) {
	t.Attr("req", "DTS-OUT-13 DTS-SEC-3")
	builtin, err := builtinCatalog()
	if err != nil {
		t.Fatal(err)
	}
	loki := builtin.Lookup("loki")
	var ways []backend.Exposure
	for i := range 2000 {
		ways = append(ways, backend.Exposure{
			Port: "http", Scheme: "https", Host: "g.example.com", Path: "/loki", By: fmt.Sprintf("Ingress mon/i%04d", 1999-i),
		})
	}
	var link string
	var none []backend.Exposure
	allocated := testing.AllocsPerRun(5, func() { link, none = Choose(ways, grafana(), loki, "") })
	if link != "" || len(none) != maxNone || allocated > 50 {
		t.Fatalf("link %q, %d ways without one are kept, in %.0f pieces of memory", link, len(none), allocated)
	}
	for i, e := range none {
		if want := fmt.Sprintf("Ingress mon/i%04d", i); e.By != want || e.Not != backend.NoLinkPart {
			t.Errorf("%s (%s), want %s", e.By, e.Not, want)
		}
	}
}
