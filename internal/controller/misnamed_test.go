package controller

import (
	"testing"
	"time"

	"kubernaut.io/dynamic-toolset/internal/backend"
	"kubernaut.io/dynamic-toolset/internal/inventory"
)

// What the configuration names is looked for among the Services that are there, once every backend was asked.
func TestMisnamedPrimaryIsFound(t *testing.T) {
	t.Attr("req", "DTS-OUT-4")
	o := Options{Inventory: inventory.Options{Primary: map[string]backend.Ref{"prometheus": {Namespace: "ns", Name: "late"}}}}
	start(t, nil, []string{"a"}, true, o, func(r *rig) {
		if s := r.Snapshot(); len(s.Misnamed) != 1 || s.Misnamed[0].Name != "late" {
			t.Errorf("%v", s.Misnamed)
		}
		r.add("late")
		pass(time.Second)
		if s := r.Snapshot(); len(s.Misnamed) != 0 {
			t.Errorf("it is there: %v", s.Misnamed)
		}
	})
	start(t, nil, []string{"a", "forbidden: ns"}, true, o, func(r *rig) {
		if s := r.Snapshot(); len(s.Misnamed) != 0 {
			t.Errorf("its namespace may not be watched, so that nobody knows: %v", s.Misnamed)
		}
	})
}
