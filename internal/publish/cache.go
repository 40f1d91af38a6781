package publish

import (
	"context"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/resourceversion"
)

// quietFor is how long the cache may show nothing new before it is checked, because its watch may be stuck.
const quietFor = time.Minute

// current returns the newer one of the caller's ConfigMap and the one last written or read. If the cache has shown
// nothing new for a while, current reads the ConfigMap. If that fails, the cache counts: an API server that cannot be
// reached is reported elsewhere.
func (p *Publisher) current(ctx context.Context) (*corev1.ConfigMap, error) {
	live := p.options.Live()
	if live != p.shown {
		p.shown, p.seen = live, time.Now()
	}
	switch {
	case live == nil && p.newest == nil:
		return nil, nil
	case live == nil: // deleted, or the caller's cache does not have it yet
		return p.get(ctx)
	case time.Since(p.seen) >= quietFor:
		p.seen = time.Now()
		fresh, err := p.get(ctx)
		switch {
		case err != nil:
		case fresh == nil:
			return nil, nil
		case Newer(fresh.ResourceVersion, live.ResourceVersion):
			p.newest = fresh
		}
	}
	if p.newest != nil && Newer(p.newest.ResourceVersion, live.ResourceVersion) {
		return p.newest, nil
	}
	return live, nil
}

// Newer reports whether the resourceVersion a is newer than b.
func Newer(a, b string) bool {
	order, err := resourceversion.CompareResourceVersion(a, b)
	return err == nil && order > 0
}
