//go:build integration

package integration

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	eventsv1 "k8s.io/api/events/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	corev1client "k8s.io/client-go/kubernetes/typed/core/v1"

	"kubernaut.io/dynamic-toolset/test/integration/testenv"
)

const overrides = "overrides.yaml"

type object = map[string]any

// serveAs runs a service as somebody else than the admin, and waits until it listens.
func serveAs(t *testing.T, env *testenv.Env, kubeconfig string, args ...string) *instance {
	t.Helper()
	return running(t, env.Process(t, kubeconfig, nil, append(append([]string{"serve"}, quick...), args...)...))
}

// editor changes the ConfigMap under a field manager.
type editor struct {
	client  corev1client.ConfigMapInterface
	manager string
}

func edit(env *testenv.Env, manager string) editor {
	return editor{env.Client.CoreV1().ConfigMaps(testenv.OutputNamespace), manager}
}

// patch sends a merge patch.
func (e editor) patch(ctx context.Context, body object) error {
	data, err := json.Marshal(body)
	if err == nil {
		_, err = e.client.Patch(ctx, testenv.ConfigMapName, types.MergePatchType, data, metav1.PatchOptions{FieldManager: e.manager})
	}
	return err
}

// apply applies data keys by server-side apply.
func (e editor) apply(ctx context.Context, force bool, data map[string]string) error {
	body, err := json.Marshal(object{
		"apiVersion": "v1", "kind": "ConfigMap", "metadata": object{"name": testenv.ConfigMapName}, "data": data,
	})
	if err == nil {
		_, err = e.client.Patch(ctx, testenv.ConfigMapName, types.ApplyPatchType, body, metav1.PatchOptions{FieldManager: e.manager, Force: &force})
	}
	return err
}

// update reads it, changes it and writes it, again where somebody else was faster.
func (e editor) update(ctx context.Context, change func(*corev1.ConfigMap)) error {
	var err error
	for range 50 {
		var cm *corev1.ConfigMap
		if cm, err = e.client.Get(ctx, testenv.ConfigMapName, metav1.GetOptions{}); err != nil {
			return err
		}
		change(cm)
		if _, err = e.client.Update(ctx, cm, metav1.UpdateOptions{FieldManager: e.manager}); err == nil {
			return nil
		}
	}
	return err
}

// told are the Events on an object for a reason, oldest first.
func told(t *testing.T, env *testenv.Env, kind, namespace, name, reason string) []eventsv1.Event {
	t.Helper()
	list, err := env.Client.EventsV1().Events(namespace).List(t.Context(), metav1.ListOptions{})
	must(t, err)
	events := slices.DeleteFunc(list.Items, func(e eventsv1.Event) bool {
		return e.Regarding.Kind != kind || e.Regarding.Name != name || e.Reason != reason
	})
	slices.SortFunc(events, func(a, b eventsv1.Event) int { return a.EventTime.Compare(b.EventTime.Time) })
	return events
}

// tells waits for an Event on the ConfigMap and returns the first note that has the text.
func tells(t *testing.T, env *testenv.Env, kind, reason, text string) string {
	t.Helper()
	var note string
	testenv.Eventually(t, 20*time.Second, "an Event "+reason+" with "+text, func() error {
		events := told(t, env, "ConfigMap", testenv.OutputNamespace, testenv.ConfigMapName, reason)
		for _, e := range events {
			if strings.Contains(e.Note, text) && e.Type == kind {
				note = e.Note
				return nil
			}
		}
		return fmt.Errorf("there are %d for that reason: %v", len(events), notes(events))
	})
	return note
}

func notes(events []eventsv1.Event) (list []string) {
	for _, e := range events {
		list = append(list, e.Type+": "+e.Note)
	}
	return list
}

// reaches waits until a series of the metrics has at least a value.
func (i *instance) reaches(t *testing.T, series string, want float64) {
	t.Helper()
	testenv.Eventually(t, 20*time.Second, fmt.Sprintf("%s is at least %v", series, want), func() error {
		if v := i.metric(t, series); v < want {
			return fmt.Errorf("it is %v", v)
		}
		return nil
	})
}

func reconciled(result string) string {
	return fmt.Sprintf("dynamictoolset_configmap_reconcile_total{result=%q}", result)
}

func failed(operation string) string {
	return fmt.Sprintf("dynamictoolset_reconciliation_errors_total{operation=%q}", operation)
}

// holds waits until the ConfigMap holds what check wants.
func holds(t *testing.T, env *testenv.Env, what string, check func(*corev1.ConfigMap) error) {
	t.Helper()
	testenv.Eventually(t, 20*time.Second, what, func() error {
		if cm := env.ConfigMap(t); cm != nil {
			return check(cm)
		}
		return errors.New("there is no ConfigMap")
	})
}

// backends are one Service of each of some types, so that there are several generated keys.
func backends(t *testing.T, env *testenv.Env, namespace string) {
	t.Helper()
	types := everyType()
	for _, typ := range []string{"prometheus", "grafana", "jaeger", "loki"} {
		s := types[typ]
		s.Namespace, s.Name = namespace, typ
		env.Create(t, s)
	}
}
