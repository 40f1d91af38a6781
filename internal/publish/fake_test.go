package publish

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	applycorev1 "k8s.io/client-go/applyconfigurations/core/v1"

	"kubernaut.io/dynamic-toolset/internal/toolset"
)

var (
	testLabels  = map[string]string{"app.kubernetes.io/name": "dynamic-toolset", "app.kubernetes.io/managed-by": "dynamic-toolset"}
	testOptions = Options{
		Namespace: "kubernaut-system", Name: "kubernaut-toolset-config", Labels: testLabels,
		Reason: func(error) string { return "" },
	}
)

const (
	keyProm    = "prometheus-toolset.yaml"
	keyGrafana = "grafana-toolset.yaml"
)

func testKeys() map[string]string {
	return map[string]string{toolset.KeyHolmesGPT: "toolsets: {}\n", keyProm: "toolset: prometheus\n", toolset.KeyState: "{}\n"}
}

// always builds the same, whatever is there.
func always(d Desired) Build { return func(*corev1.ConfigMap) (Desired, error) { return d, nil } }

// answers is a Client that gives prepared answers, and answers with an error where there is none left.
type answers struct {
	t     *testing.T
	calls []string
	queue []answer
}

type answer struct {
	cm  *corev1.ConfigMap
	err error
}

var errNoAnswer = errors.New("the test expects no further request")

func (a *answers) next(call string) (*corev1.ConfigMap, error) {
	a.calls = append(a.calls, call)
	if len(a.queue) == 0 {
		a.t.Errorf("unexpected request: %s", call)
		return nil, errNoAnswer
	}
	n := a.queue[0]
	a.queue = a.queue[1:]
	return n.cm, n.err
}

func (a *answers) Get(context.Context, string, metav1.GetOptions) (*corev1.ConfigMap, error) {
	return a.next("get")
}

func (a *answers) Apply(_ context.Context, cm *applycorev1.ConfigMapApplyConfiguration, _ metav1.ApplyOptions) (*corev1.ConfigMap, error) {
	call := "apply"
	if cm.ResourceVersion != nil {
		call += " at " + *cm.ResourceVersion
	}
	return a.next(call)
}

func (a *answers) Patch(context.Context, string, types.PatchType, []byte, metav1.PatchOptions, ...string) (*corev1.ConfigMap, error) {
	return a.next("patch")
}

// configMap is one as this service leaves it, with what the edits make of it.
func configMap(resourceVersion string, edits ...func(*corev1.ConfigMap)) *corev1.ConfigMap {
	cm := &corev1.ConfigMap{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: testOptions.Namespace, Name: testOptions.Name, UID: "u1", ResourceVersion: resourceVersion, Labels: maps.Clone(testLabels),
		},
		Data: testKeys(),
	}
	owned(cm, FieldManager, metav1.ManagedFieldsOperationApply, toolset.KeyHolmesGPT, keyProm, toolset.KeyState)
	for _, edit := range edits {
		edit(cm)
	}
	return cm
}

// owned makes keys belong to a manager, and to no other if it is not ours.
func owned(cm *corev1.ConfigMap, manager string, op metav1.ManagedFieldsOperationType, keys ...string) {
	if manager != FieldManager {
		for i := range cm.ManagedFields {
			for _, k := range keys {
				raw := strings.ReplaceAll(string(cm.ManagedFields[i].FieldsV1.GetRawBytes()), `"f:`+k+`"`, `"f:gone"`)
				cm.ManagedFields[i].FieldsV1.SetRawString(raw)
			}
		}
	}
	inner := map[string]any{}
	for _, k := range keys {
		inner["f:"+k] = map[string]any{}
	}
	raw, _ := json.Marshal(map[string]any{"f:data": inner}) // maps and strings only
	fields := &metav1.FieldsV1{}
	fields.SetRawBytes(raw)
	cm.ManagedFields = append(cm.ManagedFields, metav1.ManagedFieldsEntry{Manager: manager, Operation: op, FieldsV1: fields})
}

// by changes a key as a manager would who updates it.
func by(manager, key, text string) func(*corev1.ConfigMap) {
	return func(cm *corev1.ConfigMap) {
		cm.Data[key] = text
		owned(cm, manager, metav1.ManagedFieldsOperationUpdate, key)
	}
}

func without(key string) func(*corev1.ConfigMap) {
	return func(cm *corev1.ConfigMap) { delete(cm.Data, key) }
}

var resource = schema.GroupResource{Resource: "configmaps"}

func errConflict() error {
	return apierrors.NewConflict(resource, testOptions.Name, errors.New("the object has been modified"))
}

// from makes this the ConfigMap of the caller's cache.
func (p *Publisher) from(live *corev1.ConfigMap) *Publisher {
	p.options.Live = func() *corev1.ConfigMap { return live }
	return p
}
