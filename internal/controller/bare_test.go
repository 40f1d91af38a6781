package controller

import (
	"fmt"
	"testing"
	"time"

	"kubernaut.io/dynamic-toolset/internal/backend"
)

// Of tens of thousands of Services that are not read, some are told of one by one, and each of them is forgotten when it is gone.
func TestOfManyServicesThatAreNotReadSomeAreListed(t *testing.T) {
	t.Attr("req", "DTS-SEC-3")
	start(t, nil, []string{"a"}, true, Options{}, func(r *rig) {
		listed := func() (n int) {
			pass(10 * time.Second)
			for _, f := range r.Snapshot().Findings {
				if f.Reason.Code == backend.CodeNamespaceServices {
					n++
				}
			}
			return n
		}
		name := func(i int) backend.Ref { return backend.Ref{Namespace: "evil", Name: fmt.Sprintf("s%05d", i)} }
		for i := range 3 * maxBare {
			s := prometheus("")
			s.Ref, s.Bared = name(i), 1
			r.world.Service(s)
		}
		if n := listed(); n != maxBare {
			t.Errorf("%d are listed, want %d", n, maxBare)
		}
		r.expect(t, "the others", "ns/a")
		for i := range 3*maxBare - 3 {
			r.world.DeleteService(name(i))
		}
		r.world.TouchAll()
		if n := listed(); n != 2 { // the oldest is to be read
			t.Errorf("%d are listed of three", n)
		}
	})
}
