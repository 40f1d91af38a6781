package consistency

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// The second try of the integration tests runs what failed in the first, and all where something else went wrong; what failed is shown.
func TestSecondTryOfIntegration(t *testing.T) {
	t.Attr("req", "DTS-QA-3")
	script, err := os.ReadFile("../../.ci/run")
	fatal(t, err)
	_, functions, found := strings.Cut(string(script), "passed=0\n")
	functions, _, end := strings.Cut(functions, "# need installs")
	if !found || !end {
		t.Fatal("the functions are elsewhere in .ci/run by now")
	}
	const named = "--- FAIL: TestB (1.00s)\n    --- FAIL: TestB/sub (1.00s)\n--- FAIL: TestA (2.00s)\nFAIL\nFAIL\tpackage/one\t3.1s\nok  \tpackage/two\t1s\n"
	for name, tc := range map[string]struct{ output, second string }{
		"two tests":            {named, "fake RUN=^(TestA|TestB)$"},
		"a build too":          {named + "FAIL\tpackage/three [build failed]\n", "fake"},
		"a timeout too":        {named + "panic: test timed out after 50m0s\nFAIL\tpackage/three\t3000s\n", "fake"},
		"a package without":    {named + "FAIL\tpackage/three\t0.1s\n", "fake"},
		"nothing that is told": {"make: *** Error 2\n", "fake"},
		"it passes":            {"", ""},
	} {
		t.Run(name, func(t *testing.T) {
			folder := t.TempDir()
			first := filepath.Join(folder, "first")
			fatal(t, os.WriteFile(first, []byte(tc.output), 0o600))
			fake := `fake() { echo "fake $*" | sed 's/ $//' >>"$FOLDER/calls"; [ -s "$FOLDER/first" ] && [ "$(wc -l <"$FOLDER/calls")" = 1 ] || return 0; cat "$FOLDER/first"; return 1; }`
			cmd := exec.CommandContext(t.Context(), "bash", "-c",
				"set -uo pipefail\nfailed=()\npassed=0\n"+functions+fake+"\nagain tests fake\necho passed $passed failed ${#failed[@]}\n")
			cmd.Env = append(os.Environ(), "FOLDER="+folder)
			out, err := cmd.CombinedOutput()
			if err != nil || !strings.Contains(string(out), "passed 1 failed 0") || !strings.Contains(string(out), tc.output) {
				t.Errorf("%v: want what failed, and that the second try passed:\n%s", err, out)
			}
			calls, err := os.ReadFile(filepath.Join(folder, "calls"))
			want := strings.TrimSuffix("fake\n"+tc.second, "\n") + "\n"
			if err != nil || string(calls) != want {
				t.Errorf("%v: it ran\n%swant\n%s", err, calls, want)
			}
		})
	}
}
