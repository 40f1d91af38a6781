//go:build integration

package cluster

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/tools/clientcmd"

	"kubernaut.io/dynamic-toolset/internal/backend"
	"kubernaut.io/dynamic-toolset/test/integration/testenv"
)

// On a real API server, with create and patch on Events and nothing else: it takes them, whatever the text, and
// kubectl describe shows them.
func TestEventsRealAPIServer(t *testing.T) {
	t.Attr("req", "DTS-ANN-1 DTS-SEC-1")
	env := testenv.Start(t)
	kubeconfig := env.ServiceAccount(t, testenv.OutputNamespace, "dynamic-toolset")
	env.Grant(t, "", testenv.OutputNamespace, "dynamic-toolset", testenv.Rule("events.k8s.io", "events", "create", "patch"))
	env.Namespace(t, "shop")
	name := strings.Repeat("orders-", 9)[:62]
	svc, err := env.Client.CoreV1().Services("shop").Create(t.Context(), &corev1.Service{
		ObjectMeta: metav1.ObjectMeta{Name: name},
		Spec:       corev1.ServiceSpec{Ports: []corev1.ServicePort{{Port: 80}}},
	}, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	cm, err := env.Client.CoreV1().ConfigMaps(testenv.OutputNamespace).Create(t.Context(),
		&corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: testenv.ConfigMapName}}, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}

	config, err := clientcmd.BuildConfigFromFlags("", kubeconfig)
	if err != nil {
		t.Fatal(err)
	}
	var log bytes.Buffer
	var live atomic.Pointer[corev1.ConfigMap]
	r, err := NewRecorder(config, RecorderOptions{
		ConfigMap: backend.Ref{Namespace: cm.Namespace, Name: cm.Name}, Instance: "replica-1",
		Live: live.Load, Record: func() bool { return true }, Failed: func() {}, Log: slog.New(slog.NewTextHandler(&log, nil)),
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	var running sync.WaitGroup
	running.Go(func() { r.Run(ctx) })

	orders := &backend.Service{Ref: backend.Ref{Namespace: "shop", Name: name}, UID: string(svc.UID)}
	r.Service(orders, true, "BadAnnotation", "kubernaut.io/toolset-port: "+strings.Repeat("ä", 1000))
	r.Service(orders, true, "BadAnnotation", "kubernaut.io/toolset-scheme: expected http or https")
	r.Service(orders, true, "BadAnnotation", "kubernaut.io/toolset-scheme: expected http or https")
	r.ConfigMap(true, "PublishFailed", "before it is known which object it is")
	live.Store(cm)
	r.ConfigMap(true, "OverridesInvalid", "line 3, column 7")
	shown := func(n int, kind, namespace, name string, want ...string) func() error {
		return func() error {
			list, err := env.Client.EventsV1().Events(namespace).List(t.Context(), metav1.ListOptions{})
			if err != nil {
				return err
			}
			if len(list.Items) != n {
				return fmt.Errorf("%d events in %s, want %d", len(list.Items), namespace, n)
			}
			text := env.Kubectl(t, "", "describe", "-n", namespace, kind, name)
			for _, w := range want {
				if !strings.Contains(text, w) {
					return fmt.Errorf("kubectl describe does not show %q:\n%s", w, text)
				}
			}
			return nil
		}
	}
	testenv.Eventually(t, 10*time.Second, "the Service's events", shown(2, "service", "shop", name,
		"BadAnnotation", "Warning", "toolset-scheme: expected http or https", "dynamic-toolset"))
	testenv.Eventually(t, 10*time.Second, "the ConfigMap's events", shown(2, "configmap", cm.Namespace, cm.Name, "OverridesInvalid", "line 3, column 7"))

	<-time.After(eventOftenest) // then what comes back is counted
	r.Clear(orders)
	r.Service(orders, true, "BadAnnotation", "kubernaut.io/toolset-scheme: expected http or https")
	r.ConfigMap(true, "OverridesInvalid", "line 3, column 7")
	testenv.Eventually(t, 10*time.Second, "the Service's event is counted", shown(2, "service", "shop", name, "(x2 over "))
	testenv.Eventually(t, 10*time.Second, "the ConfigMap's event is counted", shown(2, "configmap", cm.Namespace, cm.Name, "(x2 over "))

	// A namespace that is gone, then an API server that is.
	r.Service(&backend.Service{Ref: backend.Ref{Namespace: "gone", Name: "a"}, UID: "u1"}, true, "BadAnnotation", "x")
	env.APIServer.Stop(t)
	r.Service(&backend.Service{Ref: backend.Ref{Namespace: "shop", Name: "a"}, UID: "u2"}, true, "BadAnnotation", "while it is away")
	env.APIServer.Start(t)
	<-time.After(2 * eventRetry)
	r.Service(&backend.Service{Ref: backend.Ref{Namespace: "shop", Name: "b"}, UID: "u3"}, true, "BadAnnotation", "after it was")
	testenv.Eventually(t, 20*time.Second, "events written again", func() error {
		list, err := env.Client.EventsV1().Events("shop").List(t.Context(), metav1.ListOptions{})
		if err != nil {
			return err
		}
		for _, e := range list.Items {
			if e.Note == "after it was" {
				return nil
			}
		}
		return fmt.Errorf("%d events", len(list.Items))
	})
	cancel()
	running.Wait()
	// An API server that has just started refuses more for a moment: it has not read the roles yet.
	if n := strings.Count(log.String(), `"events lost" namespace=gone`); n != 1 {
		t.Errorf("the Event in a namespace that is not there was refused %d times; logged\n%s", n, &log)
	}
}
