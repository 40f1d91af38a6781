package controller

import (
	"maps"
	"testing"
	"time"

	"kubernaut.io/dynamic-toolset/internal/toolset"
)

// What the admin wrote right before the ConfigMap was deleted comes back too, though nobody has seen it living.
func TestDeletedRightAfterEdit(t *testing.T) {
	t.Attr("req", "DTS-OUT-8")
	start(t, map[string]string{toolset.KeyOverrides: "toolsets: {helm/core: {enabled: true}}"}, nil, true, Options{}, func(r *rig) {
		r.expect(t, "at first", "helm/core")
		for _, edit := range []string{"toolsets: {docker/core: {enabled: true}}", "", "toolsets: {argocd/core: {enabled: true}}"} {
			o := r.output
			o.mu.Lock()
			last := maps.Clone(o.data)
			delete(last, toolset.KeyOverrides)
			if edit != "" {
				last[toolset.KeyOverrides] = edit
			}
			o.version++
			o.gone, o.data = o.object(last), nil
			o.mu.Unlock()
			o.moved <- struct{}{}
			pass(time.Second)
			if got := o.Live().Data[toolset.KeyOverrides]; got != edit {
				t.Errorf("the overrides are %q, want %q", got, edit)
			}
		}
		r.expect(t, "at the end", "-docker/core", "argocd/core")
	})
}
