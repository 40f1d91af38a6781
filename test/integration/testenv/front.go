//go:build integration

package testenv

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"sync"
	"sync/atomic"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
)

// Front stands in front of the API server, so that faults can be put between: requests refused, delayed or cut. A client
// must come with a token, since a client certificate does not pass.
type Front struct {
	URL string
	CA  []byte // in PEM

	server *httptest.Server
	fault  atomic.Pointer[Fault]
	mu     sync.Mutex
	conns  map[net.Conn]bool
}

// Fault may answer a request instead of the API server, and then returns true. It may also wait, for r.Context() at most.
type Fault func(w http.ResponseWriter, r *http.Request) bool

// Front starts one.
func (e *Env) Front(t testing.TB) *Front {
	t.Helper()
	target, err := url.Parse(e.Config.Host)
	must(t, err)
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(e.Config.CAData) {
		t.Fatal("the API server's certificate authority is not in PEM")
	}
	proxy := &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(target) },
		Transport: &http.Transport{
			TLSClientConfig: &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}, ForceAttemptHTTP2: true,
		},
		FlushInterval: -1, // watches
		ErrorLog:      log.New(io.Discard, "", 0),
	}
	f := &Front{conns: map[net.Conn]bool{}}
	f.server = httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if fault := f.fault.Load(); fault != nil && (*fault)(w, r) {
			return
		}
		proxy.ServeHTTP(w, r)
	}))
	f.server.EnableHTTP2 = true
	f.server.Config.ErrorLog = log.New(io.Discard, "", 0)
	f.server.Config.ConnState = f.track
	f.server.StartTLS()
	t.Cleanup(func() {
		f.Cut()
		f.server.CloseClientConnections()
		f.server.Close()
	})
	f.URL = f.server.URL
	f.CA = pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: f.server.Certificate().Raw})
	return f
}

// Inject puts a fault between from now on; nil takes it away.
func (f *Front) Inject(fault Fault) {
	if fault == nil {
		f.fault.Store(nil)
		return
	}
	f.fault.Store(&fault)
}

// Cut cuts all connections, watches among them, and returns how many there were.
func (f *Front) Cut() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	for c := range f.conns {
		_ = c.Close()
	}
	return len(f.conns)
}

func (f *Front) track(c net.Conn, state http.ConnState) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if state == http.StateClosed || state == http.StateHijacked {
		delete(f.conns, c)
	} else {
		f.conns[c] = true
	}
}

// Refuse answers as the API server does with an error, as in Refuse(w, apierrors.NewConflict(...)).
func Refuse(w http.ResponseWriter, err *apierrors.StatusError) {
	status := err.Status()
	status.Kind, status.APIVersion = "Status", "v1"
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(int(status.Code))
	_ = json.NewEncoder(w).Encode(status) // the client may be gone
}
