package probe

import (
	"net/http"
	"net/url"
	"strings"

	"kubernaut.io/dynamic-toolset/internal/backend"
)

// answer is the response to a request.
type answer struct {
	status  int
	header  http.Header
	body    []byte // at most maxBody bytes; nil for a bare request
	broken  backend.Flaw
	to      string          // the URL to which it redirects, for people
	away    *url.URL        // the same if it is another host or port; such a redirect is not followed
	asked   string          // the path of the request
	release func()          // drops a large body, so that another session may read one; nil for a small body
	read    *page           // set by page
	shown   *backend.Answer // the result of show
}

// size returns about how many bytes the response takes in memory.
func (a *answer) size() int {
	n := len(a.body)
	for name, values := range a.header {
		const entry = 100
		n += entry + len(name) + len(strings.Join(values, ""))
	}
	return n
}

// drop drops a large body.
func (a *answer) drop() {
	if a.release != nil {
		a.release()
		a.release, a.body = nil, nil
	}
}

// memory holds the responses of a session by their paths. Those of bare requests have other keys.
type memory struct {
	cache  map[string]*answer
	status map[string]int // of each path requested so far; the cache may have dropped the response
	kept   int            // bytes in the cache, without the large body
	large  string         // the key in the cache of the response with a large body, "" if there is none
}

// keep keeps a response for other checks. If there is no room left, it drops the older ones, which are mostly those of
// another base path. A large body is kept only until the next request, so that others need not wait for it.
func (m *memory) keep(key string, a *answer) {
	m.status[key] = a.status
	size := a.size()
	switch {
	case a.release != nil:
		m.large, m.cache[key] = key, a
		return
	case size > maxCached:
		return
	}
	if m.kept += size; m.kept > maxCached {
		clear(m.cache)
		m.kept = size
	}
	m.cache[key] = a
}

// dropLarge drops the large body that the cache holds.
func (m *memory) dropLarge() {
	if a := m.cache[m.large]; m.large != "" {
		a.drop()
		delete(m.cache, m.large)
		m.large = ""
	}
}
