//go:build integration && bench

package bench

import (
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"kubernaut.io/dynamic-toolset/test/bench/report"
	"kubernaut.io/dynamic-toolset/test/integration/testenv"
)

// machine tells where this runs, without names.
func machine(t *testing.T) report.Machine {
	t.Helper()
	memory := strings.Fields(read(t, "/proc/meminfo"))[1]
	kib, err := strconv.Atoi(memory)
	if err != nil {
		t.Fatalf("/proc/meminfo: %v", err)
	}
	kernel := strings.SplitN(strings.TrimSpace(read(t, "/proc/sys/kernel/osrelease")), ".", 3)
	server, err := exec.Command(filepath.Join(testenv.Assets(t), "kube-apiserver"), "--version").Output()
	if err != nil {
		t.Fatalf("version of kube-apiserver: %v", err)
	}
	return report.Machine{
		Cores: runtime.NumCPU(), MemoryGiB: kib >> 20, System: runtime.GOOS + "/" + runtime.GOARCH,
		Kernel: strings.Join(kernel[:min(2, len(kernel))], "."), Go: runtime.Version(),
		Server: strings.TrimSpace(strings.TrimPrefix(string(server), "Kubernetes ")), LoadBefore: load(t),
	}
}

// load is the load average of the last minute.
func load(t *testing.T) float64 {
	t.Helper()
	v, err := strconv.ParseFloat(strings.Fields(read(t, "/proc/loadavg"))[0], 64)
	if err != nil {
		t.Fatalf("/proc/loadavg: %v", err)
	}
	return v
}

func read(t *testing.T, path string) string {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// list is an environment variable that holds texts between commas.
func list(variable string) []string {
	return strings.FieldsFunc(os.Getenv(variable), func(r rune) bool { return r == ',' })
}

// numbers are those of an environment variable.
func numbers(t *testing.T, variable string, otherwise int) (all []int) {
	t.Helper()
	for _, text := range list(variable) {
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 {
			t.Fatalf("%s: expected numbers from 1 between commas, found %q", variable, text)
		}
		all = append(all, n)
	}
	if len(all) == 0 {
		return []int{otherwise}
	}
	return all
}

func duration(t *testing.T, variable string, otherwise time.Duration) time.Duration {
	t.Helper()
	text := os.Getenv(variable)
	if text == "" {
		return otherwise
	}
	d, err := time.ParseDuration(text)
	if err != nil || d <= 0 {
		t.Fatalf("%s: expected a duration such as 20s, found %q", variable, text)
	}
	return d
}
