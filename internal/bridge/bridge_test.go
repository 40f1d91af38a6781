package bridge

import (
	"context"
	"crypto/x509"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"

	discoveryv1 "k8s.io/api/discovery/v1"

	"kubernaut.io/dynamic-toolset/internal/backend"
	"kubernaut.io/dynamic-toolset/test/standin"
)

// echo is a backend that says what it got.
func echo(t *testing.T) (address string, got func() []*http.Request) {
	t.Helper()
	var mu sync.Mutex
	var requests []*http.Request
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		requests = append(requests, r.Clone(r.Context()))
		mu.Unlock()
		body, _ := io.ReadAll(r.Body)
		_, _ = w.Write(append([]byte(r.Method+" "+r.RequestURI+" "), body...))
	}))
	t.Cleanup(server.Close)
	return server.Listener.Addr().String(), func() []*http.Request {
		mu.Lock()
		defer mu.Unlock()
		return slices.Clone(requests)
	}
}

// open is Bridge.Open, whose listener ends with the test.
func open(t *testing.T, b *Bridge, f *backend.Finding) (*Opened, error) {
	t.Helper()
	o, err := b.Open(t.Context(), f, func(err error) string { return err.Error() })
	if err == nil {
		t.Cleanup(o.Close)
	}
	return o, err
}

func ask(t *testing.T, method, url, body string, header ...string) (*http.Response, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	if r.Header.Get("Host") != "" {
		r.Host = r.Header.Get("Host")
	}
	resp, err := new(http.Transport).RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp, string(text)
}

// TestWays: which way a request goes, whose credentials go with it, and that its body goes with it.
func TestWays(t *testing.T) {
	t.Attr("req", "DTS-CLI-9")
	const proxy, pod = "/services/", "/portforward"
	noPost := func(r *http.Request) bool { return r.Method == http.MethodPost && strings.Contains(r.URL.Path, proxy) }
	tests := []struct {
		name    string
		refuses func(*http.Request) bool
		method  string
		path    string
		header  []string
		way     string
	}{
		{"plain", nil, http.MethodGet, "/base/api?a=1;b&c=%2F", nil, proxy},
		{"body", nil, http.MethodPost, "/base/api", nil, proxy},
		{"star", nil, http.MethodGet, "/base/logs-*", nil, proxy},
		{"credentials", nil, http.MethodPost, "/base/api", []string{"Authorization", "Bearer backend's"}, pod},
		{"an empty user", nil, http.MethodGet, "/base/api", []string{"Authorization", "Basic Og=="}, proxy},
		{"an encoded slash", nil, http.MethodGet, "/base/a%2Fb", nil, pod},
		{"POST is forbidden", noPost, http.MethodPost, "/base/api", nil, pod},
		{"another's session", nil, http.MethodGet, "/base/api", []string{"Cookie", "grafana_session=secret"}, proxy},
		{"another's session to the pod", nil, http.MethodGet, "/base/a%2Fb", []string{"Cookie", "grafana_session=secret"}, pod},
		{"another's name", nil, http.MethodGet, "/base/api", []string{"Impersonate-User", "root", "X-Remote-User", "root"}, proxy},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			api := &apiServer{refuses: tt.refuses}
			address, got := echo(t)
			api.backend = address
			o, err := open(t, api.start(t, Options{}), finding("http"))
			if err != nil {
				t.Fatal(err)
			}
			body := ""
			if tt.method == http.MethodPost {
				body = "query=up"
			}
			resp, text := ask(t, tt.method, "http://"+o.listener.host+tt.path, body, tt.header...)
			if want := tt.method + " " + tt.path + " " + body; resp.StatusCode != http.StatusOK || strings.ReplaceAll(text, "%2A", "*") != want {
				t.Errorf("%d %q, want %q", resp.StatusCode, text, want)
			}
			if list := api.asked(tt.way); len(list) == 0 {
				t.Errorf("it did not go by %s", tt.way)
			}
			if list := api.asked(pod); tt.way == proxy && len(list) > 0 {
				t.Error("it went by port-forward")
			}
			for _, r := range api.asked("") {
				if r.Header.Get("Authorization") != "Bearer kubeconfig's" || r.Header.Get("Impersonate-User")+r.Header.Get("X-Remote-User") != "" {
					t.Errorf("the API server got %v", r.Header)
				}
			}
			for _, r := range got() {
				if auth := r.Header.Get("Authorization"); strings.Contains(auth, "kubeconfig") || tt.name == "credentials" && auth != "Bearer backend's" {
					t.Errorf("the backend got %q", auth)
				}
				if r.Header.Get("Cookie") != "" {
					t.Errorf("the backend got a cookie that may be another's")
				}
				if tt.way == pod && r.Host != "prom.m.svc.cluster.local:80" {
					t.Errorf("Host %s, want the Service's", r.Host)
				}
			}
		})
	}
}

// TestForbidden: what the user may not is tried once, and said with the rights that are missing.
func TestForbidden(t *testing.T) {
	t.Attr("req", "DTS-CLI-9")
	api := &apiServer{refuses: func(r *http.Request) bool { return strings.Contains(r.URL.Path, "/services/") }}
	api.backend, _ = echo(t)
	b := api.start(t, Options{})
	o, err := open(t, b, finding("http"))
	if err != nil || o.Way != WayProxy {
		t.Fatal(o, err) // nobody has asked yet
	}
	for range 2 {
		if resp, text := ask(t, http.MethodGet, "http://"+o.listener.host+"/x", ""); resp.StatusCode != http.StatusOK {
			t.Errorf("%d %s", resp.StatusCode, text)
		}
	}
	if n := len(api.asked("/services/")); n != 1 {
		t.Errorf("the service proxy was asked %d times", n)
	}
	if o, err := open(t, b, finding("http")); err != nil || o.Way != WayForward || !strings.HasPrefix(o.Endpoint(), "http://127.0.0.1:") || !strings.HasSuffix(o.Endpoint(), "/base") {
		t.Errorf("%+v %v, want it by port-forward", o, err)
	}

	api = &apiServer{refuses: func(r *http.Request) bool { return !strings.Contains(r.URL.Path, "endpointslices") }}
	b = api.start(t, Options{})
	if o, err = open(t, b, finding("http")); err != nil {
		t.Fatal(err)
	}
	resp, text := ask(t, http.MethodPost, "http://"+o.listener.host+"/x", "")
	for _, want := range []string{
		"create on services/proxy in namespace m", "create on pods/portforward in namespace m",
		"kubectl create role bridge -n m --verb=create --resource=pods/portforward",
	} {
		if resp.StatusCode != http.StatusBadGateway || !strings.Contains(text, want) {
			t.Errorf("%d %q, want %q", resp.StatusCode, text, want)
		}
	}
	f := finding("http")
	f.Credentials = map[string]string{"api_key": "KEY"}
	if _, err := open(t, b, f); err == nil || !strings.Contains(err.Error(), "create on pods/portforward") || !forbidden(err) {
		t.Errorf("with credentials: %v", err)
	}
}

// TestPods: only ready pods of the Service's own namespace are connected to, and why one does not answer is said.
func TestPods(t *testing.T) {
	t.Attr("req", "DTS-CLI-9 DTS-SEC-3")
	address, _ := echo(t)
	closed, release, err := standin.Closed("127.0.0.1")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(release)
	for name, tt := range map[string]struct {
		slices  []discoveryv1.EndpointSlice
		backend string
		want    string // "" for an answer
	}{
		"ready":                       {[]discoveryv1.EndpointSlice{slice(false, "other", "m"), slice(true, "gone", "m"), slice(true, "prom-0", "")}, address, ""},
		"another namespace":           {[]discoveryv1.EndpointSlice{slice(true, "prom-0", "kube-system")}, address, "no ready pod is behind Service m/prom"},
		"a path to another namespace": {[]discoveryv1.EndpointSlice{slice(true, "../../kube-system/pods/etcd", "m")}, address, "no ready pod is behind Service m/prom"},
		"a path to the API":           {[]discoveryv1.EndpointSlice{slice(true, "../services/other/proxy", "m")}, address, "no ready pod is behind Service m/prom"},
		"a name with a dot segment":   {[]discoveryv1.EndpointSlice{slice(true, "..", "m"), slice(true, "prom-0/", "m")}, address, "no ready pod is behind Service m/prom"},
		"starting":                    {[]discoveryv1.EndpointSlice{slice(false, "prom-0", "m")}, address, "no ready pod"},
		"no endpoints":                {[]discoveryv1.EndpointSlice{}, address, "no ready pod"},
		"nothing listens":             {nil, closed, "connection refused"},
	} {
		t.Run(name, func(t *testing.T) {
			api := &apiServer{slices: tt.slices, backend: tt.backend}
			_, err := open(t, api.start(t, Options{ForwardOnly: true}), finding("http"))
			if (err == nil) != (tt.want == "") || err != nil && !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %v, want %q", err, tt.want)
			}
			for _, r := range api.asked("") {
				if path := r.URL.Path; !strings.HasSuffix(path, "/m/endpointslices") && !strings.HasSuffix(path, "/m/pods/prom-0/portforward") && !strings.HasSuffix(path, "/m/pods/gone/portforward") {
					t.Errorf("%s is asked", path)
				}
			}
		})
	}
}

// TestPodTLS: a pod's certificate is checked as the probe checks it.
func TestPodTLS(t *testing.T) {
	t.Attr("req", "DTS-CLI-9")
	server := httptest.NewTLSServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	t.Cleanup(server.Close)
	roots := x509.NewCertPool()
	roots.AddCert(server.Certificate())
	for name, tt := range map[string]struct {
		options Options
		host    string
		good    bool
	}{
		"its authority":   {Options{RootCAs: func() *x509.CertPool { return roots }}, "example.com", true},
		"another name":    {Options{RootCAs: func() *x509.CertPool { return roots }}, "prom.m.svc", false},
		"no authority":    {Options{}, "example.com", false},
		"not to be asked": {Options{Insecure: func(r backend.Ref) bool { return r.Name == "prom" }}, "prom.m.svc", true},
	} {
		t.Run(name, func(t *testing.T) {
			api := &apiServer{backend: server.Listener.Addr().String()}
			tt.options.ForwardOnly = true
			f := finding("http")
			f.Observation = backend.Observation{Scheme: "https", Host: tt.host} // as the probe found it
			o, err := open(t, api.start(t, tt.options), f)
			if (err == nil) != tt.good {
				t.Errorf("error %v", err)
			}
			if err == nil && !strings.HasPrefix(o.Endpoint(), "http://127.0.0.1:") {
				t.Errorf("endpoint %s", o.Endpoint())
			}
		})
	}
}

// TestLargeBody: what could not be sent again is not sent.
func TestLargeBody(t *testing.T) {
	t.Attr("req", "DTS-CLI-9")
	api := &apiServer{}
	address, got := echo(t)
	api.backend = address
	o, err := open(t, api.start(t, Options{}), finding("http"))
	if err != nil {
		t.Fatal(err)
	}
	resp, text := ask(t, http.MethodPost, "http://"+o.listener.host+"/x", strings.Repeat("x", maxBody+1))
	if resp.StatusCode != http.StatusRequestEntityTooLarge || len(got()) > 0 {
		t.Errorf("%d %s, and the backend got %d requests", resp.StatusCode, text, len(got()))
	}
}

// TestCancelled: a request that its client gives up leaves no connection to a pod behind.
func TestCancelled(t *testing.T) {
	t.Attr("req", "DTS-CLI-9")
	api := &apiServer{}
	api.backend, _ = echo(t)
	b := api.start(t, Options{ForwardOnly: true})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := b.Open(ctx, finding("http"), error.Error); err == nil {
		t.Error("opened")
	}
}

// TestDirect: what is no Service of the cluster keeps its address.
func TestDirect(t *testing.T) {
	t.Attr("req", "DTS-CLI-9")
	f := finding("http")
	f.Service.Type = backend.TypeOutside
	b := new(apiServer).start(t, Options{})
	if o, err := open(t, b, f); err != nil || o.Way != WayDirect || o.Endpoint() != f.Endpoint() {
		t.Errorf("%+v %v", o, err)
	}
	if b.Carry(f.Candidate) != nil {
		t.Error("its requests are carried")
	}
}
