package controller

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"kubernaut.io/dynamic-toolset/internal/backend"
	"kubernaut.io/dynamic-toolset/internal/inventory"
	"kubernaut.io/dynamic-toolset/internal/toolset"
)

func ownType(namespace, name, typ string) backend.Service {
	s := custom(namespace, name, "")
	s.Annotations["kubernaut.io/toolset-type"] = typ
	return s
}

func (r *rig) recorded(t *testing.T) map[string]string {
	t.Helper()
	var state struct {
		Primaries map[string]string `json:"primaries"`
	}
	if err := json.Unmarshal([]byte(r.output.Live().Data[toolset.KeyState]), &state); err != nil {
		t.Fatal(err)
	}
	return state.Primaries
}

// A Service that is ever another type of its owner's own is recorded as what it is, and as nothing that it was.
func TestTypesOfAnOwnerAreNotRemembered(t *testing.T) {
	t.Attr("req", "DTS-OUT-10 DTS-OUT-11 DTS-SEC-3")
	start(t, nil, []string{"prometheus"}, true, Options{}, func(r *rig) {
		const types = 20
		for i := range types {
			r.world.Service(ownType("evil", "x", fmt.Sprint("own-", i)))
			pass(2 * time.Minute)
		}
		last := fmt.Sprint("own-", types-1)
		if got := r.recorded(t); len(got) != 2 || got[last] != "evil/x" || got["prometheus"] != "ns/prometheus" {
			t.Errorf("recorded: %v", got)
		}
		r.remove("evil", "x")
		pass(10 * time.Minute)
		if got := r.recorded(t); len(got) != 1 {
			t.Errorf("recorded after it was deleted: %v", got)
		}
	})
}

// The place of a type of an owner's own is kept while its Service is down: a stranger does not take the name.
func TestOwnTypeKeepsItsPlaceWhileDown(t *testing.T) {
	t.Attr("req", "DTS-OUT-4 DTS-SEC-3")
	start(t, nil, nil, true, Options{}, func(r *rig) {
		r.world.Service(ownType("shop", "orders", "orders-api"))
		pass(time.Minute)
		r.prober.set(map[string]backend.Outcome{"orders": backend.Unreachable})
		r.world.Service(ownType("evil", "evil", "orders-api"))
		pass(10 * time.Minute)
		r.expect(t, "down", "-orders.shop.svc", "evil.evil.svc")
		if got := r.recorded(t); got["orders-api"] != "shop/orders" {
			t.Errorf("recorded: %v", got)
		}
	})
}

// What an owner has recorded of Services that are not published is bounded, in a namespace and in all.
func TestRecordedPrimariesAreBounded(t *testing.T) {
	t.Attr("req", "DTS-OUT-11 DTS-SEC-3")
	for _, tt := range []struct {
		namespaces int
		trusted    []string
		most       int
	}{
		{1, nil, maxOwnRecords}, {200, nil, maxAllOwnRecords}, {1, []string{"evil-0"}, 1 << 20},
	} {
		o := inventory.Options{TrustedNamespaces: tt.trusted}
		var services []backend.Service
		recorded := map[string]backend.Ref{}
		for n := range tt.namespaces {
			for i := range 50 {
				s := ownType(fmt.Sprint("evil-", n), fmt.Sprint("x", i), fmt.Sprintf("own-%d-%d-%s", n, i, strings.Repeat("x", 40)))
				services = append(services, s)
				recorded[s.Annotations["kubernaut.io/toolset-type"]] = s.Ref
			}
		}
		c, s := crowd(t, o, services)
		for _, f := range s.Findings {
			f.Verdict, f.Primary = backend.Unavailable, false
		}
		c.memory.primaries = recorded
		size, state := 0, c.state(s.Findings)
		for typ, ref := range state.Primaries {
			size += len(typ) + len(ref.Namespace) + len(ref.Name)
		}
		if size > tt.most || size < min(tt.most, len(recorded)*50)-100 {
			t.Errorf("%d namespaces, trusted %v: %d of %d recorded, %d bytes", tt.namespaces, tt.trusted, len(state.Primaries), len(recorded), size)
		}
	}
}

// The place of a primary is kept for a Service while that is of its type, or may be while it is down; once it is known to be
// something else, for a day.
func TestPlaceOfAnotherType(t *testing.T) {
	t.Attr("req", "DTS-OUT-4 DTS-OUT-10")
	jaeger := on("ns", "p", 16686, map[string]string{"app.kubernetes.io/name": "jaeger", "app.kubernetes.io/component": "query"})
	for name, tc := range map[string]struct {
		change func(*rig)
		want   string // the primary in the end
	}{
		"it works":        {func(*rig) {}, "ns/p"},
		"down":            {func(r *rig) { r.prober.set(map[string]backend.Outcome{"p": backend.Unreachable}) }, "ns/p"},
		"another product": {func(r *rig) { r.prober.set(map[string]backend.Outcome{"p": backend.WrongIdentity}) }, "ns/q"},
		"a relative": {func(r *rig) {
			r.prober.change(func(p *fakeProber) { p.types = map[string]string{"p": "victoriametrics"} })
		}, "ns/q"},
		"its name is a new": {func(r *rig) { r.world.Service(jaeger) }, "ns/q"},
	} {
		t.Run(name, func(t *testing.T) {
			start(t, nil, []string{"p"}, true, Options{}, func(r *rig) {
				r.add("q")
				pass(time.Minute)
				tc.change(r)
				pass(23 * time.Hour)
				if got := r.recorded(t); got["prometheus"] != "ns/p" {
					t.Errorf("recorded after 23 hours: %v", got)
				}
				pass(2 * time.Hour)
				if got := r.recorded(t); got["prometheus"] != tc.want {
					t.Errorf("recorded in the end: %v, want %s", got, tc.want)
				}
			})
		})
	}
	start(t, nil, []string{"p", "q"}, true, Options{}, func(r *rig) {
		r.prober.change(func(p *fakeProber) { p.types = map[string]string{"p": "victoriametrics"} })
		pass(time.Minute)
		r.prober.set(map[string]backend.Outcome{"p": backend.Unreachable})
		pass(25 * time.Hour)
		if got := r.recorded(t); got["victoriametrics"] != "ns/p" {
			t.Errorf("recorded while the relative is down: %v", got)
		}
	})
}

// What the configuration names is looked for among the Services that are there, once every backend was asked. While its
// namespace cannot be read, nothing is known of it, and its place is kept.
func TestMisnamedPrimaryIsFound(t *testing.T) {
	t.Attr("req", "DTS-OUT-4")
	o := Options{Inventory: inventory.Options{Primary: map[string]backend.Ref{"prometheus": {Namespace: "ns", Name: "late"}}}}
	var left map[string]string
	start(t, nil, []string{"a"}, true, o, func(r *rig) {
		if s := r.Snapshot(); len(s.Misnamed) != 1 || s.Misnamed[0].Name != "late" {
			t.Errorf("%v", s.Misnamed)
		}
		r.add("late")
		pass(time.Second)
		if s := r.Snapshot(); len(s.Misnamed) != 0 {
			t.Errorf("it is there: %v", s.Misnamed)
		}
		r.prober.set(map[string]backend.Outcome{"late": backend.Unreachable})
		pass(5 * time.Minute)
		left = r.output.Live().Data
		r.expect(t, "it is down", "-name: ns/late\n")
	})
	start(t, left, []string{"a", "forbidden: ns"}, true, o, func(r *rig) {
		if s := r.Snapshot(); len(s.Misnamed) != 0 {
			t.Errorf("its namespace may not be watched, so that nobody knows: %v", s.Misnamed)
		}
		pass(25 * time.Hour)
		if got := r.recorded(t)["prometheus"]; got != "ns/late" {
			t.Errorf("recorded a day later: %q", got)
		}
	})
}

// A shard that was restarted stays one until its querier has learned of the new pod; while the querier is down it is none.
// While one of the two cannot be read, it stays what it was.
func TestShardsAreKeptForAMoment(t *testing.T) {
	t.Attr("req", "DTS-OUT-12")
	query := finding(prometheus("query"), "thanos")
	key := query.Candidate.Key()
	var m memory
	start := time.Unix(1000, 0)
	at := func(after time.Duration, of backend.Key, verdict backend.Verdict, frozen ...string) backend.Key {
		f := finding(prometheus("prometheus"), "prometheus")
		f.ShardOf, query.Verdict = of, verdict
		m.keepShards(start.Add(after), []*backend.Finding{f, query}, frozen)
		return f.ShardOf
	}
	for _, step := range []struct {
		what    string
		after   time.Duration
		of      backend.Key
		verdict backend.Verdict
		want    backend.Key
	}{
		{"nothing is known", 0, backend.Key{}, backend.Accepted, backend.Key{}},
		{"seen", time.Second, key, backend.Accepted, key},
		{"restarted", time.Minute, backend.Key{}, backend.Accepted, key},
		{"the querier is down", 2 * time.Minute, backend.Key{}, backend.Unavailable, backend.Key{}},
		{"and back", 3 * time.Minute, backend.Key{}, backend.Accepted, key},
		{"not a shard any more", time.Second + shardKept, backend.Key{}, backend.Accepted, backend.Key{}},
		{"for good", 6 * time.Minute, backend.Key{}, backend.Accepted, backend.Key{}},
	} {
		if got := at(step.after, step.of, step.verdict); got != step.want {
			t.Errorf("%s: a shard of %v, want %v", step.what, got, step.want)
		}
	}
	query = finding(in("queriers", prometheus("query")), "thanos")
	for _, frozen := range []string{"ns", "queriers"} {
		m, key = memory{}, query.Candidate.Key()
		at(0, key, backend.Accepted)
		for _, after := range []time.Duration{time.Hour, 2 * time.Hour} {
			if got := at(after, backend.Key{}, backend.Accepted, frozen); got != key {
				t.Errorf("%s cannot be read for %s: a shard of %v", frozen, after, got)
			}
		}
		if at(2*time.Hour+shardKept-1, backend.Key{}, backend.Accepted) != key {
			t.Errorf("%s can be read again: a shard of none before its querier was asked", frozen)
		}
		if got := at(2*time.Hour+shardKept, backend.Key{}, backend.Accepted); got != (backend.Key{}) {
			t.Errorf("%s can be read for long: still a shard of %v", frozen, got)
		}
	}
}

// The place of a primary that stands back behind its querier is recorded: while it is down no stranger takes it.
func TestPlaceOfAShardIsKept(t *testing.T) {
	t.Attr("req", "DTS-OUT-12 DTS-SEC-3")
	shard, other := prometheus("shard"), in("evil", prometheus("other"))
	c, s := crowd(t, inventory.Options{}, []backend.Service{aged(shard, 1), aged(other, 2)})
	options := c.opts.Inventory
	options.FirstRoundOver = true
	found := map[backend.Ref]*backend.Finding{}
	for _, f := range s.Findings {
		found[f.Ref] = f
		f.Primary = false
	}
	querier := backend.Key{Ref: backend.Ref{Namespace: shard.Namespace, Name: "query"}, Type: "thanos"}
	found[shard.Ref].ShardOf = querier
	inventory.Choose(s.Findings, options)
	if !found[shard.Ref].Yields || found[other.Ref].Primary {
		t.Fatal("the older one does not stand back")
	}
	options.Recorded = c.state(s.Findings).Primaries
	found[shard.Ref].Verdict, found[shard.Ref].ShardOf, found[shard.Ref].Yields = backend.Unavailable, backend.Key{}, false
	inventory.Choose(s.Findings, options)
	if found[other.Ref].Primary {
		t.Error("a stranger's is the primary while the shard is down")
	}
}
