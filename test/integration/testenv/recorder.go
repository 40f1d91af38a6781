//go:build integration

package testenv

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/watch"
	corev1client "k8s.io/client-go/kubernetes/typed/core/v1"
)

// Change is one event of the ConfigMap, as the API server told it.
type Change struct {
	Type    watch.EventType // ADDED, MODIFIED or DELETED
	At      time.Time       // when it was received
	Version string          // resourceVersion
	// Keys of data and binaryData that were added, changed or removed, in order.
	Keys []string
	// Managers whose entry in managedFields appeared, changed or vanished: who did it.
	Managers []string
	// Gap says that the watch was cut and could not be resumed, so that this may be several changes in one.
	Gap       bool
	ConfigMap *corev1.ConfigMap
}

func (c Change) String() string {
	return fmt.Sprintf("%s %s at %s by %s: %s", c.Type, c.Version, c.At.Format("15:04:05.000"),
		strings.Join(c.Managers, ","), strings.Join(c.Keys, ","))
}

// Recorder watches the ConfigMap and records every event, across cut watches.
type Recorder struct {
	client corev1client.ConfigMapInterface
	stop   context.CancelFunc
	done   chan struct{}

	mu      sync.Mutex
	changes []Change
	last    *corev1.ConfigMap
}

// Record starts to record. What is there already comes first, as ADDED. It ends with the test and shows what it has if that
// failed.
func (e *Env) Record(t testing.TB) *Recorder {
	t.Helper()
	ctx, stop := context.WithCancel(context.Background())
	r := &Recorder{client: e.Client.CoreV1().ConfigMaps(OutputNamespace), stop: stop, done: make(chan struct{})}
	version, err := r.list(ctx, false)
	if err != nil {
		stop()
		t.Fatalf("watching the ConfigMap: %v", err)
	}
	go r.run(ctx, version)
	t.Cleanup(func() {
		r.Stop()
		if t.Failed() {
			t.Logf("the ConfigMap's changes:\n%s", r)
		}
	})
	return r
}

// Stop ends it. What was recorded stays.
func (r *Recorder) Stop() {
	r.stop()
	<-r.done
}

// Changes so far, oldest first.
func (r *Recorder) Changes() []Change {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.changes)
}

// Len is their number: what was recorded later is Changes()[n:].
func (r *Recorder) Len() int { return len(r.Changes()) }

func (r *Recorder) String() string {
	var b strings.Builder
	for _, c := range r.Changes() {
		fmt.Fprintln(&b, c)
	}
	return b.String()
}

func (r *Recorder) options(version string) metav1.ListOptions {
	return metav1.ListOptions{
		FieldSelector:   fields.OneTermEqualSelector(metav1.ObjectNameField, ConfigMapName).String(),
		ResourceVersion: version, AllowWatchBookmarks: true,
	}
}

// run watches until the end, again and again. The pause between is no synchronisation: an API server may be away.
func (r *Recorder) run(ctx context.Context, version string) {
	defer close(r.done)
	pause := time.NewTicker(50 * time.Millisecond)
	defer pause.Stop()
	for ctx.Err() == nil {
		var err error
		if version == "" {
			version, err = r.list(ctx, true)
		}
		if err == nil {
			version = r.watch(ctx, version)
		}
		select {
		case <-ctx.Done():
		case <-pause.C:
		}
	}
}

// watch records until the watch ends and returns where to resume, "" if that is not possible.
func (r *Recorder) watch(ctx context.Context, version string) string {
	w, err := r.client.Watch(ctx, r.options(version))
	if err != nil {
		return version
	}
	defer w.Stop()
	for event := range w.ResultChan() {
		cm, ok := event.Object.(*corev1.ConfigMap)
		if !ok {
			return "" // an error: the version is too old
		}
		version = cm.ResourceVersion
		if event.Type != watch.Bookmark {
			r.record(event.Type, cm, false)
		}
	}
	return version
}

// list records what is there and returns where a watch begins.
func (r *Recorder) list(ctx context.Context, gap bool) (string, error) {
	list, err := r.client.List(ctx, r.options(""))
	if err != nil {
		return "", err
	}
	r.mu.Lock()
	last := r.last
	r.mu.Unlock()
	switch {
	case len(list.Items) == 0 && last != nil:
		r.record(watch.Deleted, last, gap)
	case len(list.Items) > 0 && last == nil:
		r.record(watch.Added, &list.Items[0], gap)
	case len(list.Items) > 0 && last.ResourceVersion != list.Items[0].ResourceVersion:
		r.record(watch.Modified, &list.Items[0], gap)
	}
	return list.ResourceVersion, nil
}

func (r *Recorder) record(typ watch.EventType, cm *corev1.ConfigMap, gap bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	c := Change{Type: typ, At: time.Now(), Version: cm.ResourceVersion, Gap: gap, ConfigMap: cm}
	before, after := r.last, cm
	if typ == watch.Deleted {
		after = nil // nobody is told who deletes
		r.last = nil
	} else {
		c.Managers = differing(managers(before), managers(after))
		r.last = cm
	}
	c.Keys = differing(content(before), content(after))
	r.changes = append(r.changes, c)
}

func content(cm *corev1.ConfigMap) map[string]string {
	all := map[string]string{}
	if cm != nil {
		for k, v := range cm.Data {
			all[k] = v
		}
		for k, v := range cm.BinaryData {
			all[k] = "binary " + string(v)
		}
	}
	return all
}

func managers(cm *corev1.ConfigMap) map[string]string {
	all := map[string]string{}
	if cm != nil {
		for _, m := range cm.ManagedFields {
			all[m.Manager] += fmt.Sprint(m.Operation, m.Time, string(m.FieldsV1.GetRawBytes()))
		}
	}
	return all
}

// differing are the keys whose values differ, in order.
func differing(a, b map[string]string) (keys []string) {
	for k, v := range a {
		if w, ok := b[k]; !ok || v != w {
			keys = append(keys, k)
		}
	}
	for k := range b {
		if _, ok := a[k]; !ok {
			keys = append(keys, k)
		}
	}
	slices.Sort(keys)
	return keys
}
