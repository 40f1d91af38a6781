package files

import (
	"context"
	"errors"
	"io"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"k8s.io/apimachinery/pkg/util/intstr"

	"kubernaut.io/dynamic-toolset/internal/backend"
	"kubernaut.io/dynamic-toolset/internal/store"
	"kubernaut.io/dynamic-toolset/internal/view"
)

// recorder is a Sink that keeps everything, in order.
type recorder struct {
	services []backend.Service
	slices   map[backend.Ref][]store.Slice
}

func (r *recorder) Service(s backend.Service) { r.services = append(r.services, s) }

func (r *recorder) Expose(store.Exposer, map[string][]backend.Exposure) {}

func (r *recorder) Slice(service backend.Ref, s store.Slice) {
	if r.slices == nil {
		r.slices = map[backend.Ref][]store.Slice{}
	}
	r.slices[service] = append(r.slices[service], s)
}

func (r *recorder) refs() (out []string) {
	for _, s := range r.services {
		out = append(out, s.Ref.String())
	}
	return out
}

// readText reads text as standard input.
func readText(t *testing.T, text string) (*recorder, store.Report, error) {
	t.Helper()
	rec := new(recorder)
	report, err := Read(t.Context(), []string{Stdin}, strings.NewReader(text), rec, ReadOptions{})
	return rec, report, err
}

func texts(r store.Report) (out []string) {
	for i := range r.Warnings {
		out = append(out, view.InputWarning(&r.Warnings[i]))
	}
	return out
}

func TestFilesKubectlList(t *testing.T) {
	t.Attr("req", "DTS-CLI-1")
	rec := new(recorder)
	keep := func(key string) bool { return key == "prometheus.io/scrape" }
	report, err := Read(t.Context(), []string{"testdata/kubectl.json"}, nil, rec, ReadOptions{KeepAnnotation: keep})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(store.Report{Services: 2}, report); diff != "" {
		t.Errorf("report (-want +got)\n%s", diff)
	}
	grafana := backend.Ref{Namespace: "monitoring", Name: "kps-grafana"}
	operated := backend.Ref{Namespace: "monitoring", Name: "prometheus-operated"}
	wantServices := []backend.Service{{
		Ref: grafana, UID: "5a1a4c55-4d2c-4b0f-9a3c-0b5d7c6f3a11",
		Created: time.Date(2025, 3, 1, 10, 0, 0, 0, time.UTC), Type: "ClusterIP", ClusterIP: "10.96.14.201",
		Labels: map[string]string{"app.kubernetes.io/instance": "kps", "app.kubernetes.io/name": "grafana",
			"helm.sh/chart": "grafana-8.10.1"},
		Annotations: map[string]string{"kubernaut.io/toolset": "true", "prometheus.io/scrape": "true"},
		Selector:    map[string]string{"app.kubernetes.io/instance": "kps", "app.kubernetes.io/name": "grafana"},
		Ports: []backend.Port{{Name: "http-web", Number: 80, Protocol: "TCP", Target: intstr.FromString("grafana"),
			AppProtocol: "http"}},
	}, {
		Ref: operated, UID: "0a3f6c2e-5b0e-4b63-8d35-6f3a0f2f7c11",
		Created: time.Date(2025, 3, 1, 10, 0, 1, 0, time.UTC), Type: "ClusterIP", ClusterIP: "None",
		Selector: map[string]string{"app.kubernetes.io/name": "prometheus"},
		Ports:    []backend.Port{{Name: "http-web", Number: 9090, Protocol: "TCP", Target: intstr.FromInt32(9090)}},
	}}
	if diff := cmp.Diff(wantServices, rec.services); diff != "" {
		t.Errorf("services (-want +got)\n%s", diff)
	}
	wantSlices := map[backend.Ref][]store.Slice{
		grafana: {{Name: "kps-grafana-7kq2p", EndpointSlice: backend.EndpointSlice{
			Ports:    []backend.EndpointPort{{Name: "http-web", Number: 3000, Protocol: "TCP"}},
			Ready:    []netip.Addr{netip.MustParseAddr("10.244.1.17")},
			NotReady: []netip.Addr{netip.MustParseAddr("10.244.2.4")},
		}}},
		operated: {{Name: "prometheus-operated-fqdn", FQDN: true}},
	}
	if diff := cmp.Diff(wantSlices, rec.slices, cmpopts.EquateComparable(netip.Addr{})); diff != "" {
		t.Errorf("slices (-want +got)\n%s", diff)
	}
}

func TestFilesHelmTemplate(t *testing.T) {
	t.Attr("req", "DTS-CLI-1")
	rec := new(recorder)
	report, err := Read(t.Context(), []string{"testdata/helm.yaml"}, nil, rec, ReadOptions{Namespace: "obs"})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(store.Report{Services: 2, Skipped: 4}, report); diff != "" {
		t.Errorf("report (-want +got)\n%s", diff)
	}
	want := []backend.Service{{
		Ref: backend.Ref{Namespace: "obs", Name: "release-prometheus-server"}, Type: "ClusterIP",
		Labels: map[string]string{"app.kubernetes.io/component": "server", "app.kubernetes.io/name": "prometheus",
			"app.kubernetes.io/version": "v3.2.1", "helm.sh/chart": "prometheus-27.5.1"},
		Selector: map[string]string{"app.kubernetes.io/component": "server", "app.kubernetes.io/name": "prometheus"},
		Ports: []backend.Port{
			{Name: "http", Number: 80, Protocol: "TCP", Target: intstr.FromInt32(9090)},
			{Name: "dns", Number: 53, Protocol: "UDP", Target: intstr.FromInt32(53)},
		},
	}, {
		Ref: backend.Ref{Namespace: "data", Name: "elsewhere"}, Type: "ExternalName", ExternalName: "db.example.com",
	}}
	if diff := cmp.Diff(want, rec.services); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

func TestFilesYAMLList(t *testing.T) {
	t.Attr("req", "DTS-CLI-1")
	f, err := os.Open("testdata/list.yaml")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	rec := new(recorder)
	// One byte at a time, as a slow pipe may give them.
	report, err := Read(t.Context(), []string{Stdin}, oneByte{f}, rec, ReadOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(store.Report{Services: 1}, report); diff != "" {
		t.Errorf("report (-want +got)\n%s", diff)
	}
	e := store.Join(rec.slices[backend.Ref{Namespace: "tracing", Name: "jaeger-query"}])
	if e.ReadyCount() != 1 || e.PodPort("http-query") != 16686 {
		t.Errorf("endpoints %+v", e)
	}
}

// oneByte gives one byte at a time.
type oneByte struct{ io.Reader }

func (r oneByte) Read(p []byte) (int, error) { return r.Reader.Read(p[:min(len(p), 1)]) }

// svc is a Service as JSON.
func svc(namespace, name string) string {
	return `{"apiVersion":"v1","kind":"Service","metadata":{"name":"` + name + `","namespace":"` + namespace + `"},"spec":{"ports":[{"port":80}]}}`
}

func TestFilesForms(t *testing.T) {
	t.Attr("req", "DTS-CLI-1")
	tests := []struct {
		name, in string
		want     []string
	}{
		{"one object", svc("x", "a"), []string{"x/a"}},
		{"NDJSON", svc("x", "a") + "\n" + svc("x", "b") + "\n", []string{"x/a", "x/b"}},
		{"concatenated", svc("x", "a") + svc("x", "b"), []string{"x/a", "x/b"}},
		{"Lists behind each other", `{"kind":"List","items":[` + svc("x", "a") + `]}{"items":[` + svc("x", "b") + `],"kind":"List"}`, []string{"x/a", "x/b"}},
		{"ServiceList from the API", `{"kind":"ServiceList","apiVersion":"v1","metadata":{},"items":[{"metadata":{"name":"a","namespace":"x"}}]}`, []string{"x/a"}},
		{"kind last", `{"metadata":{"name":"a"},"spec":{"ports":[{"port":80}]},"kind":"Service","apiVersion":"v1"}`, []string{"default/a"}},
		{"byte order mark", "\uFEFF" + svc("x", "a"), []string{"x/a"}},
		{"white space first", "\n\n   \t" + svc("x", "a"), []string{"x/a"}},
		{"JSON as YAML documents", "---\n" + svc("x", "a") + "\n---\n" + svc("x", "b"), []string{"x/a", "x/b"}},
		{"YAML flow mapping", "{apiVersion: v1, kind: Service, metadata: {name: a}}", []string{"default/a"}},
		{"carriage returns", "---\r\nkind: Service\r\napiVersion: v1\r\nmetadata:\r\n  name: a\r\n---\r\nkind: Service\r\nmetadata:\r\n  name: b\r\n", []string{"default/a", "default/b"}},
		{"document end and directive", "%YAML 1.2\n---\nkind: Service\nmetadata: {name: a}\n...\n---\nkind: Service\nmetadata: {name: b}\n", []string{"default/a", "default/b"}},
		{"content behind the marker", "--- {kind: Service, metadata: {name: a}}\n--- # b\nkind: Service\nmetadata: {name: b}", []string{"default/a", "default/b"}},
		{"ServiceList as YAML", "kind: ServiceList\napiVersion: v1\nitems:\n- metadata: {name: a}\n", []string{"default/a"}},
		{"empty List", `{"apiVersion":"v1","items":[],"kind":"List"}`, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			rec, report, err := readText(t, tt.in)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, rec.refs()); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
			if report.Refused > 0 {
				t.Errorf("refused: %v", texts(report))
			}
		})
	}
}

func TestFilesSeveral(t *testing.T) {
	t.Attr("req", "DTS-CLI-1")
	dir := t.TempDir()
	a, b := filepath.Join(dir, "a.json"), filepath.Join(dir, "b.yaml")
	write(t, a, svc("x", "web")+svc("x", "other"))
	write(t, b, "kind: Service\nmetadata: {name: web, namespace: x, labels: {v: two}}\n---\nkind: Pod\nmetadata: {name: p}\n")
	rec := new(recorder)
	report, err := Read(t.Context(), []string{a, Stdin, b}, strings.NewReader(svc("y", "in")), rec, ReadOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"x/web", "x/other", "y/in", "x/web"}, rec.refs()); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	if report.Services != 3 {
		t.Errorf("%d Services, want 3", report.Services)
	}
	want := []string{b + ": document 1 (line 1): Service x/web: this Service is in the input more than once; the last one counts, as with kubectl apply"}
	if diff := cmp.Diff(want, texts(report)); diff != "" {
		t.Errorf("warnings (-want +got)\n%s", diff)
	}
	if code := report.Warnings[0].Code; code != store.WarningGivenTwice {
		t.Errorf("code %s", code)
	}
}

func TestFilesCancelled(t *testing.T) {
	t.Attr("req", "DTS-CLI-5")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for _, in := range []string{svc("x", "a"), `{"items":[` + svc("x", "a") + `]}`, "kind: Service\n"} {
		if _, err := Read(ctx, []string{Stdin}, strings.NewReader(in), new(recorder), ReadOptions{}); !errors.Is(err, context.Canceled) {
			t.Errorf("%v, want %v", err, context.Canceled)
		}
	}
}
