package cli

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
)

// apiServer answers what the commands ask of an API server.
type apiServer struct {
	services []corev1.Service
	slices   []discoveryv1.EndpointSlice
	data     map[string]string // of the ConfigMap; nil: there is none
	refuse   func(r *http.Request) *metav1.Status
	// backends behind the service proxy, by "namespace/[https:]name:port".
	backends map[string]http.Handler

	mu       sync.Mutex
	requests []string // paths
}

// forbids refuses requests for paths with that part, or without it.
func forbids(part string, with bool) func(r *http.Request) *metav1.Status {
	return func(r *http.Request) *metav1.Status {
		if strings.Contains(r.URL.Path, part) != with {
			return nil
		}
		return &metav1.Status{Reason: metav1.StatusReasonForbidden, Code: 403,
			Message: `services "x:80" is forbidden: User "dev" cannot get resource "services/proxy" in API group "" in the namespace "x"`}
	}
}

func (s *apiServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	s.requests = append(s.requests, r.URL.Path)
	s.mu.Unlock()
	if s.refuse != nil {
		if status := s.refuse(r); status != nil {
			s.fail(w, status)
			return
		}
	}
	namespace, rest := "", r.URL.Path
	if _, after, ok := strings.Cut(r.URL.Path, "/namespaces/"); ok {
		namespace, rest, _ = strings.Cut(after, "/")
		rest = "/" + rest
	}
	switch {
	case strings.Contains(rest, "/proxy/"):
		s.proxy(w, r, namespace, rest)
	case strings.HasSuffix(rest, "/services"):
		list := corev1.ServiceList{TypeMeta: metav1.TypeMeta{Kind: "ServiceList", APIVersion: "v1"}}
		for _, o := range s.services {
			if namespace == "" || o.Namespace == namespace {
				list.Items = append(list.Items, o)
			}
		}
		answer(w, 200, list)
	case strings.HasSuffix(rest, "/endpointslices"):
		list := discoveryv1.EndpointSliceList{TypeMeta: metav1.TypeMeta{Kind: "EndpointSliceList", APIVersion: "discovery.k8s.io/v1"}}
		for _, o := range s.slices {
			if namespace == "" || o.Namespace == namespace {
				list.Items = append(list.Items, o)
			}
		}
		answer(w, 200, list)
	case s.data != nil && r.URL.Path == "/api/v1/namespaces/kubernaut-system/configmaps/kubernaut-toolset-config":
		answer(w, 200, corev1.ConfigMap{TypeMeta: metav1.TypeMeta{Kind: "ConfigMap", APIVersion: "v1"}, Data: s.data})
	default:
		s.fail(w, &metav1.Status{Reason: metav1.StatusReasonNotFound, Code: 404, Message: "not found"})
	}
}

// asked are the paths of all requests so far.
func (s *apiServer) asked() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.requests)
}

// proxy is the API server's service proxy.
func (s *apiServer) proxy(w http.ResponseWriter, r *http.Request, namespace, rest string) {
	name, path, _ := strings.Cut(strings.TrimPrefix(rest, "/services/"), "/proxy/")
	h := s.backends[namespace+"/"+name]
	if h == nil {
		service, _, _ := strings.Cut(name, ":")
		s.fail(w, &metav1.Status{Reason: metav1.StatusReasonServiceUnavailable, Code: 503,
			Message: fmt.Sprintf("no endpoints available for service %q", service)})
		return
	}
	prefix := strings.TrimSuffix(r.URL.Path, "/"+path)
	r2 := r.Clone(r.Context())
	r2.URL.Path = "/" + path
	h.ServeHTTP(&rewriter{w, prefix}, r2)
}

// rewriter changes redirects as the API server does.
type rewriter struct {
	http.ResponseWriter
	prefix string
}

func (w *rewriter) WriteHeader(code int) {
	if to := w.Header().Get("Location"); strings.HasPrefix(to, "/") {
		w.Header().Set("Location", w.prefix+to)
	}
	w.ResponseWriter.WriteHeader(code)
}

func (s *apiServer) fail(w http.ResponseWriter, status *metav1.Status) {
	status.TypeMeta, status.Status = metav1.TypeMeta{Kind: "Status", APIVersion: "v1"}, metav1.StatusFailure
	answer(w, int(status.Code), status)
}

func answer(w http.ResponseWriter, code int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	_ = json.NewEncoder(w).Encode(body)
}

// start serves it and returns its address and a kubeconfig that leads to it.
func (s *apiServer) start(t *testing.T) (host, kubeconfig string) {
	t.Helper()
	srv := httptest.NewServer(s)
	t.Cleanup(srv.Close)
	return srv.URL, writeKubeconfig(t, srv.URL)
}

func writeKubeconfig(t *testing.T, server string) string {
	t.Helper()
	return writeFile(t, "kubeconfig", `apiVersion: v1
kind: Config
clusters: [{name: c, cluster: {server: "`+server+`"}}]
users: [{name: u, user: {token: secret-token}}]
contexts: [{name: x, context: {cluster: c, user: u}}]
current-context: x
`)
}

func serviceObject(namespace, name string, labels map[string]string, ip string, ports ...corev1.ServicePort) corev1.Service {
	return corev1.Service{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name, Labels: labels},
		Spec:       corev1.ServiceSpec{ClusterIP: ip, Selector: map[string]string{"app": name}, Ports: ports},
	}
}

func port(name string, number, target int32) corev1.ServicePort {
	return corev1.ServicePort{Name: name, Port: number, TargetPort: intstr.FromInt32(target)}
}

// readySlice is an EndpointSlice with one ready address for each of the Services.
func readySlices(services ...corev1.Service) (list []discoveryv1.EndpointSlice) {
	for _, s := range services {
		ready, p, proto := true, s.Spec.Ports[0], corev1.ProtocolTCP
		list = append(list, discoveryv1.EndpointSlice{
			ObjectMeta:  metav1.ObjectMeta{Namespace: s.Namespace, Name: s.Name, Labels: map[string]string{discoveryv1.LabelServiceName: s.Name}},
			AddressType: discoveryv1.AddressTypeIPv4,
			Endpoints:   []discoveryv1.Endpoint{{Addresses: []string{"10.244.0.1"}, Conditions: discoveryv1.EndpointConditions{Ready: &ready}}},
			Ports:       []discoveryv1.EndpointPort{{Name: &p.Name, Port: &p.TargetPort.IntVal, Protocol: &proto}},
		})
	}
	return list
}

func named(name string) map[string]string { return map[string]string{"app.kubernetes.io/name": name} }
