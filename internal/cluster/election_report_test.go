package cluster

import (
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/client-go/rest"
)

// Why there is no leader is reported once for each reason: no API server, no right, no namespace. Then it leads.
func TestAwayAtStart(t *testing.T) {
	t.Attr("req", "DTS-RUN-5")
	synctest.Test(t, func(t *testing.T) {
		server := &leaseServer{away: true}
		a := start(t, server, "a")
		for i, reason := range []struct {
			err  error
			text string
		}{
			{errors.New("connection refused"), "connection refused"},
			{apierrors.NewForbidden(leaseResource, "dynamic-toolset", errors.New("no Role allows it")), "no Role allows it"},
			{nil, "namespaces"},
		} {
			a.access.set(func(x *leaseAccess) { x.err = reason.err })
			<-time.After(time.Hour)
			if a.Leading() || a.log.count("level=WARN") != i+1 || a.log.count(reason.text) != 1 {
				t.Errorf("leading %v, want %d reasons and %q once; logged\n%s", a.Leading(), i+1, reason.text, &a.log.b)
			}
		}
		server.mu.Lock()
		server.away = false
		server.mu.Unlock()
		within(t, 5*time.Second, "it leads", a.Leading)
		if a.log.count("lease reachable again") == 0 {
			t.Errorf("logged\n%s", &a.log.b)
		}
	})
}

// A replica that stops releases the lease also if it does not know yet that it has it, and if the release fails once.
func TestReleasedWhateverFails(t *testing.T) {
	t.Attr("req", "DTS-RUN-4")
	synctest.Test(t, func(t *testing.T) {
		server := &leaseServer{}
		a := start(t, server, "a")
		a.access.set(func(x *leaseAccess) { x.mute = true })
		within(t, look, "the lease is the first's", func() bool { return server.holder() == "a" })
		a.access.set(func(x *leaseAccess) { x.mute, x.broken = false, 1 })
		a.stop()
		if holder := server.holder(); holder != "" {
			t.Errorf("after the stop %q holds it", holder)
		}
	})
}

// The lease was another's meanwhile, if only for a moment: that is another term.
func TestTerms(t *testing.T) {
	t.Attr("req", "DTS-RUN-2")
	synctest.Test(t, func(t *testing.T) {
		server, a := leader(t)
		<-time.After(time.Minute)
		if n := a.Term(); n != 1 {
			t.Fatalf("term %d after a minute, want 1", n)
		}
		server.take("b")
		server.take("")
		<-time.After(look)
		if n := a.Term(); !a.Leading() || n != 2 {
			t.Errorf("leading %v in term %d, want the second", a.Leading(), n)
		}
	})
}

// A response that asks for a long wait keeps no replica out of the election.
func TestRetryAfter(t *testing.T) {
	t.Attr("req", "DTS-RUN-2")
	var busy atomic.Bool
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if busy.CompareAndSwap(false, true) {
			w.Header().Set("Retry-After", "60")
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		if r.Method == http.MethodGet {
			w.WriteHeader(http.StatusNotFound)
			_, _ = w.Write([]byte(`{"kind": "Status", "apiVersion": "v1", "reason": "NotFound", "code": 404}`))
			return
		}
		_, _ = w.Write([]byte(`{"kind": "Lease", "apiVersion": "coordination.k8s.io/v1", "spec": {"holderIdentity": "a"}}`))
	}))
	t.Cleanup(server.Close) // after the elector, which is stopped first
	o := electionOptions("a")
	o.LeaseDuration, o.RenewDeadline, o.RetryPeriod = 4*time.Second, 2*time.Second, 100*time.Millisecond
	client, err := LeaseClient(&rest.Config{Host: server.URL}, o.RenewDeadline)
	if err != nil {
		t.Fatal(err)
	}
	log := &replicaLog{}
	o.Log = slog.New(slog.NewTextHandler(log, nil))
	e := NewElector(client, o)
	elect(t, e)
	within(t, 20*time.Second, "it leads", e.Leading)
	if log.count("lease not reachable") != 1 {
		t.Errorf("logged\n%s", &log.b)
	}
}
