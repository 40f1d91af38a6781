package cluster

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"k8s.io/client-go/rest"

	"kubernaut.io/dynamic-toolset/internal/backend"
	"kubernaut.io/dynamic-toolset/internal/store"
)

// warnings hands on the attributes of each warning, as text.
type warnings chan string

func (warnings) Enabled(_ context.Context, l slog.Level) bool { return l >= slog.LevelWarn }
func (w warnings) WithAttrs([]slog.Attr) slog.Handler         { return w }
func (w warnings) WithGroup(string) slog.Handler              { return w }
func (w warnings) Handle(_ context.Context, r slog.Record) error {
	text := r.Message
	r.Attrs(func(a slog.Attr) bool { text += fmt.Sprintf(" %s=%s", a.Key, a.Value); return true })
	w <- text
	return nil
}

// forbid answers as an API server does that has granted nothing.
func forbid(w http.ResponseWriter, r *http.Request) {
	group, where, name := "", "at the cluster scope", ""
	resource := r.URL.Path[strings.LastIndexByte(r.URL.Path, '/')+1:]
	switch resource {
	case "endpointslices":
		group = "discovery.k8s.io"
	case "configmaps":
		where, name = `in the namespace \"out\"`, "toolsets"
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(http.StatusForbidden)
	fmt.Fprintf(w, `{"kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": "Forbidden", "code": 403,
		"details": {"name": %q, "group": %q, "kind": %q},
		"message": "%s is forbidden: User \"robot\" cannot list resource \"%s\" in API group \"%s\" %s"}`,
		name, group, resource, resource, resource, group, where)
}

// running is a watch of that API server, until the test ends, and what it warns of.
func running(t *testing.T, host string) (*Watch, warnings) {
	t.Helper()
	return runningWith(t, &rest.Config{Host: host}, Options{Failed: func() {}})
}

func runningWith(t *testing.T, config *rest.Config, o Options) (*Watch, warnings) {
	t.Helper()
	log := make(warnings, 100)
	o.ConfigMap, o.Reader = backend.Ref{Namespace: "out", Name: "toolsets"}, &Reader{keep: func(string) bool { return true }}
	o.Log = slog.New(log)
	watch, err := NewWatch(config, store.New(store.Options{Relevant: func(*backend.Service) bool { return true }}), o)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	var ended sync.WaitGroup
	ended.Go(func() { watch.Run(ctx) })
	t.Cleanup(func() {
		cancel()
		ended.Wait()
	})
	return watch, log
}

// Missing rights are named once each. Once all could be listed nothing says any more that it may not be: the first
// discovery would log it.
func TestMissingRightsAreNamed(t *testing.T) {
	t.Attr("req", "DTS-RUN-3")
	var granted atomic.Bool
	api := new(apiServer)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if granted.Load() {
			api.ServeHTTP(w, r)
			return
		}
		forbid(w, r)
	}))
	t.Cleanup(server.Close) // after the watch, which is stopped first
	watch, log := running(t, server.URL)
	rule := ` (403); to allow it, add a ClusterRole for robot with {apiGroups: [%q], resources: [%s], verbs: [%s]}, or name the namespaces that it may watch in discovery.namespaces`
	missing := map[string]string{
		"configmaps":     `not allowed to list configmaps out/toolsets (403); to allow it, add a Role in "out" for robot with {apiGroups: [""], resources: [configmaps], resourceNames: [toolsets], verbs: [get, list, watch, create, patch]}`,
		"endpointslices": `not allowed to list endpointslices in all namespaces` + fmt.Sprintf(rule, "discovery.k8s.io", "endpointslices", "list, watch"),
		"services":       `not allowed to list services in all namespaces` + fmt.Sprintf(rule, "", "services", "get, list, watch"),
	}
	var want, got []string
	for kind, text := range missing {
		namespace := ""
		if kind == "configmaps" {
			namespace = "out"
		}
		want = append(want, fmt.Sprintf("objects cannot be watched now namespace=%s kind=%s err=%s", namespace, kind, text))
		got = append(got, <-log)
	}
	slices.Sort(want)
	slices.Sort(got)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("log (-want +got):\n%s", diff)
	}
	all := missing["configmaps"] + "; " + missing["endpointslices"] + "; " + missing["services"]
	if err := watch.Err(); err == nil || err.Error() != all {
		t.Errorf("got  %v\nwant %s", err, all)
	}
	granted.Store(true)
	select {
	case <-watch.Synced():
	case <-time.After(30 * time.Second):
		t.Fatalf("it sees nothing: %v", watch.Err())
	}
	if err := watch.Err(); err != nil {
		t.Errorf("all was listed, and still: %v", err)
	}
}
