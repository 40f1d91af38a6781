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
	mu       sync.Mutex
	lists    []string // of Services: how each was asked for
}

func (c *clusterOf) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	query := r.URL.Query()
	switch {
	case query.Get("sendInitialEvents") == "true":
		w.WriteHeader(http.StatusBadRequest)
	case query.Get("watch") == "true":
		w.WriteHeader(http.StatusOK)
		_ = http.NewResponseController(w).Flush()
		<-r.Context().Done()
	case strings.HasSuffix(r.URL.Path, "/services"):
		c.note(query)
		if query.Get("continue") != "" && c.expire {
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(http.StatusGone)
			fmt.Fprint(w, `{"kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": "Expired", "code": 410}`)
			return
		}
		page, next := c.page(query)
		list(w, "v1", "ServiceList", page, next)
	case strings.HasSuffix(r.URL.Path, "/endpointslices"):
		list(w, "discovery.k8s.io/v1", "EndpointSliceList", []corev1.Service{}, "")
	default:
		list(w, "v1", "ConfigMapList", []corev1.Service{}, "")
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

func list(w http.ResponseWriter, version, kind string, items []corev1.Service, next string) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(map[string]any{
		"apiVersion": version, "kind": kind, "metadata": metav1.ListMeta{ResourceVersion: "7", Continue: next}, "items": items,
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
		name   string
		expire bool
		want   []string
	}{
		{"all pages", false, []string{"limit=1000", "continue=1000&limit=1000", "continue=2000&limit=1000"}},
		// Where they have expired meanwhile all is read at once, of any time: the watch goes on from there.
		{"expired", true, []string{"limit=1000", "continue=1000&limit=1000", "resourceVersion=0"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			c := &clusterOf{services: 2500, expire: tc.expire}
			server := httptest.NewServer(c)
			t.Cleanup(server.Close) // after the watch, which is stopped first
			watch, _ := running(t, server.URL)
			select {
			case <-watch.Synced():
			case <-time.After(30 * time.Second):
				t.Fatalf("it does not see all: %v", watch.Err())
			}
			if got := len(watch.world.Take()); got != c.services {
				t.Errorf("%d Services are known of %d", got, c.services)
			}
			if s, _ := watch.world.Get(backend.Ref{Namespace: "shop", Name: "s2499"}); s == nil {
				t.Error("the last one is not known")
			}
			c.mu.Lock()
			defer c.mu.Unlock()
			if diff := cmp.Diff(tc.want, c.lists); diff != "" {
				t.Errorf("requests (-want +got):\n%s", diff)
			}
		})
	}
}
