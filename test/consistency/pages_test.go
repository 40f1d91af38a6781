package consistency

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"kubernaut.io/dynamic-toolset/internal/catalog"
)

var namedTest = regexp.MustCompile("`([a-z]+)/((?:Test|Benchmark)[A-Za-z0-9]+)`")

// The tests that the page of attacks names are there, in the packages that it names.
func TestNamedTestsExist(t *testing.T) {
	t.Attr("req", "DTS-SEC-3 DTS-DOC-1")
	page, err := os.ReadFile(filepath.Join(root, "docs", "development", "attacks.md"))
	fatal(t, err)
	named := namedTest.FindAllStringSubmatch(string(page), -1)
	if len(named) < 100 {
		t.Errorf("only %d tests are found in the page", len(named))
	}
	for _, m := range named {
		if !hasTest(t, m[1], m[2]) {
			t.Errorf("%s has no %s", m[1], m[2])
		}
	}
}

// hasTest reports whether a package below internal or test has a test of that name.
func hasTest(t *testing.T, pkg, name string) bool {
	t.Helper()
	for _, parent := range []string{"internal", "test"} {
		files, err := filepath.Glob(filepath.Join(root, parent, pkg, "*_test.go"))
		fatal(t, err)
		for _, file := range files {
			text, err := os.ReadFile(file)
			fatal(t, err)
			if strings.Contains(string(text), "func "+name+"(") {
				return true
			}
		}
	}
	return false
}

// Each Event that wants somebody to act has its cure, and each code with a cure is one that the program gives.
func TestCures(t *testing.T) {
	t.Attr("req", "DTS-DOC-1")
	text := files(t, "docs", "troubleshooting.md")["docs/troubleshooting.md"]
	warnings := 0
	for _, row := range listed(t, "events.md") {
		if row[1] != "Warning" {
			continue
		}
		if warnings++; !strings.Contains(text, "`"+row[0]+"`") {
			t.Errorf("docs/troubleshooting.md has no cure for the Event %s", row[0])
		}
	}
	known := map[string]bool{}
	for _, row := range listed(t, "reasons.md") {
		known[row[0]] = true
	}
	cured := 0
	for _, table := range strings.Split(text, "| code |")[1:] {
		rows, _, _ := strings.Cut(table, "\n\n")
		for _, code := range regexp.MustCompile("(?m)^\\| `([a-z-]+)`").FindAllStringSubmatch(rows, -1) {
			if cured++; !known[code[1]] {
				t.Errorf("docs/troubleshooting.md: no Service and no document gets the code %s", code[1])
			}
		}
	}
	if warnings < 8 || cured < 10 {
		t.Errorf("only %d Events and %d codes found", warnings, cured)
	}
}

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

var tokensRow = regexp.MustCompile("(?m)^\\| `([a-z/]+)` \\| ([0-9]+ \\| [0-9]+) \\|")

// The page has the figures of the catalog.
func TestTokens(t *testing.T) {
	t.Attr("req", "DTS-OUT-12")
	known, err := catalog.Builtin()
	fatal(t, err)
	figures := catalog.Baseline()
	figures["custom"] = catalog.HTTPTokens()
	for _, typ := range known.Types {
		for i := range typ.Toolset.HolmesGPT {
			e := &typ.Toolset.HolmesGPT[i]
			name := e.Name
			if name == "" {
				name = typ.Type
			}
			if before, has := figures[name]; has && before != e.Tokens {
				t.Errorf("%s: type %s says %v, another %v", name, typ.Type, e.Tokens, before)
			}
			figures[name] = e.Tokens
		}
	}
	want, got := map[string]string{}, map[string]string{}
	for name, f := range figures {
		want[name] = fmt.Sprintf("%d | %d", f.Toolset, f.Instance)
	}
	for _, m := range tokensRow.FindAllStringSubmatch(files(t, "docs", "tokens.md")["docs/tokens.md"], -1) {
		got[m[1]] = m[2]
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("docs/tokens.md, -want +got:\n%s", diff)
	}
}
