package controller

import (
	"time"

	"kubernaut.io/dynamic-toolset/internal/backend"
)

// shardKept is how long a backend stays a shard while its pods are not among those that its querier names: after a restart
// the querier learns of the new one later than the EndpointSlices. It is five minutes, as long as Thanos Query keeps one.
const shardKept = 5 * time.Minute

// shard is what a backend was last seen to be a shard of.
type shard struct {
	of   backend.Key
	seen time.Time
}

// keepShards leaves what was a shard a moment ago one, so that its restart does not rewrite the document. While its querier
// is not published it is none. Nothing of it outlives a restart of this process: until the querier has answered nothing
// is said of shards.
func (m *memory) keepShards(now time.Time, findings []*backend.Finding) {
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
		key := f.Candidate.Key()
		was := m.shards[key]
		switch {
		case f.ShardOf != (backend.Key{}):
			was = shard{f.ShardOf, now}
		case was.of == (backend.Key{}) || now.Sub(was.seen) >= shardKept:
			continue
		case published[key] && published[was.of]:
			f.ShardOf = was.of
		}
		kept[key] = was
	}
	m.shards = kept
}
