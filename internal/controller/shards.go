package controller

import (
	"slices"
	"time"

	"kubernaut.io/dynamic-toolset/internal/backend"
)

// shardKept is how long a backend stays a shard after its querier last named one of its pods. After a restart of a
// shard, the EndpointSlices show the new pod earlier than the querier does. Thanos Query keeps a store as long.
const shardKept = 5 * time.Minute

// shard is the querier of which a backend was last seen to be a shard.
type shard struct {
	of   backend.Key
	seen time.Time
}

// keepShards keeps a backend a shard for shardKept, so that its restart does not change the document. It is not a shard
// while its querier is not published. While the namespace of one of the two is frozen, it stays what it was.
func (m *memory) keepShards(now time.Time, findings []*backend.Finding, frozen []string) {
	published := map[backend.Key]bool{}
	for _, f := range findings {
		if f.Verdict == backend.Accepted && f.Candidate != nil {
			published[f.Candidate.Key()] = true
		}
	}
	kept := map[backend.Key]shard{}
	for _, f := range findings {
		if f.Candidate == nil {
			continue
		}
		key := f.Candidate.DetectedKey() // a relative that is down is known by that type alone
		was := m.shards[key]
		switch {
		case f.ShardOf != (backend.Key{}):
			was = shard{f.ShardOf, now}
		case slices.Contains(frozen, f.Namespace), slices.Contains(frozen, was.of.Namespace):
			was.seen = now
		}
		if was.of == (backend.Key{}) || now.Sub(was.seen) >= shardKept {
			continue
		}
		if published[f.Candidate.Key()] && published[was.of] {
			f.ShardOf = was.of
		}
		kept[key] = was
	}
	m.shards = kept
}
