package controller

import (
	"testing"
	"time"

	"kubernaut.io/dynamic-toolset/internal/backend"
	"kubernaut.io/dynamic-toolset/internal/inventory"
)

// A shard that was restarted stays one until its querier has learned of the new pod; while the querier is down it is none.
func TestShardsAreKeptForAMoment(t *testing.T) {
	t.Attr("req", "DTS-OUT-12")
	query := finding(prometheus("query"), "thanos")
	key := query.Candidate.Key()
	var m memory
	start := time.Unix(1000, 0)
	at := func(after time.Duration, of backend.Key, verdict backend.Verdict) backend.Key {
		f := finding(prometheus("prometheus"), "prometheus")
		f.ShardOf, query.Verdict = of, verdict
		m.keepShards(start.Add(after), []*backend.Finding{f, query})
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
}

// The place of a primary that stands back behind its querier is recorded: while it is down no stranger takes it.
func TestPlaceOfAShardIsKept(t *testing.T) {
	t.Attr("req", "DTS-OUT-12")
	t.Attr("req", "DTS-SEC-3")
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
