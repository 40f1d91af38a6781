package controller

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"kubernaut.io/dynamic-toolset/internal/backend"
)

// limited is a namespace of which backends are left out, and for which limit.
type limited struct {
	namespace string
	limit     backend.Limit
}

// tellLimits reports namespaces of which backends are left out though they work (DTS-OUT-11), once each, and when it is over.
func (r *Report) tellLimits(s *Snapshot) {
	count := map[limited]int{}
	reasons := map[limited]string{}
	left := map[backend.Limit]int{backend.LimitNamespace: 0, backend.LimitSize: 0}
	for _, f := range s.Findings {
		if f.Limit != "" {
			l := limited{f.Namespace, f.Limit}
			count[l]++
			reasons[l] = f.Reason
			left[f.Limit]++
		}
	}
	for limit, n := range left {
		r.Metrics.LeftOut(limit, n)
	}
	if !s.Leading {
		r.limited = nil
		return
	}
	now := map[limited]bool{}
	for _, l := range slices.SortedFunc(maps.Keys(count), limited.compare) {
		now[l] = r.limited[l] || r.owners.mayTell(l.namespace, time.Now())
		if now[l] && !r.limited[l] {
			r.Log.Warn("backends left out", "namespace", l.namespace, "limit", string(l.limit), "backends", count[l])
			r.Events.ConfigMap(true, "BackendsLeftOut", fmt.Sprintf("not all backends of namespace %s are published: %s", l.namespace, reasons[l]))
		}
	}
	for l, told := range r.limited {
		if _, still := count[l]; told && !still {
			r.Log.Info("no backends left out any more", "namespace", l.namespace, "limit", string(l.limit))
		}
	}
	r.limited = now
}

func (l limited) compare(o limited) int {
	return cmp.Or(strings.Compare(l.namespace, o.namespace), strings.Compare(string(l.limit), string(o.limit)))
}

// owners bounds what owners of Services can have recorded about them: six Events and lines of a namespace at once, and then
// two a minute. What is not told now is told with a later discovery.
type owners struct {
	namespaces limiters[string]
	swept      time.Time
}

const (
	ownerBurst = 6
	ownerWait  = 30 * time.Second
)

func (o *owners) mayTell(namespace string, now time.Time) bool {
	o.namespaces.burst, o.namespaces.wait = ownerBurst, ownerWait
	if now.Sub(o.swept) > time.Minute {
		o.sweep(now)
	}
	return o.namespaces.take(namespace, now)
}

func (o *owners) sweep(now time.Time) {
	o.swept = now
	o.namespaces.sweep(now)
}
