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

// clusterOf answers as an API server with so many Services and nothing else.
type clusterOf struct {
	services int
	expire   bool // pages but the first can no longer be had
	mu       sync.Mutex
	lists    []string // of Services: how each was asked for
}

func (c *clusterOf) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	query, services := r.URL.Query(), strings.HasSuffix(r.URL.Path, "/services")
	answer := &corev1.ServiceList{
		TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "ServiceList"}, ListMeta: metav1.ListMeta{ResourceVersion: "7"},
	}
	status := http.StatusOK
	switch {
	case query.Get("sendInitialEvents") == "true":
		status = http.StatusBadRequest
	case query.Get("watch") == "true":
		w.WriteHeader(http.StatusOK)
		_ = http.NewResponseController(w).Flush()
		<-r.Context().Done()
		return
	case services:
		c.note(query)
		if query.Get("continue") != "" && c.expire {
			status = http.StatusGone
			break
		}
		from, _ := strconv.Atoi(query.Get("continue"))
		limit, _ := strconv.Atoi(query.Get("limit"))
		for i := from; i < c.services; i++ {
			if limit > 0 && i == from+limit {
				answer.Continue = strconv.Itoa(i)
				break
			}
			answer.Items = append(answer.Items, corev1.Service{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: fmt.Sprint("s", i)}})
		}
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	switch status {
	case http.StatusGone:
		fmt.Fprint(w, `{"kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": "Expired", "code": 410}`)
	case http.StatusOK:
		_ = json.NewEncoder(w).Encode(answer)
	}
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
