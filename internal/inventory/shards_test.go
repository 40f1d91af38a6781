package inventory_test

import (
	"cmp"
	"net/netip"
	"testing"
	"time"

	"kubernaut.io/dynamic-toolset/internal/backend"
	"kubernaut.io/dynamic-toolset/internal/inventory"
)

// sharded are a Thanos Query, and a Prometheus in another namespace that is its only one, with what a case changes of them.
type sharded struct {
	query     backend.Ref
	members   []string
	pods      []string
	more      int
	unknown   bool // nothing is known of the pods
	down      bool
	behind    string // the members are told by a duplicate in that namespace, behind the query
	options   inventory.Options
	clusterIP string
}

func (s sharded) build(t *testing.T) map[backend.Key]*backend.Finding {
	t.Helper()
	c := builtin(t)
	o := s.options
	o.Type, o.FirstRoundOver = c.Lookup, true
	query := cmp.Or(s.query, at("monitoring", "query"))
	thanos := svc{ref: query, typ: "thanos", strength: backend.Strong, day: 2}.detection()
	prometheus := svc{ref: at("team", "prometheus"), strength: backend.Strong, day: 1, selector: "prometheus"}.detection()
	side := svc{ref: at("team", "sidecars"), strength: backend.Strong, selector: "prometheus"}.detection()
	side.Candidates, side.Rejected = nil, backend.Reason{Code: backend.CodeUnmatched}
	if side.Service.ClusterIP = s.clusterIP; s.clusterIP == "" {
		side.Service.ClusterIP = "None"
	}
	list := []inventory.Detection{thanos, prometheus, side}
	thanos.Candidates[0].FullName = query.Name + "." + query.Namespace + ".svc.cluster.local"
	if !s.unknown {
		slice := backend.EndpointSlice{More: s.more}
		for _, pod := range s.pods {
			slice.Ready = append(slice.Ready, netip.MustParseAddr(pod))
		}
		list[1].Endpoints = &backend.Endpoints{Slices: []backend.EndpointSlice{slice}}
	}
	observations := map[backend.Key]backend.Observation{}
	see := func(d inventory.Detection, outcome backend.Outcome, members []string) {
		observations[d.Candidates[0].Key()] = backend.Observation{
			Outcome: outcome, Identity: true, At: time.Unix(1, 0), Members: members, Seen: backend.Seen{Code: backend.CodeProven},
		}
	}
	outcome := backend.Ready
	if s.down {
		outcome = backend.Unreachable
	}
	see(list[1], backend.Ready, nil)
	if s.behind == "" {
		see(thanos, outcome, s.members)
	} else {
		see(thanos, outcome, nil)
		behind := svc{ref: at(s.behind, "behind"), typ: "thanos", strength: backend.Strong, day: 3, selector: query.Name}.detection()
		see(behind, backend.Ready, s.members)
		if s.behind != query.Namespace { // the same pods as the query's
			same := &backend.Endpoints{Slices: []backend.EndpointSlice{{
				Ports: []backend.EndpointPort{{Name: behind.Candidates[0].Port.Name, Number: 9090, Protocol: "TCP"}},
				Ready: []netip.Addr{netip.MustParseAddr("10.9.9.9")},
			}}}
			behind.Endpoints, list[0].Endpoints = same, same
		}
		list = append(list, behind)
	}
	found := map[backend.Key]*backend.Finding{}
	for _, f := range inventory.Build(list, observations, o) {
		if f.Candidate != nil {
			found[f.Candidate.Key()] = f
		}
	}
	return found
}

// A Prometheus all of whose pods are members of a Thanos Query is a shard of it, and not the primary. One that a stranger's
// answer names is neither, and stays the primary.
func TestShards(t *testing.T) {
	t.Attr("req", "DTS-OUT-12 DTS-SEC-3 DTS-OUT-4")
	trusting := inventory.Options{TrustedNamespaces: []string{"monitoring"}}
	one, two := []string{"10.0.0.1"}, []string{"10.0.0.1", "10.0.0.2"}
	configured := trusting
	configured.Primary = map[string]backend.Ref{"prometheus": at("team", "prometheus")}
	recorded := trusting
	recorded.Recorded = configured.Primary
	for name, tc := range map[string]struct {
		sharded
		want, primary bool
	}{
		"its pod":                     {sharded{options: trusting, members: one, pods: one}, true, false},
		"both replicas":               {sharded{options: trusting, members: two, pods: two}, true, false},
		"the recorded primary":        {sharded{options: recorded, members: one, pods: one}, true, false},
		"the configured primary":      {sharded{options: configured, members: one, pods: one}, true, true},
		"one of two pods":             {sharded{options: trusting, members: one, pods: two}, false, true},
		"another's pod":               {sharded{options: trusting, members: []string{"10.0.0.2"}, pods: one}, false, true},
		"no pods":                     {sharded{options: trusting, members: one}, false, true},
		"nothing known of pods":       {sharded{options: trusting, members: one, unknown: true}, false, true},
		"no members":                  {sharded{options: trusting, pods: one}, false, true},
		"more pods than are kept":     {sharded{options: trusting, members: one, pods: one, more: 1}, false, true},
		"a query that is down":        {sharded{options: trusting, members: one, pods: one, down: true}, false, true},
		"by the sidecar's Service":    {sharded{options: trusting, members: []string{"sidecars.team.svc.cluster.local"}, pods: one}, true, false},
		"by a short name of it":       {sharded{options: trusting, members: []string{"sidecars.team"}, pods: one}, true, false},
		"by a pod's name":             {sharded{options: trusting, members: []string{"prometheus-0.sidecars.team.svc"}, pods: one}, true, false},
		"by its ClusterIP":            {sharded{options: trusting, members: []string{"10.96.0.7"}, clusterIP: "10.96.0.7", pods: one}, true, false},
		"one name for two pods":       {sharded{options: trusting, members: []string{"sidecars.team.svc"}, pods: two}, false, true},
		"of another cluster":          {sharded{options: trusting, members: []string{"sidecars.team.svc.cluster.two"}, pods: one}, false, true},
		"a name that leads nowhere":   {sharded{options: trusting, members: []string{"a.b.c.d.e", "..", "x"}, pods: one}, false, true},
		"behind a frontend":           {sharded{options: trusting, members: one, pods: one, behind: "monitoring"}, true, false},
		"in its own namespace":        {sharded{query: at("team", "query"), members: one, pods: one}, true, false},
		"a stranger's":                {sharded{query: at("evil", "query"), options: trusting, members: one, pods: one}, false, true},
		"a stranger's, none trusted":  {sharded{query: at("evil", "query"), members: one, pods: one}, false, true},
		"a stranger's, by name":       {sharded{query: at("evil", "query"), members: []string{"sidecars.team.svc"}, pods: one}, false, true},
		"a stranger's as a duplicate": {sharded{options: trusting, members: one, pods: one, behind: "evil"}, false, true},
		"outside the cluster":         {sharded{query: at(backend.OutsideNamespace, "query"), options: trusting, members: one, pods: one}, false, true},
	} {
		found := tc.build(t)
		f := found[backend.Key{Ref: at("team", "prometheus"), Type: "prometheus"}]
		if got := f.ShardOf.Type != ""; f.Verdict != backend.Accepted || got != tc.want || f.Primary != tc.primary || f.Yields == tc.primary {
			t.Errorf("%s: %s, a shard %t (want %t), primary %t (want %t), yields %t",
				name, f.Verdict, got, tc.want, f.Primary, tc.primary, f.Yields)
		}
	}
}
