package bridge

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"
	"k8s.io/streaming/pkg/httpstream"
	"k8s.io/streaming/pkg/httpstream/spdy"

	"kubernaut.io/dynamic-toolset/internal/backend"
)

// apiServer is an API server with one Service, m/prom, that has one backend.
type apiServer struct {
	t       *testing.T
	backend string                      // its address
	slices  []discoveryv1.EndpointSlice // nil for one with the ready pod prom-0
	refuses func(r *http.Request) bool  // answers 403

	mu       sync.Mutex
	requests []*http.Request
}

func (s *apiServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	s.requests = append(s.requests, r.Clone(r.Context()))
	s.mu.Unlock()
	_, rest, _ := strings.Cut(r.URL.Path, "/namespaces/m/")
	resource := `"pods/portforward"`
	if strings.HasPrefix(rest, "services/") {
		resource = `"services/proxy"`
	}
	if s.refuses != nil && s.refuses(r) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusForbidden)
		s.encode(w, metav1.Status{
			TypeMeta: metav1.TypeMeta{Kind: "Status", APIVersion: "v1"}, Reason: metav1.StatusReasonForbidden, Code: http.StatusForbidden,
			Message: `"x" is forbidden: User "u" cannot create resource ` + resource + ` in API group "" in the namespace "m"`,
		})
		return
	}
	switch {
	case strings.HasPrefix(rest, "services/prom:80/proxy/"):
		out, err := http.NewRequestWithContext(r.Context(), r.Method, "http://"+s.backend+strings.TrimPrefix(rest, "services/prom:80/proxy"), r.Body)
		if err != nil {
			s.t.Error(err)
			return
		}
		out.URL.RawQuery, out.ContentLength = r.URL.RawQuery, r.ContentLength
		resp, err := new(http.Transport).RoundTrip(out)
		if err != nil {
			s.t.Error(err)
			return
		}
		defer resp.Body.Close()
		for name, values := range resp.Header {
			w.Header()[name] = values
		}
		w.WriteHeader(resp.StatusCode)
		_, _ = io.Copy(w, resp.Body)
	case rest == "endpointslices":
		list := discoveryv1.EndpointSliceList{
			TypeMeta: metav1.TypeMeta{Kind: "EndpointSliceList", APIVersion: "discovery.k8s.io/v1"}, Items: s.slices,
		}
		if s.slices == nil {
			list.Items = []discoveryv1.EndpointSlice{slice(true, "prom-0", "m")}
		}
		w.Header().Set("Content-Type", "application/json")
		s.encode(w, list)
	case rest == "pods/prom-0/portforward" && r.Method == http.MethodPost: // as servers before 1.31, which know no other way
		s.forward(w, r)
	default:
		http.Error(w, "there is no "+rest, http.StatusNotFound)
	}
}

func (s *apiServer) encode(w io.Writer, v any) {
	if err := json.NewEncoder(w).Encode(v); err != nil {
		s.t.Error(err)
	}
}

// forward is kubelet's part.
func (s *apiServer) forward(w http.ResponseWriter, r *http.Request) {
	if _, err := httpstream.Handshake(r, w, []string{"portforward.k8s.io"}); err != nil {
		s.t.Error(err)
		return
	}
	streams := make(chan httpstream.Stream, 2)
	conn := spdy.NewResponseUpgrader().UpgradeResponse(w, r, func(stream httpstream.Stream, _ <-chan struct{}) error {
		streams <- stream
		return nil
	})
	if conn == nil {
		s.t.Error("no upgrade")
		return
	}
	defer conn.Close()
	wrong, data := <-streams, <-streams
	if p := data.Headers().Get(corev1.PortHeader); p != "9090" {
		s.t.Errorf("port %s, want the pod's", p)
	}
	to, err := net.Dial("tcp", s.backend)
	if err != nil {
		_, _ = fmt.Fprintf(wrong, "error forwarding port 9090 to pod prom-0: %v", err)
		_ = wrong.Close()
		_ = data.Close()
		<-conn.CloseChan()
		return
	}
	defer to.Close()
	go func() { _, _ = io.Copy(to, data) }()
	_, _ = io.Copy(data, to)
	_, _ = wrong.Close(), data.Close()
	<-conn.CloseChan()
}

// slice has one endpoint.
func slice(ready bool, pod, namespace string) discoveryv1.EndpointSlice {
	name, number := "web", int32(9090)
	return discoveryv1.EndpointSlice{
		Ports: []discoveryv1.EndpointPort{{Name: &name, Port: &number}},
		Endpoints: []discoveryv1.Endpoint{{
			Conditions: discoveryv1.EndpointConditions{Ready: &ready},
			TargetRef:  &corev1.ObjectReference{Kind: "Pod", Name: pod, Namespace: namespace},
		}},
	}
}

// start serves it, and returns a Bridge to it.
func (s *apiServer) start(t *testing.T, o Options) *Bridge {
	t.Helper()
	s.t = t
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	o.Cluster = &rest.Config{Host: server.URL, BearerToken: "kubeconfig's"}
	if o.Insecure == nil {
		o.Insecure = func(backend.Ref) bool { return false }
	}
	b, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// asked are the requests whose path has the part.
func (s *apiServer) asked(part string) (list []*http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, r := range s.requests {
		if strings.Contains(r.URL.Path, part) {
			list = append(list, r)
		}
	}
	return list
}

// finding is of Service m/prom, as it is published.
func finding(scheme string) *backend.Finding {
	port := backend.Port{Name: "web", Number: 80, Protocol: "TCP"}
	service := &backend.Service{Ref: backend.Ref{Namespace: "m", Name: "prom"}, Ports: []backend.Port{port}}
	return &backend.Finding{
		Ref: service.Ref, Service: service, Verdict: backend.Accepted,
		Candidate: &backend.Candidate{
			Service: service, Type: "prometheus", Port: port, PortNumber: 80, Scheme: scheme, Host: "prom.m.svc.cluster.local", Path: "/base",
		},
	}
}
