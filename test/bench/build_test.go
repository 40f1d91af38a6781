//go:build integration && bench

package bench

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"kubernaut.io/dynamic-toolset/test/bench/report"
)

// build measures the processor time of a build with an empty cache, which is most of what a newcomer waits for.
func (b *bench) build(t *testing.T) {
	t.Helper()
	service := report.Figure{
		Requirement: "DTS-PERF-11", Name: "cold build", Unit: report.Milliseconds, Target: report.Limits(1.4),
		Limit: report.Series{Name: "the program that lists"},
		Note: "processor time of go build with an empty build cache, beside the same for a program that does nothing but list " +
			"with client-go's typed clients.",
	}
	for range b.runs {
		service.Limit.Values = append(service.Limit.Values, report.Millis(coldBuild(t, "peers", "./list"))...)
		service.Runs = append(service.Runs, report.Millis(coldBuild(t, filepath.Join("..", ".."), "./cmd/dynamic-toolset"))...)
	}
	b.report.Add(service)
}

func coldBuild(t *testing.T, folder, program string) time.Duration {
	t.Helper()
	cache := t.TempDir()
	cmd := exec.Command("go", "build", "-trimpath", "-o", filepath.Join(cache, "program"), program)
	cmd.Dir, cmd.Env = folder, append(os.Environ(), "CGO_ENABLED=0", "GOCACHE="+cache)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("building %s: %v\n%s", program, err, out)
	}
	return cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime() // those of the compilers, too
}
