package cluster

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"

	"kubernaut.io/dynamic-toolset/internal/backend"
	"kubernaut.io/dynamic-toolset/internal/links"
	"kubernaut.io/dynamic-toolset/internal/store"
	"kubernaut.io/dynamic-toolset/internal/view"
	"kubernaut.io/dynamic-toolset/test/standin"
)

// apiServer answers Lists of Services and EndpointSlices as an API server does, in JSON. Its watches have no events.
type apiServer struct {
	services []corev1.Service
	slices   []discoveryv1.EndpointSlice
	status   func(path string) int // may refuse a path with an HTTP status; nil refuses none
	expire   bool                  // the second page of Services expires once
	gone     bool                  // and the response does not say how to continue

	mu       sync.Mutex
	requests []*http.Request
}

var statusType = metav1.TypeMeta{Kind: "Status", APIVersion: "v1"}

func (s *apiServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.requests = append(s.requests, r)
	query, services := r.URL.Query(), strings.HasSuffix(r.URL.Path, "/services")
	if query.Get("watch") == "true" {
		s.mu.Unlock()
		_ = http.NewResponseController(w).Flush()
		<-r.Context().Done()
		s.mu.Lock()
		return
	}
	if s.status != nil {
		if code := s.status(r.URL.Path); code != 0 {
			answer(w, code, metav1.Status{TypeMeta: statusType, Status: "Failure", Code: int32(code), Message: "made up",
				Reason: map[int]metav1.StatusReason{401: "Unauthorized", 403: "Forbidden", 404: "NotFound", 500: "InternalError"}[code]})
			return
		}
	}
	if next := query.Get("continue"); services && s.expire && next != "" {
		s.expire = false
		status := metav1.Status{TypeMeta: statusType, Status: "Failure", Code: http.StatusGone, Reason: metav1.StatusReasonExpired}
		if !s.gone {
			status.Continue = "0" + next
		}
		answer(w, http.StatusGone, status)
		return
	}
	switch {
	case services:
		page(w, r, "v1", "ServiceList", s.services)
	case strings.HasSuffix(r.URL.Path, "/endpointslices"):
		page(w, r, "discovery.k8s.io/v1", "EndpointSliceList", s.slices)
	default:
		page(w, r, "v1", "ConfigMapList", []corev1.ConfigMap{})
	}
}

// page answers with a page of the objects of the request's namespace. Later pages have a newer version.
func page[T any, P interface {
	*T
	metav1.Object
}](w http.ResponseWriter, r *http.Request, version, kind string, all []T) {
	_, namespace, _ := strings.Cut(r.URL.Path, "/namespaces/")
	namespace, _, _ = strings.Cut(namespace, "/")
	all = slices.DeleteFunc(slices.Clone(all), func(o T) bool { return namespace != "" && P(&o).GetNamespace() != namespace })
	start, _ := strconv.Atoi(r.URL.Query().Get("continue"))
	limit, _ := strconv.Atoi(r.URL.Query().Get("limit"))
	meta, end := metav1.ListMeta{ResourceVersion: "7"}, len(all)
	if start > 0 {
		meta.ResourceVersion = "9"
	}
	if limit > 0 && start+limit < end {
		end = start + limit
		meta.Continue = strconv.Itoa(end)
	}
	answer(w, http.StatusOK, map[string]any{"apiVersion": version, "kind": kind, "metadata": meta, "items": all[start:end]})
}

func answer(w http.ResponseWriter, code int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	_ = json.NewEncoder(w).Encode(body)
}

func (s *apiServer) start(t *testing.T) *rest.Config {
	t.Helper()
	srv := httptest.NewServer(s)
	t.Cleanup(srv.Close)
	return &rest.Config{Host: srv.URL}
}

// asked are all requests so far.
func (s *apiServer) asked() []*http.Request {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.requests)
}

func filled(n int, namespaces ...string) *apiServer {
	s := new(apiServer)
	for i := range n {
		for _, ns := range namespaces {
			name := fmt.Sprintf("s%04d", i)
			s.services = append(s.services, corev1.Service{ObjectMeta: metav1.ObjectMeta{Namespace: ns, Name: name, ResourceVersion: "5"},
				Spec: corev1.ServiceSpec{Ports: []corev1.ServicePort{{Port: 80}}}})
			s.slices = append(s.slices, discoveryv1.EndpointSlice{
				ObjectMeta:  metav1.ObjectMeta{Namespace: ns, Name: name, Labels: map[string]string{"kubernetes.io/service-name": name}},
				AddressType: "IPv4", Endpoints: []discoveryv1.Endpoint{{Addresses: []string{"10.0.0.1"}}}})
		}
	}
	return s
}

func TestCluster(t *testing.T) {
	t.Attr("req", "DTS-CLI-1")
	for _, expire := range []bool{false, true} {
		api := filled(2400, "a")
		api.expire = expire
		api.slices[0].Labels = nil
		rec := new(recorder)
		report, err := list(t.Context(), api.start(t), rec)
		if err != nil {
			t.Fatal(err)
		}
		want := store.Report{Services: 2400, Skipped: 1}
		if diff := cmp.Diff(want, report); diff != "" {
			t.Errorf("report (-want +got)\n%s", diff)
		}
		if got := rec.refs(); len(got) != 2400 || got[0] != "a/s0000" || got[2399] != "a/s2399" || !slices.IsSorted(got) {
			t.Errorf("%d Services, first %v", len(got), got[:1])
		}
		if e := store.Join(rec.slices[backend.Ref{Namespace: "a", Name: "s0700"}]); e.ReadyCount() != 1 {
			t.Errorf("endpoints %+v", e)
		}
		if a := api.asked()[0].Header.Get("Accept"); !strings.HasPrefix(a, "application/vnd.kubernetes.protobuf,") {
			t.Errorf("asks for %q", a)
		}
	}
}

func TestClusterNamespaces(t *testing.T) {
	t.Attr("req", "DTS-DET-9")
	api := filled(2, "a", "b", "c")
	api.status = func(path string) int {
		switch path {
		case "/api/v1/namespaces/b/services", "/apis/discovery.k8s.io/v1/namespaces/c/endpointslices":
			return http.StatusForbidden
		}
		return 0
	}
	rec := new(recorder)
	report, err := list(t.Context(), api.start(t), rec, "c", "b", "a", "a")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"a/s0000", "a/s0001", "c/s0000", "c/s0001"}, rec.refs()); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	if len(rec.slices) != 2 || !slices.Equal(report.Unread, []string{"b"}) {
		t.Errorf("report %+v", report)
	}
	want := []string{
		`not allowed to list services in namespace "b" (403); to allow it, add a Role in "b" with {apiGroups: [""], resources: [services], verbs: [list]}`,
		`not allowed to list endpointslices in namespace "c" (403); to allow it, add a Role in "c" with {apiGroups: ["discovery.k8s.io"], resources: [endpointslices], verbs: [list]}; without EndpointSlices it is not known which Services have ready endpoints`,
	}
	if diff := cmp.Diff(want, texts(report)); diff != "" {
		t.Errorf("warnings (-want +got)\n%s", diff)
	}
	for _, r := range api.asked() {
		if !strings.Contains(r.URL.Path, "/namespaces/") {
			t.Errorf("%s spans all namespaces", r.URL)
		}
	}
}

func TestClusterErrors(t *testing.T) {
	t.Attr("req", "DTS-CLI-5")
	const forbiddenAll = `not allowed to list services in all namespaces (403); to allow it, add a ClusterRole with {apiGroups: [""], resources: [services], verbs: [list]}, or name a namespace that your user may read with -n`
	tests := []struct {
		name       string
		status     func(path string) int
		namespaces []string
		want       string // HOST stands for the server's address
	}{
		{"unauthorized", always(401), nil, "the API server at HOST does not accept the credentials (401); log in again, or check the user in the kubeconfig"},
		{"forbidden", always(403), nil, forbiddenAll},
		{"forbidden in all named", always(403), []string{"a", "b"}, `not allowed to list services in namespace "a" (403); to allow it, add a Role in "a" with {apiGroups: [""], resources: [services], verbs: [list]}`},
		{"no API server", always(404), nil, "the API server at HOST is not a Kubernetes API server (404); check the server's address in the kubeconfig"},
		{"old API server", func(path string) int {
			if strings.HasSuffix(path, "/endpointslices") {
				return 404
			}
			return 0
		}, nil, "the API server at HOST has no discovery.k8s.io/v1; Kubernetes 1.21 or newer is needed"},
		{"broken", always(500), []string{"a"}, `cannot list services in namespace "a" on the API server at HOST: made up`},
		{"bad namespace", nil, []string{"../kube-system"}, `"../kube-system" is no namespace: a DNS label is expected`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			api := filled(1, "a")
			api.status = tt.status
			config := api.start(t)
			_, err := list(t.Context(), config, new(recorder), tt.namespaces...)
			if want := strings.ReplaceAll(tt.want, "HOST", config.Host); err == nil || err.Error() != want {
				t.Errorf("got  %v\nwant %s", err, want)
			}
		})
	}
}

func always(code int) func(string) int { return func(string) int { return code } }

func TestClusterUnreachable(t *testing.T) {
	t.Attr("req", "DTS-CLI-5")
	closed, release, err := standin.Closed("127.0.0.1")
	if err != nil {
		t.Fatal(err)
	}
	defer release()
	plain := httptest.NewServer(http.NotFoundHandler())
	defer plain.Close()
	secure := httptest.NewUnstartedServer(http.NotFoundHandler())
	secure.Config.ErrorLog = log.New(io.Discard, "", 0)
	secure.StartTLS()
	defer secure.Close()
	unblock := make(chan struct{})
	silent := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-unblock }))
	defer silent.Close()
	defer close(unblock)

	for _, tt := range []struct {
		host, want string
		is         error
	}{
		{"http://" + closed, "cannot reach the API server at HOST: connection refused; is the cluster running, and the server in the kubeconfig the right one?", syscall.ECONNREFUSED},
		{strings.Replace(plain.URL, "http:", "https:", 1), "cannot reach the API server at HOST: it does not speak TLS; check the server's scheme in the kubeconfig", nil},
		{secure.URL, "cannot reach the API server at HOST: its certificate is not trusted (x509: certificate signed by unknown authority); check the certificate authority in the kubeconfig", nil},
		{silent.URL, "the API server at HOST did not answer in time while asked to list services in all namespaces; is the network path to it open?", context.DeadlineExceeded},
	} {
		ctx, cancel := t.Context(), func() {}
		if tt.host == silent.URL {
			ctx, cancel = context.WithTimeout(ctx, 50*time.Millisecond)
		}
		_, err := list(ctx, &rest.Config{Host: tt.host}, new(recorder))
		cancel()
		if want := strings.ReplaceAll(tt.want, "HOST", tt.host); err == nil || err.Error() != want || tt.is != nil && !errors.Is(err, tt.is) {
			t.Errorf("got  %v\nwant %s", err, want)
		}
	}
	cause, advice := network(&net.DNSError{Err: "no such host", Name: "k8s.example.com"})
	if got, want := cause+advice, "there is no address for the host k8s.example.com; check the server in the kubeconfig"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := list(cancelled, &rest.Config{Host: silent.URL}, new(recorder)); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}

// A resource that the cluster does not have is named once, and not for each namespace.
func TestMissingLinksResourceIsNamedOnce(t *testing.T) {
	t.Attr("req", "DTS-OUT-13")
	api := filled(1, "a", "b")
	api.status = func(path string) int {
		if strings.HasSuffix(path, "/routes") {
			return http.StatusNotFound
		}
		return 0
	}
	r, err := NewReader(api.start(t), nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Links.Kinds = links.Kinds([]string{"route"})
	report, err := r.List(t.Context(), []string{"a", "b"}, new(recorder))
	if err != nil {
		t.Fatal(err)
	}
	if len(report.Warnings) != 1 || report.Warnings[0].Code != store.WarningLinksResource {
		t.Errorf("warnings: %v", report.Warnings)
	}
}

// list lists what the namespaces hold.
func list(ctx context.Context, config *rest.Config, sink store.Sink, namespaces ...string) (store.Report, error) {
	r, err := NewReader(config, nil, nil)
	if err != nil {
		return store.Report{}, err
	}
	return r.List(ctx, namespaces, sink)
}

// recorder is a sink that keeps all it is given, in order.
type recorder struct {
	services []backend.Service
	slices   map[backend.Ref][]store.Slice
	exposed  []string
}

func (r *recorder) Service(s backend.Service) { r.services = append(r.services, s) }

func (r *recorder) Slice(service backend.Ref, s store.Slice) {
	if r.slices == nil {
		r.slices = map[backend.Ref][]store.Slice{}
	}
	r.slices[service] = append(r.slices[service], s)
}

func (r *recorder) Expose(by store.Exposer, services map[string][]backend.Exposure) {
	if len(services) > 0 {
		r.exposed = append(r.exposed, fmt.Sprint(by.Kind, " ", by.Ref, " ", services))
	}
}

func (r *recorder) refs() (names []string) {
	for _, s := range r.services {
		names = append(names, s.Ref.String())
	}
	return names
}

func texts(r store.Report) (list []string) {
	for i := range r.Warnings {
		list = append(list, view.InputWarning(&r.Warnings[i]))
	}
	return list
}
