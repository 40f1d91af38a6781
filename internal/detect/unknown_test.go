package detect

import (
	"reflect"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"kubernaut.io/dynamic-toolset/internal/backend"
	"kubernaut.io/dynamic-toolset/internal/safetext"
	"kubernaut.io/dynamic-toolset/internal/view"
)

// TestUnknownAnnotations: the owner is told, and nothing else follows from it.
func TestUnknownAnnotations(t *testing.T) {
	t.Attr("req", "DTS-ANN-1")
	tests := map[string]string{ // by the name behind kubernaut.io/; "" says nothing
		"toolset-nmae":        "did you mean kubernaut.io/toolset-name?",
		"toolset-Port":        "did you mean kubernaut.io/toolset-port?",
		"toolset-tpye":        "did you mean kubernaut.io/toolset-type?",
		"toolset.path":        "did you mean kubernaut.io/toolset-path?",
		"toolset_scheme":      "did you mean kubernaut.io/toolset-scheme?",
		"toolsetname":         "did you mean kubernaut.io/toolset-name?",
		"toolset-healthpath":  "did you mean kubernaut.io/toolset-health-path?",
		"toolset-health":      "did you mean kubernaut.io/toolset-health-endpoint?",
		"toolset-desc":        "did you mean kubernaut.io/toolset-description?",
		"toolsets":            "did you mean kubernaut.io/toolset?",
		"toolset-":            "did you mean kubernaut.io/toolset?",
		"toolset-owner":       "expected one of kubernaut.io/toolset, kubernaut.io/toolset-type, ",
		"toolset-{{ env.X }}": "kubernaut.io/toolset-({ env.X }}: unknown",
		"toolset-name":        "",
		"toolset-link":        "",
		"toolset-lnik":        "did you mean kubernaut.io/toolset-link?",
		"tool":                "",
	}
	d := newDetector(t)
	for name, want := range tests {
		t.Run(name, func(t *testing.T) {
			for kind, s := range map[string]*backend.Service{
				"nothing":    annotated(),
				"included":   annotated("toolset", "true", "toolset-type", "custom"),
				"kept out":   annotated("toolset", "false"),
				"a bad port": annotated("toolset", "true", "toolset-type", "custom", "toolset-port", "7"),
			} {
				before := d.Detect(s, nil)
				s.Annotations["kubernaut.io/"+name] = "orders"
				got := d.Detect(s, nil)
				if said(s, got.Warning) == "" != (want == "") || !strings.Contains(said(s, got.Warning), want) {
					t.Errorf("%s: the warning is %q, want %q", kind, said(s, got.Warning), want)
				}
				if err := safetext.Check(said(s, got.Warning)); err != nil {
					t.Errorf("%s: the warning %v", kind, err)
				}
				if want == "" {
					continue
				}
				if !strings.HasPrefix(said(s, got.Warning), "annotation kubernaut.io/toolset") || !strings.HasSuffix(view.Complaint(s, got.Complaints()), said(s, got.Warning)) {
					t.Errorf("%s: the warning is %q, the owner is told %q", kind, said(s, got.Warning), view.Complaint(s, got.Complaints()))
				}
				if !d.Matters(s) {
					t.Errorf("%s: it would be dropped, and nobody told", kind)
				}
				if got.Warning = (backend.Reason{}); !reflect.DeepEqual(before, got) {
					t.Errorf("%s: it changes the result:\n%s", kind, cmp.Diff(said(s, before.Rejected), said(s, got.Rejected)))
				}
			}
		})
	}
}

// Of several the first by name is told, and beside a bad value of another annotation both are.
func TestComplaint(t *testing.T) {
	t.Attr("req", "DTS-ANN-1")
	s := annotated("toolset", "true", "toolset-tpye", "prometheus", "toolset-prot", "http")
	r := newDetector(t).Detect(s, nil)
	want := "annotation kubernaut.io/toolset-type: missing, and kubernaut.io/toolset requires it: expected the backend's type, for example prometheus, or custom; " +
		"annotation kubernaut.io/toolset-prot: unknown, so it has no effect; did you mean kubernaut.io/toolset-port?"
	if diff := cmp.Diff(want, view.Complaint(s, r.Complaints())); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
