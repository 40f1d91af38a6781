package cluster

import (
	"context"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	toolscache "k8s.io/client-go/tools/cache"
	"sigs.k8s.io/controller-runtime/pkg/cache"
)

// namespace is one that is watched by itself, or, with the name "", all of them. While its Services or its EndpointSlices
// may not be listed, and have never been, it is frozen: what is published of it stays, and all else goes on (DTS-DET-9).
// One that was seen and is forbidden later stays as it was last seen, as do all while the API server is away.
type namespace struct {
	name  string
	watch *Watch
	cache cache.Cache
	trouble

	mu      sync.Mutex
	seen    bool          // in full, once
	settled chan struct{} // closed when it was seen, or is known not to be allowed
	settle  func()        // closes it
}

func newNamespace(name string, w *Watch) *namespace {
	settled := make(chan struct{})
	return &namespace{
		name: name, watch: w, trouble: trouble{watch: w, namespace: name},
		settled: settled, settle: sync.OnceFunc(func() { close(settled) }),
	}
}

// await notes when the namespace has been seen.
func (n *namespace) await(ctx context.Context, seen []toolscache.DoneChecker) {
	if !toolscache.WaitFor(ctx, "", seen...) {
		return
	}
	n.listed()
	n.mu.Lock()
	defer n.mu.Unlock()
	n.seen = true
	n.settle()
	n.watch.oneSeen()
	if n.watch.store.Thaw(n.name) {
		n.watch.opts.Log.Info("the namespace may be watched by now", "namespace", n.name)
	}
}

func (n *namespace) isSeen() bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.seen
}

// failed is told of each list or watch that failed.
func (n *namespace) failed(ctx context.Context, r *toolscache.Reflector, err error) {
	if ctx.Err() == nil && apierrors.IsForbidden(err) {
		n.refuse()
	}
	n.trouble.failed(ctx, r, err)
}

func (n *namespace) refuse() {
	n.mu.Lock()
	defer n.mu.Unlock()
	if !n.seen {
		n.settle()
		n.watch.store.Freeze(n.name)
	}
}

// trouble is what goes wrong with the watches of one namespace.
type trouble struct {
	watch     *Watch
	namespace string

	mu   sync.Mutex
	last map[string]failure // by kind of object
}

type failure struct {
	text    string
	missing string // the verb that is not allowed; "" where it is something else
	at      time.Time
}

// forgotten is how long after its last occurrence a failure is news again.
const forgotten = 3 * time.Minute

// lasting is how long a right counts as missing that was missing last: the watches are tried again at least every minute.
const lasting = 90 * time.Second

// failed logs each kind of failure once, not with every retry.
func (t *trouble) failed(ctx context.Context, r *toolscache.Reflector, err error) {
	if ctx.Err() != nil {
		return
	}
	t.watch.opts.Failed()
	kind, f := describe(r.TypeDescription(), err)
	if f.at = time.Now(); t.news(kind, f) {
		t.watch.opts.Log.Warn("cannot be watched now, which is tried again: what is published stays",
			"namespace", t.namespace, "kind", kind, "err", f.text)
	}
}

// describe says what failed in the words of the cluster: configmaps, and not *v1.ConfigMap.
func describe(goType string, err error) (kind string, f failure) {
	kind = strings.ToLower(goType[strings.LastIndexByte(goType, '.')+1:]) + "s"
	q, text, ok := missing(err)
	if ok {
		return kind, failure{text: text, missing: q.Verb}
	}
	return kind, failure{text: strings.ReplaceAll(err.Error(), goType, kind)}
}

func (t *trouble) news(kind string, f failure) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.last == nil {
		t.last = map[string]failure{}
	}
	old, known := t.last[kind]
	t.last[kind] = f
	return !known || old.text != f.text || f.at.Sub(old.at) >= forgotten
}

// listed forgets rights to list that were missing: all there is has been listed.
func (t *trouble) listed() {
	t.mu.Lock()
	defer t.mu.Unlock()
	maps.DeleteFunc(t.last, func(_ string, f failure) bool { return f.missing == "list" })
}

// missing are the rights that are missing now.
func (t *trouble) missing(now time.Time) []string {
	t.mu.Lock()
	defer t.mu.Unlock()
	var list []string
	for _, kind := range slices.Sorted(maps.Keys(t.last)) {
		if f := t.last[kind]; f.missing != "" && now.Sub(f.at) < lasting {
			list = append(list, f.text)
		}
	}
	return list
}
