package publish

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	applycorev1 "k8s.io/client-go/applyconfigurations/core/v1"

	"kubernaut.io/dynamic-toolset/internal/toolset"
)

// restorerInfix stands between the field manager and what makes a restorer's name its own.
const restorerInfix = "-restore-"

// get reads past every cache; nil if there is none.
func (p *Publisher) get(ctx context.Context) (*corev1.ConfigMap, error) {
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	cm, err := p.client.Get(ctx, p.options.Name, metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		return nil, nil
	}
	if err != nil {
		return nil, p.explain(OpRead, err)
	}
	return cm, nil
}

// restore makes the ConfigMap with all that belongs in it in one write, since who mounts it must not see it without its
// document; or it adds the overrides to one that is there. Without force and under a name that owns nothing yet, it cannot
// change a value that somebody else has written.
func (p *Publisher) restore(ctx context.Context, live *corev1.ConfigMap, want Desired) (*corev1.ConfigMap, error) {
	cm := applycorev1.ConfigMap(p.options.Name, p.options.Namespace)
	if live == nil {
		cm.WithLabels(p.options.Labels).WithData(want.Keys)
	} else {
		fence(cm, live)
	}
	if want.Restore != "" {
		cm.WithData(map[string]string{toolset.KeyOverrides: want.Restore})
	}
	return p.send(ctx, OpRestore, cm, metav1.ApplyOptions{
		FieldManager: p.options.FieldManager + restorerInfix + strings.ToLower(rand.Text()[:10]),
	})
}

// apply takes the generated keys and labels by force.
func (p *Publisher) apply(ctx context.Context, live *corev1.ConfigMap, want Desired) (*corev1.ConfigMap, error) {
	cm := applycorev1.ConfigMap(p.options.Name, p.options.Namespace)
	fence(cm, live)
	p.keepForeign(cm, live)
	cm.WithLabels(heldAt(p.options.Labels, live.Labels, want.Hold, labelKey))
	cm.WithData(heldAt(want.Keys, live.Data, want.Hold, plainKey))
	return p.send(ctx, OpApply, cm, metav1.ApplyOptions{FieldManager: p.options.FieldManager, Force: true})
}

// heldAt is want with the values of held names as they are in live.
func heldAt(want, live map[string]string, hold []string, name func(string) string) map[string]string {
	out := make(map[string]string, len(want))
	for k, v := range want {
		if slices.Contains(hold, name(k)) {
			old, ok := live[k]
			if !ok {
				continue
			}
			v = old
		}
		out[k] = v
	}
	return out
}

// keepForeign adds what is not ours and yet was applied under our name, as by an admin who wanted to avoid a conflict: an
// apply removes what its field manager applied before and no longer does.
func (p *Publisher) keepForeign(cm *applycorev1.ConfigMapApplyConfiguration, live *corev1.ConfigMap) {
	owners := p.owners(live)
	for k, v := range live.Data {
		if !toolset.OwnedKey(k) && owners.applied(inData, k) {
			cm.WithData(map[string]string{k: v})
		}
	}
	for k, v := range live.BinaryData {
		if !toolset.OwnedKey(k) && owners.applied(inBinaryData, k) {
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

// move takes generated keys back out of binaryData. The API server allows a key in one place only, and an apply cannot take
// away what others own; in one patch the key is never missing.
func (p *Publisher) move(ctx context.Context, live *corev1.ConfigMap, want Desired, keys []string) (*corev1.ConfigMap, error) {
	data, binary := map[string]any{}, map[string]any{}
	for _, k := range keys {
		data[k], binary[k] = want.Keys[k], nil
	}
	return p.patch(ctx, OpApply, live, map[string]any{"data": data, "binaryData": binary})
}

// prune removes reserved keys whoever owns them.
func (p *Publisher) prune(ctx context.Context, live *corev1.ConfigMap, keys []string) (*corev1.ConfigMap, error) {
	body := map[string]any{}
	data, binary := map[string]any{}, map[string]any{}
	for _, k := range keys {
		if _, ok := live.Data[k]; ok {
			data[k] = nil
			body["data"] = data
		}
		if _, ok := live.BinaryData[k]; ok {
			binary[k] = nil
			body["binaryData"] = binary
		}
	}
	return p.patch(ctx, OpPrune, live, body)
}

// disown removes the restorers' entries from the managedFields. What they alone owned then belongs to nobody.
func (p *Publisher) disown(ctx context.Context, live *corev1.ConfigMap) (*corev1.ConfigMap, error) {
	rest := slices.DeleteFunc(slices.Clone(live.ManagedFields), func(e metav1.ManagedFieldsEntry) bool {
		return p.isRestorer(e.Manager)
	})
	return p.patch(ctx, OpRestore, live, map[string]any{"metadata": map[string]any{"managedFields": rest}})
}

// fence makes the API server refuse the apply if the ConfigMap is no longer the one it was computed from. The
// resourceVersion alone is ignored where there is no ConfigMap.
func fence(cm *applycorev1.ConfigMapApplyConfiguration, live *corev1.ConfigMap) {
	cm.WithUID(live.UID).WithResourceVersion(live.ResourceVersion)
}

func (p *Publisher) send(ctx context.Context, op Op, cm *applycorev1.ConfigMapApplyConfiguration, opts metav1.ApplyOptions) (*corev1.ConfigMap, error) {
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	out, err := p.client.Apply(ctx, cm, opts)
	if err != nil {
		return nil, p.explain(op, err)
	}
	return out, nil
}

// patch sends a merge patch that is fenced as an apply is.
func (p *Publisher) patch(ctx context.Context, op Op, live *corev1.ConfigMap, body map[string]any) (*corev1.ConfigMap, error) {
	meta, ok := body["metadata"].(map[string]any)
	if !ok {
		meta = map[string]any{}
		body["metadata"] = meta
	}
	meta["resourceVersion"] = live.ResourceVersion
	data, err := json.Marshal(body)
	if err != nil {
		return nil, p.fail(op, err)
	}
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	out, err := p.client.Patch(ctx, p.options.Name, types.MergePatchType, data, metav1.PatchOptions{FieldManager: p.options.FieldManager})
	if err != nil {
		return nil, p.explain(op, err)
	}
	return out, nil
}
