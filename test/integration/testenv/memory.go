//go:build integration

package testenv

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"
)

// RSS is the resident memory that it has now, in bytes.
func (p *Process) RSS(t testing.TB) int64 { t.Helper(); return p.memory(t, "VmRSS") }

// HWM is the most resident memory that it has had so far, in bytes.
func (p *Process) HWM(t testing.TB) int64 { t.Helper(); return p.memory(t, "VmHWM") }

func (p *Process) memory(t testing.TB, field string) int64 {
	t.Helper()
	n, err := memory(p.PID(), field)
	if err != nil {
		t.Fatalf("memory of %s: %v", p.name, err)
	}
	return n
}

// watchMemory returns the most resident memory that a process had, looking until it has ended. What the kernel tells of an
// ended process counts the one that started it too.
func watchMemory(pid int, ended <-chan struct{}) (most int64) {
	ticker := time.NewTicker(2 * time.Millisecond)
	defer ticker.Stop()
	for {
		if n, err := memory(pid, "VmHWM"); err == nil {
			most = max(most, n)
		}
		select {
		case <-ended:
			return most
		case <-ticker.C:
		}
	}
}

// memory reads a figure of /proc, in bytes.
func memory(pid int, field string) (int64, error) {
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(data)) {
		if text, ok := strings.CutPrefix(line, field+":"); ok {
			kib, err := strconv.ParseInt(strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(text), "kB")), 10, 64)
			return kib << 10, err
		}
	}
	return 0, fmt.Errorf("no %s: it has ended", field)
}
