package inventory_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
	"k8s.io/apimachinery/pkg/util/intstr"

	"kubernaut.io/dynamic-toolset/internal/backend"
	"kubernaut.io/dynamic-toolset/internal/catalog"
	"kubernaut.io/dynamic-toolset/internal/detect"
	"kubernaut.io/dynamic-toolset/internal/inventory"
	"kubernaut.io/dynamic-toolset/internal/view"
)

// installation is one case of testdata: Services that are in one cluster together, and what should become of each.
type installation struct {
	Name     string        `yaml:"name"`
	Services []serviceCase `yaml:"services"`
}

type serviceCase struct {
	Service     string            `yaml:"service"` // namespace/name
	Type        string            `yaml:"type"`    // the Service's
	Labels      map[string]string `yaml:"labels"`
	Annotations map[string]string `yaml:"annotations"`
	Selector    map[string]string `yaml:"selector"`
	Headless    bool              `yaml:"headless"`
	// Ports as people write them: name:number->target/protocol~appProtocol, all but the number optional.
	Ports []string `yaml:"ports"`
	// Slice ports, name:number; given, there is a ready endpoint.
	Slice []string `yaml:"slice"`
	// Want: "VERDICT [TYPE [PORT [SCHEME [PATH]]]]", several separated by "; ", "nothing" where nothing looked like one.
	Want string `yaml:"want"`
	// Because must be in the reason.
	Because string `yaml:"because"`
}

// TestSignatures runs every hand-written case: what the backends look like in real clusters, and what only looks like them.
func TestSignatures(t *testing.T) {
	t.Attr("req", "DTS-DET-2 DTS-DET-3 DTS-DET-4 DTS-DET-5 DTS-DET-6 DTS-DET-7 DTS-DET-11")
	c := builtin(t)
	d, err := detect.New(c, detect.Options{})
	if err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob("testdata/signatures/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatalf("no cases in testdata/signatures: %v", err)
	}
	for _, file := range files {
		for _, in := range readCases(t, file) {
			t.Run(strings.TrimSuffix(filepath.Base(file), ".yaml")+"/"+in.Name, func(t *testing.T) {
				checkInstallation(t, d, c, in)
			})
		}
	}
}

func readCases(t *testing.T, file string) (list []installation) {
	t.Helper()
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	dec := yaml.NewDecoder(f)
	dec.KnownFields(true)
	if err := dec.Decode(&list); err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	return list
}

func checkInstallation(t *testing.T, d *detect.Detector, c *catalog.Catalog, in installation) {
	var detections []inventory.Detection
	for _, sc := range in.Services {
		s, eps := sc.build(t)
		detections = append(detections, inventory.Detection{Service: s, Result: d.Detect(s, eps)})
	}
	detections, _ = inventory.PerTenant(detections, nil)
	got := map[string][]*backend.Finding{}
	for _, f := range inventory.Build(detections, nil, inventory.Options{Type: c.Lookup}) {
		got[f.Ref.String()] = append(got[f.Ref.String()], f)
	}
	for _, sc := range in.Services {
		var have, reasons []string
		for _, f := range got[sc.Service] {
			have = append(have, describe(f, strings.Fields(strings.Split(sc.Want, ";")[0])))
			reasons = append(reasons, view.Reason(f))
		}
		text, reason := strings.Join(have, "; "), strings.Join(reasons, "; ")
		if text != sc.Want {
			t.Errorf("%s: got %q, want %q\n\treason: %s", sc.Service, text, sc.Want, reason)
		}
		if !strings.Contains(reason, sc.Because) {
			t.Errorf("%s: the reason %q does not contain %q", sc.Service, reason, sc.Because)
		}
	}
}

// describe tells a finding in as many words as were asked for.
func describe(f *backend.Finding, asked []string) string {
	if f.Verdict == backend.Rejected && f.Type == "" && view.Reason(f) == "nothing about it looks like a known backend" {
		return "nothing"
	}
	words := []string{string(f.Verdict), f.Type}
	if c := f.Candidate; c != nil {
		words = append(words, strconv.Itoa(int(c.PortNumber)), c.Scheme, c.Path)
	}
	return strings.TrimSpace(strings.Join(words[:min(len(words), max(1, len(asked)))], " "))
}

func (sc *serviceCase) build(t *testing.T) (*backend.Service, *backend.Endpoints) {
	t.Helper()
	ns, name, ok := strings.Cut(sc.Service, "/")
	if !ok {
		t.Fatalf("service %q: want namespace/name", sc.Service)
	}
	s := &backend.Service{
		Ref: backend.Ref{Namespace: ns, Name: name}, Type: sc.Type, ClusterIP: "10.0.0.1",
		Labels: sc.Labels, Annotations: sc.Annotations, Selector: sc.Selector,
	}
	if sc.Headless {
		s.ClusterIP = "None"
	}
	for _, p := range sc.Ports {
		s.Ports = append(s.Ports, parsePort(t, p))
	}
	if sc.Slice == nil {
		return s, nil
	}
	var slice backend.EndpointSlice
	for _, p := range sc.Slice {
		port := parsePort(t, p)
		slice.Ports = append(slice.Ports, backend.EndpointPort{Name: port.Name, Number: port.Number, Protocol: "TCP"})
	}
	return s, &backend.Endpoints{Slices: []backend.EndpointSlice{slice}}
}

func parsePort(t *testing.T, text string) backend.Port {
	t.Helper()
	p := backend.Port{Protocol: "TCP"}
	rest, app, _ := strings.Cut(text, "~")
	p.AppProtocol = app
	if r, proto, ok := strings.Cut(rest, "/"); ok {
		rest, p.Protocol = r, proto
	}
	rest, target, hasTarget := strings.Cut(rest, "->")
	if name, number, ok := strings.Cut(rest, ":"); ok {
		p.Name, rest = name, number
	}
	if _, err := fmt.Sscanf(rest, "%d", &p.Number); err != nil {
		t.Fatalf("port %q: %v", text, err)
	}
	p.Target = intstr.FromInt32(p.Number)
	if hasTarget {
		p.Target = intstr.Parse(target)
	}
	return p
}
