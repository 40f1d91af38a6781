package consistency

import (
	"regexp"
	"slices"
	"strings"
	"testing"
)

var kubernetesVersion = regexp.MustCompile(`(?m)^(?:require)?\s*k8s\.io/kubernetes v(\S+)`)

// The guide names the versions that make test-kubernetes tries, which the files of modules in test/controlplane say.
func TestKubernetesVersions(t *testing.T) {
	t.Attr("req", "DTS-DOC-1")
	var versions []string
	for name, text := range files(t, "test/controlplane", ".mod") {
		m := kubernetesVersion.FindStringSubmatch(text)
		if m == nil {
			t.Fatalf("%s has no k8s.io/kubernetes", name)
		}
		versions = append(versions, m[1])
	}
	slices.Sort(versions)
	slices.Reverse(versions)
	last := len(versions) - 1
	if last < 2 {
		t.Fatalf("only %v are tried, want the newest minor and the two before it", versions)
	}
	want := "Tested are Kubernetes " + strings.Join(versions[:last], ", ") + " and " + versions[last] + "."
	if text := files(t, "docs", "install.md")["docs/install.md"]; !strings.Contains(text, want) {
		t.Errorf("docs/install.md does not say: %s", want)
	}
}
