package auth

import (
	"time"

	"k8s.io/utils/lru"
)

// key is a keyed hash of a token, or of a token and what is asked for.
type key [32]byte

// answer is what the cluster said.
type answer struct {
	user  User
	err   error // nil, ErrUnauthenticated or ErrForbidden
	until time.Time
}

// 4,096 entries in all (DTS-API-3). What was refused is apart, so that made-up tokens displace each other and not the ones that
// are good. At the rate of reviews no more than 240 refusals are in force at a time.
const (
	maxAllowed = 3072
	maxDenied  = 1024
)

// cache keeps answers, those that were used last.
type cache struct {
	allowed, denied *lru.Cache
}

func newCache() *cache { return &cache{allowed: lru.New(maxAllowed), denied: lru.New(maxDenied)} }

// get is the answer that is still in force.
func (c *cache) get(k key) (answer, bool) {
	for _, all := range []*lru.Cache{c.allowed, c.denied} {
		if found, ok := all.Get(k); ok {
			if a := found.(answer); time.Now().Before(a.until) {
				return a, true
			}
		}
	}
	return answer{}, false
}

// known reports whether it was allowed the last time, be that answer in force or not.
func (c *cache) known(k key) bool {
	_, ok := c.allowed.Get(k)
	return ok
}

func (c *cache) put(k key, a answer) {
	into, other := c.allowed, c.denied
	if a.err != nil {
		into, other = other, into
	}
	other.Remove(k)
	into.Add(k, a)
}
