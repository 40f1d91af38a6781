package files

import (
	"bytes"
	"os"
	"strings"
	"testing"

	"kubernaut.io/dynamic-toolset/internal/backend"
	"kubernaut.io/dynamic-toolset/internal/store"
)

// nameSink checks what no Service may get through with.
type nameSink struct{ t *testing.T }

func (s nameSink) check(ref backend.Ref) {
	if !isLabelName(ref.Name) || !isLabelName(ref.Namespace) {
		s.t.Errorf("the name %q got through", ref)
	}
}

func (s nameSink) Service(svc backend.Service) {
	s.check(svc.Ref)
	for _, p := range svc.Ports {
		if p.Number < 1 || p.Number > 65535 || p.Protocol == "" || p.Target.String() == "" || p.Target.String() == "0" {
			s.t.Errorf("%s has the port %+v", svc.Ref, p)
		}
	}
	for k, v := range svc.Labels {
		if strings.ContainsAny(k+v, "\n\x1b{}") {
			s.t.Errorf("%s has the label %q: %q", svc.Ref, k, v)
		}
	}
}

func (s nameSink) Expose(store.Exposer, map[string][]backend.Exposure) {}

func (s nameSink) Slice(ref backend.Ref, slice store.Slice) {
	s.check(ref)
	for _, a := range append(slice.Ready, slice.NotReady...) {
		if !a.IsValid() || a.Zone() != "" || a.Is4In6() {
			s.t.Errorf("%s has the address %v", ref, a)
		}
	}
}

// FuzzFiles: whatever is piped in, nothing panics, no bad name gets through, and every message is one printable line.
func FuzzFiles(f *testing.F) {
	f.Attr("req", "DTS-SEC-3")
	for _, name := range []string{"kubectl.json", "helm.yaml", "list.yaml"} {
		b, err := os.ReadFile("testdata/" + name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	for _, s := range []string{
		"", "{", "[", "null", "---", "...\n", "%YAML\n---", "\xff\xfe", "\xef\xbb\xbf{}", `{"items":`, `{"items":[null,{}`, "--- |\n x",
		`{"kind":"List","items":[{"kind":"Service","metadata":{"name":"a","namespace":"b"},"spec":{"ports":[{"port":1,"targetPort":"x"}]}}]}`,
		"a: &a [*a]", "{? a : b}", "!!binary x", "kind: !!str Service", "a: {<<: [{b: 1}]}", "0x1: 1", "? [a]\n: b", ".inf: .nan",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		report, err := Read(t.Context(), []string{Stdin}, bytes.NewReader(in), nameSink{t}, ReadOptions{})
		lines := texts(report)
		if err != nil {
			lines = append(lines, err.Error())
		}
		for _, l := range lines {
			if strings.ContainsFunc(l, func(r rune) bool { return r < ' ' || r == 0x7f }) {
				t.Errorf("a message of more than one plain line: %q", l)
			}
		}
	})
}
