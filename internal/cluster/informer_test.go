package cluster

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"kubernaut.io/dynamic-toolset/internal/backend"
)

// clusterOf is an API server with so many Services and nothing else, that sends no events of what there is.
type clusterOf struct {
	services int
	expire   bool // pages but the first can no longer be had
	resume   bool // beside it, it says how to go on with what is there now
	mu       sync.Mutex
	lists    []string    // of Services: how each was asked for
	watched  chan string // from which version on Services are watched first
}

func (c *clusterOf) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	query := r.URL.Query()
	switch {
	case query.Get("watch") == "true":
		if strings.HasSuffix(r.URL.Path, "/services") {
			select {
			case c.watched <- query.Get("resourceVersion"):
			default:
			}
		}
		w.WriteHeader(http.StatusOK)
		_ = http.NewResponseController(w).Flush()
		<-r.Context().Done()
	case strings.HasSuffix(r.URL.Path, "/services"):
		c.note(query)
		if query.Get("continue") == "1000" && c.expire {
			token := ""
			if c.resume {
				token = "01000"
			}
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(http.StatusGone)
			fmt.Fprintf(w, `{"kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": "Expired", "code": 410,
				"metadata": {"continue": %q}}`, token)
			return
		}
		page, next := c.page(query)
		version := "7"
		if c.resume && query.Get("continue") != "" {
			version = "9"
		}
		answerList(w, "v1", "ServiceList", version, page, next)
	case strings.HasSuffix(r.URL.Path, "/endpointslices"):
		answerList(w, "discovery.k8s.io/v1", "EndpointSliceList", "7", []corev1.Service{}, "")
	default:
		answerList(w, "v1", "ConfigMapList", "7", []corev1.Service{}, "")
	}
}

// page is what was asked for, and how to ask for the next one; "" where there is none.
func (c *clusterOf) page(query url.Values) (page []corev1.Service, next string) {
	from, _ := strconv.Atoi(query.Get("continue"))
	to := c.services
	if limit, _ := strconv.Atoi(query.Get("limit")); limit > 0 && from+limit < to {
		to = from + limit
		next = strconv.Itoa(to)
	}
	page = make([]corev1.Service, 0, to-from)
	for i := from; i < to; i++ {
		page = append(page, corev1.Service{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: fmt.Sprint("s", i)}})
	}
	return page, next
}

func answerList(w http.ResponseWriter, api, kind, version string, items []corev1.Service, next string) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(map[string]any{
		"apiVersion": api, "kind": kind, "metadata": metav1.ListMeta{ResourceVersion: version, Continue: next}, "items": items,
	})
}

func (c *clusterOf) note(query url.Values) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.lists = append(c.lists, query.Encode())
}

func TestListsPageByPage(t *testing.T) {
	t.Attr("req", "DTS-RUN-1")
	for _, tc := range []struct {
		name           string
		expire, resume bool
		want           []string
	}{
		{"all pages", false, false, []string{"limit=1000", "continue=1000&limit=1000", "continue=2000&limit=1000"}},
		// Where they have expired meanwhile it goes on with newer ones, page by page.
		{"expired", true, true, []string{"limit=1000", "continue=1000&limit=1000", "continue=01000&limit=1000", "continue=2000&limit=1000"}},
		// All is read at once, of any time, where it is not said how to go on: the watch goes on from there.
		{"expired for good", true, false, []string{"limit=1000", "continue=1000&limit=1000", "resourceVersion=0"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			c := &clusterOf{services: 2500, expire: tc.expire, resume: tc.resume, watched: make(chan string, 1)}
			server := httptest.NewServer(c)
			t.Cleanup(server.Close) // after the watch, which is stopped first
			watch, _ := running(t, server.URL)
			select {
			case <-watch.Synced():
			case <-time.After(30 * time.Second):
				t.Fatalf("it does not see all: %v", watch.Err())
			}
			if got := len(watch.store.Take()); got != c.services {
				t.Errorf("%d Services are known of %d", got, c.services)
			}
			if s, _ := watch.store.Get(backend.Ref{Namespace: "shop", Name: "s2499"}); s == nil {
				t.Error("the last one is not known")
			}
			select {
			case from := <-c.watched:
				if from != "7" {
					t.Errorf("the watch goes on from version %s, and the first page is as of 7", from)
				}
			case <-time.After(30 * time.Second):
				t.Fatal("nothing is watched")
			}
			c.mu.Lock()
			defer c.mu.Unlock()
			if diff := cmp.Diff(tc.want, c.lists); diff != "" {
				t.Errorf("requests (-want +got):\n%s", diff)
			}
		})
	}
}
