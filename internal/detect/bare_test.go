package detect

import (
	"testing"

	"kubernaut.io/dynamic-toolset/internal/backend"
)

// A Service that looked like a backend, and of which no more than the name is kept, is rejected for that.
func TestBareServicesAreRejected(t *testing.T) {
	t.Attr("req", "DTS-SEC-3")
	d := detectorWith(t, Options{})
	s := &backend.Service{Ref: backend.Ref{Namespace: "evil", Name: "x"}, Bared: 1000}
	if r := d.Detect(s, nil); r.Rejected.Code != backend.CodeNamespaceServices || r.Rejected.Code.Limit() != backend.LimitNamespace || len(r.Candidates) > 0 {
		t.Errorf("%+v", r)
	}
	if !d.Matters(s) {
		t.Error("it is nothing")
	}
}
