//go:build integration

package integration

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"

	"kubernaut.io/dynamic-toolset/test/integration/testenv"
)

// Faults are put between the service and the API server by a Front: this shows that they arrive as the real ones do.
func TestFront(t *testing.T) {
	t.Attr("req", "DTS-QA-1")
	env := testenv.Shared(t)
	const ns, account = testenv.OutputNamespace, "reader"
	env.ServiceAccount(t, ns, account)
	revoke := env.Grant(t, ns, ns, account, testenv.Rule("", "configmaps", "get", "list", "watch", "delete"))
	front := env.Front(t)
	config, err := clientcmd.BuildConfigFromFlags("", env.TokenKubeconfig(t, front.URL, front.CA, env.Token(t, ns, account)))
	must(t, err)
	client := kubernetes.NewForConfigOrDie(config).CoreV1().ConfigMaps(ns)
	get := func() error {
		_, err := client.Get(t.Context(), testenv.ConfigMapName, metav1.GetOptions{})
		return err
	}
	if err := get(); !apierrors.IsNotFound(err) {
		t.Fatalf("got %v, want not found", err)
	}

	w, err := client.Watch(t.Context(), metav1.ListOptions{})
	must(t, err)
	front.Cut()
	testenv.Eventually(t, 10*time.Second, "the watch ends", func() error {
		select {
		case _, open := <-w.ResultChan():
			if !open {
				return nil
			}
		default:
		}
		return fmt.Errorf("it is open")
	})

	configMaps := schema.GroupResource{Resource: "configmaps"}
	front.Inject(func(w http.ResponseWriter, r *http.Request) bool {
		if r.Method != http.MethodGet {
			return false
		}
		testenv.Refuse(w, apierrors.NewConflict(configMaps, testenv.ConfigMapName, fmt.Errorf("injected")))
		return true
	})
	if err := get(); !apierrors.IsConflict(err) {
		t.Errorf("got %v, want a conflict", err)
	}
	if err := client.Delete(t.Context(), testenv.ConfigMapName, metav1.DeleteOptions{}); !apierrors.IsNotFound(err) {
		t.Errorf("other requests: got %v, want not found", err)
	}
	front.Inject(nil)
	if err := get(); !apierrors.IsNotFound(err) {
		t.Errorf("without a fault: got %v, want not found", err)
	}
	revoke()
	testenv.Eventually(t, 10*time.Second, "a role taken away is forbidden", func() error {
		if err := get(); !apierrors.IsForbidden(err) {
			return fmt.Errorf("got %w", err)
		}
		return nil
	})
}
