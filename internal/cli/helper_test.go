package cli

import (
	"bytes"
	"context"
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write the golden files anew")

const clusterFile = "testdata/cluster.yaml"

// TestMain keeps whatever cluster the machine knows out of the tests.
func TestMain(m *testing.M) {
	for _, name := range []string{"KUBECONFIG", "KUBERNETES_MASTER", "KUBERNETES_SERVICE_HOST", "KUBERNETES_SERVICE_PORT"} {
		if err := os.Unsetenv(name); err != nil {
			panic(err) //nolint:forbidigo // there is no test yet that could fail
		}
	}
	if os.Getenv(asProgram) != "" { // this test's own process stands for the program
		os.Exit(Run(context.Background(), "dynamic-toolset", os.Args[1:], Streams{In: os.Stdin, Out: os.Stdout, Err: os.Stderr})) //nolint:forbidigo // as main
	}
	m.Run()
}

const asProgram = "CLI_TEST_AS_PROGRAM"

// result is what a command line came to.
type result struct {
	code     int
	out, err string
}

func run(t *testing.T, args ...string) result { return runWith(t, "", args...) }

func runWith(t *testing.T, stdin string, args ...string) result {
	t.Helper()
	t.Setenv("HOME", t.TempDir())
	var out, errs bytes.Buffer
	code := Run(t.Context(), "dynamic-toolset", args, Streams{In: strings.NewReader(stdin), Out: &out, Err: &errs})
	return result{code, out.String(), errs.String()}
}

// mustRun is run for what must succeed.
func mustRun(t *testing.T, args ...string) result {
	t.Helper()
	r := run(t, args...)
	if r.code != 0 {
		t.Fatalf("%q: exit code %d\n%s", args, r.code, r.err)
	}
	return r
}

// expect reports the parts that a text lacks.
func expect(t *testing.T, text string, parts ...string) {
	t.Helper()
	for _, part := range parts {
		if !strings.Contains(text, part) {
			t.Errorf("%q is not in:\n%s", part, text)
		}
	}
}

// forbid reports the parts that a text must not have.
func forbid(t *testing.T, text string, parts ...string) {
	t.Helper()
	for _, part := range parts {
		if strings.Contains(text, part) {
			t.Errorf("%q is in:\n%s", part, text)
		}
	}
}

// flat is a text in one line, however its lines were broken.
func flat(text string) string { return strings.Join(strings.Fields(text), " ") }

func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name+".golden")
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatalf("%v: make it with go test ./internal/cli -update", err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got)\n%s", path, diff)
	}
}

var (
	tookPattern = regexp.MustCompile(`\((\d+m)?\d+(\.\d+)?(m|µ)?s\)`)
	markPattern = regexp.MustCompile(`generation/[0-9a-f]+`)
	timePattern = regexp.MustCompile(`20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z`)
)

// steady replaces what differs from run to run: durations, times and the given old and new texts.
func steady(text string, oldnew ...string) string {
	text = timePattern.ReplaceAllString(text, "TIME") // first: the number of a port may be part of a time
	text = tookPattern.ReplaceAllString(text, "(TOOK)")
	text = markPattern.ReplaceAllString(text, "generation/HASH")
	return strings.NewReplacer(oldnew...).Replace(text)
}

func writeFile(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}
