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
	"time"

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
	rowPattern  = regexp.MustCompile(`(?m)^(  \S.{14} )(\S.*(?:\n {18}.*)*\([0-9hmsµ.]+s\))$`) // that ends in a duration
	markPattern = regexp.MustCompile(`generation/[0-9a-f]+`)
	timePattern = regexp.MustCompile(`20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z`)
)

// steady replaces what differs from run to run: durations, times and the given old and new texts. How long a duration is
// decides where its row is broken into lines.
func steady(text string, oldnew ...string) string {
	text = timePattern.ReplaceAllString(text, "TIME") // first: the number of a port may be part of a time
	text = rowPattern.ReplaceAllStringFunc(text, func(row string) string {
		parts := rowPattern.FindStringSubmatch(row)
		var b strings.Builder
		(&writer{out: &b}).prose(parts[1], tookPattern.ReplaceAllString(parts[2], "(TOOK)"))
		return strings.TrimSuffix(b.String(), "\n")
	})
	text = tookPattern.ReplaceAllString(text, "(TOOK)")
	text = markPattern.ReplaceAllString(text, "generation/HASH")
	return strings.NewReplacer(oldnew...).Replace(text)
}

// What a test compares does not depend on how long a request took.
func TestDurationsAreSteady(t *testing.T) {
	t.Attr("req", "DTS-QA-1")
	const result = `404 Not Found, "404 page not found"`
	explained := func(took time.Duration) string {
		var b strings.Builder
		w := &writer{out: &b}
		w.row("identity", "GET %s: %s (%s)", "/api/v1/status/buildinfo", result, took)
		w.row("identity", "GET %s: %s (%s)", "/select/0/prometheus/api/v1/status/buildinfo", result, took)
		w.row("so", "wrong-identity")
		return steady(b.String())
	}
	for _, took := range []time.Duration{time.Millisecond, 100 * time.Millisecond, 12345 * time.Millisecond, 2*time.Minute + time.Millisecond} {
		if diff := cmp.Diff(explained(0), explained(took)); diff != "" {
			t.Errorf("after %s (-want +got):\n%s", took, diff)
		}
	}
}

func writeFile(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}
