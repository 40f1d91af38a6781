//go:build integration

package integration

import (
	"fmt"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"kubernaut.io/dynamic-toolset/test/integration/testenv"
)

// A ConfigMap that is deleted right after the admin has edited it comes back with that edit, and not with the one before.
func TestFaultDeletedRightAfterEdit(t *testing.T) {
	t.Attr("req", "DTS-OUT-8")
	env := testenv.Shared(t)
	start(t, env)
	published(t, env, "it has a document", "kubernetes/core:")
	client := env.Client.CoreV1().ConfigMaps(testenv.OutputNamespace)
	for round := range 20 {
		text := fmt.Sprintf("toolsets:\n  helm/core: {enabled: true, description: edit %d} # mine\n", round)
		testenv.Retry(t, "an edit", func() error {
			return edit(env, "admin").patch(t.Context(), object{"data": object{overrides: text}})
		})
		must(t, client.Delete(t.Context(), testenv.ConfigMapName, metav1.DeleteOptions{}))
		cm := published(t, env, "it comes back with the last edit", "kubernetes/core:")
		if got := cm.Data["overrides.yaml"]; got != text {
			t.Fatalf("round %d: the overrides are %q, the admin wrote %q", round, got, text)
		}
	}
	published(t, env, "and it is in force", "description: edit 19")
}
