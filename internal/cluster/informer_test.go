package cluster

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"kubernaut.io/dynamic-toolset/internal/backend"
)

func TestListsPageByPage(t *testing.T) {
	t.Attr("req", "DTS-RUN-1")
	for _, tc := range []struct {
		name         string
		expire, gone bool
		want         []string
	}{
		{"all pages", false, false, []string{"limit=1000", "continue=1000&limit=1000", "continue=2000&limit=1000"}},
		// Where they have expired meanwhile it goes on with newer ones, page by page.
		{"expired", true, false, []string{"limit=1000", "continue=1000&limit=1000", "continue=01000&limit=1000", "continue=2000&limit=1000"}},
		// All is read at once, of any time, where it is not said how to go on: the watch goes on from there.
		{"expired for good", true, true, []string{"limit=1000", "continue=1000&limit=1000", "resourceVersion=0"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			api := filled(2500, "shop")
			api.expire, api.gone = tc.expire, tc.gone
			watch, _ := running(t, api.start(t).Host)
			select {
			case <-watch.Synced():
			case <-time.After(30 * time.Second):
				t.Fatalf("it does not see all: %v", watch.Err())
			}
			if got := len(watch.store.Take()); got != 2500 {
				t.Errorf("%d Services are known", got)
			}
			if s, _ := watch.store.Get(backend.Ref{Namespace: "shop", Name: "s2499"}); s == nil {
				t.Error("the last one is not known")
			}
			var lists []string
			watched := ""
			within(t, 30*time.Second, "Services are watched", func() bool {
				api.mu.Lock()
				defer api.mu.Unlock()
				lists = nil
				for _, r := range api.requests {
					query := r.URL.Query()
					switch {
					case !strings.HasSuffix(r.URL.Path, "/services"):
					case query.Get("watch") == "true":
						watched = query.Get("resourceVersion")
						return true
					default:
						lists = append(lists, r.URL.RawQuery)
					}
				}
				return false
			})
			if watched != "7" {
				t.Errorf("the watch goes on from version %s, and the first page is as of 7", watched)
			}
			if diff := cmp.Diff(tc.want, lists); diff != "" {
				t.Errorf("requests (-want +got):\n%s", diff)
			}
		})
	}
}
