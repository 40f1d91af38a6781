package publish

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	applycorev1 "k8s.io/client-go/applyconfigurations/core/v1"

	"kubernaut.io/dynamic-toolset/internal/toolset"
)

// restorer is the begin of the field managers that create a deleted ConfigMap. A random part follows.
const restorer = FieldManager + "-restore-"

// get reads the ConfigMap without the cache. It returns nil if there is none.
func (p *Publisher) get(ctx context.Context) (*corev1.ConfigMap, error) {
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	cm, err := p.client.Get(ctx, p.options.Name, metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		p.seen = time.Time{} // while the cache shows one, each call reads it again
		return nil, nil
	}
	if err != nil {
		return nil, p.explain(OpRead, err)
	}
	return cm, nil
}

// request is one write, and what it changes.
type request struct {
	op      Op
	apply   *applycorev1.ConfigMapApplyConfiguration
	options metav1.ApplyOptions
	patch   map[string]any // a merge patch instead of apply

	changed, removed  []string // as in Result
	created, restored bool
}

// step returns the request for one kind of difference, nil if there is no such difference.
type step func(live *corev1.ConfigMap, want Desired, d *Difference) *request

// send sends a write. No other function writes.
func (p *Publisher) send(ctx context.Context, r *request) (cm *corev1.ConfigMap, err error) {
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	if r.apply != nil {
		cm, err = p.client.Apply(ctx, r.apply, r.options)
	} else {
		data, wrong := json.Marshal(r.patch)
		if wrong != nil {
			return nil, p.fail(r.op, wrong)
		}
		options := metav1.PatchOptions{FieldManager: FieldManager}
		cm, err = p.client.Patch(ctx, p.options.Name, types.MergePatchType, data, options)
	}
	if err != nil {
		return nil, p.explain(r.op, err)
	}
	return cm, nil
}

// restore creates the ConfigMap, or adds the overrides to an existing one. It creates it in one write, because pods
// that mount the ConfigMap must not see it without its document. It uses no force and a field manager that owns nothing
// yet, so that it cannot change a value of another writer.
func (p *Publisher) restore(live *corev1.ConfigMap, want Desired, d *Difference) *request {
	if !d.absent && !d.restore {
		return nil
	}
	r := &request{op: OpRestore, created: d.absent, restored: d.restore}
	r.options.FieldManager = restorer + strings.ToLower(rand.Text()[:10])
	r.apply = applycorev1.ConfigMap(p.options.Name, p.options.Namespace)
	if live == nil {
		r.apply.WithLabels(p.options.Labels).WithData(want.Keys)
		r.changed = d.Changed
	} else {
		fence(r.apply, live)
	}
	if want.Restore != "" {
		r.apply.WithData(map[string]string{toolset.KeyOverrides: want.Restore})
	}
	return r
}

// move moves generated keys from binaryData to data. The API server allows a key in one of them only, and an apply
// cannot remove a key that others own. Because it is one patch, the key is never missing.
func (p *Publisher) move(live *corev1.ConfigMap, want Desired, d *Difference) *request {
	if len(d.binary) == 0 {
		return nil
	}
	data, binary := map[string]any{}, map[string]any{}
	for _, k := range d.binary {
		data[k], binary[k] = want.Keys[k], nil
	}
	body := map[string]any{"data": data, "binaryData": binary}
	return &request{op: OpApply, patch: fenced(live, body), changed: d.binary}
}

// apply applies the generated keys and labels with force.
func (p *Publisher) apply(live *corev1.ConfigMap, want Desired, d *Difference) *request {
	if len(d.Changed) == 0 && (!d.leftovers || d.owner) {
		return nil
	}
	cm := applycorev1.ConfigMap(p.options.Name, p.options.Namespace)
	fence(cm, live)
	keepForeign(cm, live, &want)
	cm.WithLabels(heldAt(p.options.Labels, live.Labels, want.Hold, labelPrefix))
	cm.WithData(heldAt(want.Keys, live.Data, want.Hold, ""))
	options := metav1.ApplyOptions{FieldManager: FieldManager, Force: true}
	return &request{op: OpApply, apply: cm, options: options, changed: d.Changed}
}

// prune removes the reserved keys that are no longer generated, also those of other owners.
func (p *Publisher) prune(live *corev1.ConfigMap, _ Desired, d *Difference) *request {
	if len(d.Stale) == 0 {
		return nil
	}
	gone := map[string]any{} // a key is in one of them
	for _, k := range d.Stale {
		gone[k] = nil
	}
	body := map[string]any{"data": gone, "binaryData": gone}
	return &request{op: OpPrune, patch: fenced(live, body), removed: d.Stale}
}

// disown removes the restorers' entries from managedFields. The fields that only they owned then have no owner.
func (p *Publisher) disown(live *corev1.ConfigMap, _ Desired, d *Difference) *request {
	if !d.leftovers {
		return nil
	}
	rest := slices.DeleteFunc(slices.Clone(live.ManagedFields), func(e metav1.ManagedFieldsEntry) bool {
		return isRestorer(e.Manager)
	})
	meta := map[string]any{"managedFields": rest, "resourceVersion": live.ResourceVersion}
	return &request{op: OpRestore, patch: map[string]any{"metadata": meta}}
}

// fence makes the API server refuse the apply if the ConfigMap has changed since the apply was computed. The uid is
// needed because the API server ignores the resourceVersion if there is no ConfigMap.
func fence(cm *applycorev1.ConfigMapApplyConfiguration, live *corev1.ConfigMap) {
	cm.WithUID(live.UID).WithResourceVersion(live.ResourceVersion)
}

// fenced adds the resourceVersion to a merge patch, so that the API server refuses it like a fenced apply.
func fenced(live *corev1.ConfigMap, body map[string]any) map[string]any {
	body["metadata"] = map[string]any{"resourceVersion": live.ResourceVersion}
	return body
}

// heldAt returns want, with the values of live for the held names.
func heldAt(want, live map[string]string, hold []string, prefix string) map[string]string {
	out := maps.Clone(want)
	for k := range want {
		if !slices.Contains(hold, prefix+k) {
			continue
		}
		delete(out, k)
		if old, ok := live[k]; ok {
			out[k] = old
		}
	}
	return out
}

// keepForeign adds the fields that others applied under our field manager, as an admin may do to avoid a conflict.
// Without them the apply would remove these fields, because its field manager owns them.
func keepForeign(cm *applycorev1.ConfigMapApplyConfiguration, live *corev1.ConfigMap, want *Desired) {
	owners := ownersOf(live)
	for k, v := range live.Data {
		if !want.owns(k) && owners.applied(inData, k) {
			cm.WithData(map[string]string{k: v})
		}
	}
	for k, v := range live.BinaryData {
		if !want.owns(k) && owners.applied(inBinaryData, k) {
			cm.WithBinaryData(map[string][]byte{k: v})
		}
	}
	for k, v := range live.Labels {
		if owners.applied(inLabels, k) {
			cm.WithLabels(map[string]string{k: v})
		}
	}
	for k, v := range live.Annotations {
		if owners.applied(inAnnotations, k) {
			cm.WithAnnotations(map[string]string{k: v})
		}
	}
}
