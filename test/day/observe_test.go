//go:build integration && day

package day

import (
	"context"
	"os"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/watch"
	"sigs.k8s.io/yaml"
)

// version is a document as it was from then on.
type version struct {
	at   time.Time
	text string
}

// fileRecorder keeps every version of the sidecar's document.
type fileRecorder struct {
	mu       sync.Mutex
	versions []version
}

// watch looks at the file all the time, until the test ends.
func (f *fileRecorder) watch(t *testing.T, path string) {
	ctx := t.Context()
	go func() {
		var last os.FileInfo
		for ctx.Err() == nil {
			info, err := os.Stat(path)
			if err == nil && (last == nil || !os.SameFile(last, info) || !last.ModTime().Equal(info.ModTime())) {
				if text, err := os.ReadFile(path); err == nil {
					last = info
					f.add(info.ModTime(), string(text))
				}
			}
			time.Sleep(10 * time.Millisecond)
		}
	}()
}

func (f *fileRecorder) add(written time.Time, text string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if n := len(f.versions); n == 0 || f.versions[n-1].text != text {
		f.versions = append(f.versions, version{written, text})
	}
}

func (f *fileRecorder) last() string {
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.versions) == 0 {
		return ""
	}
	return f.versions[len(f.versions)-1].text
}

func (f *fileRecorder) all() []version {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.versions)
}

// configMap are the versions of the document in the ConfigMap. While that is deleted, the last one counts.
func (d *day) configMap() (list []version) {
	for _, c := range d.record.Changes() {
		if c.Type == watch.Deleted || c.ConfigMap.Data[document] == "" {
			continue
		}
		if text := c.ConfigMap.Data[document]; len(list) == 0 || list[len(list)-1].text != text {
			list = append(list, version{c.At, text})
		}
	}
	return list
}

var (
	hostName   = regexp.MustCompile(`[a-z0-9-]+\.[a-z0-9-]+\.svc\.cluster\.local`)
	markerName = regexp.MustCompile(`generation/[0-9a-f]+`)
)

// hosts are the backends that a document has.
func hosts(text string) map[string]bool {
	all := map[string]bool{}
	for _, host := range hostName.FindAllString(text, -1) {
		all[host] = true
	}
	return all
}

// generation is the name of a document's marker, as HolmesGPT lists it.
func generation(text string) string { return markerName.FindString(text) }

// toolsets are those of a document that have backends, each with its hosts.
func toolsets(text string) map[string]map[string]bool {
	var doc struct {
		Toolsets map[string]any `json:"toolsets"`
	}
	_ = yaml.Unmarshal([]byte(text), &doc) // HolmesGPT says what it does not read
	all := map[string]map[string]bool{}
	for name, entry := range doc.Toolsets {
		part, _ := yaml.Marshal(entry) // it was YAML
		if found := hosts(string(part)); len(found) > 0 {
			all[name] = found
		}
	}
	return all
}

// watch has everything that is judged observed until unwatch: HolmesGPT, and how the processes are.
func (d *day) watch(ctx context.Context) {
	ctx, stop := context.WithCancel(ctx)
	d.unwatch = func() { stop(); d.watching.Wait() }
	d.watching.Go(func() { d.agent.watch(ctx) })
	d.watching.Go(func() {
		tick := time.NewTicker(time.Second)
		defer tick.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
				d.sample()
			}
		}
	})
}

// sample looks at every process once.
func (d *day) sample() {
	for _, r := range d.running() {
		metrics := r.look()
		if metrics == "" || d.has(r) && !r.Running() {
			if d.has(r) { // it was not killed meanwhile
				d.note(clock(time.Now()) + " " + r.place + " does not answer")
			}
			continue
		}
		if err := r.healthy(); err != nil && d.has(r) {
			d.note(clock(time.Now()) + " " + r.place + ": " + err.Error())
		}
		rss := sum(metrics, "process_resident_memory_bytes")
		// The next collection comes when the heap has twice the size that the last one left, whatever garbage there is now.
		s := sample{time.Now(), rss, sum(metrics, "go_memstats_next_gc_bytes") / 2, sum(metrics, "go_goroutines")}
		d.mu.Lock()
		d.samples[r.place] = append(d.samples[r.place], s)
		d.mu.Unlock()
	}
}

func (d *day) has(r *replica) bool { return slices.Contains(d.running(), r) }

// note keeps what is wrong with a process.
func (d *day) note(what string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.sick = append(d.sick, strings.TrimSpace(what))
}
