//go:build integration

package integration

import (
	"fmt"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

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
		body := fmt.Sprintf(`{"data":{"overrides.yaml":%q}}`, text)
		testenv.Retry(t, "an edit", func() error {
			_, err := client.Patch(t.Context(), testenv.ConfigMapName, types.MergePatchType, []byte(body), metav1.PatchOptions{FieldManager: "admin"})
			return err
		})
		must(t, client.Delete(t.Context(), testenv.ConfigMapName, metav1.DeleteOptions{}))
		cm := published(t, env, "it comes back with the last edit", "kubernetes/core:")
		if got := cm.Data["overrides.yaml"]; got != text {
			t.Fatalf("round %d: the overrides are %q, the admin wrote %q", round, got, text)
		}
	}
	begun := time.Now()
	published(t, env, "and it is in force", "description: edit 19")
	t.Logf("in force %s later", ms(time.Since(begun)))
}
