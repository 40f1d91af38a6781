//go:build integration

package testenv

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// binaryVariable names a dynamic-toolset that is built already.
const binaryVariable = "DYNAMIC_TOOLSET_BINARY"

// Binary is the path of dynamic-toolset, built once for all tests from the tree as it is unless DYNAMIC_TOOLSET_BINARY
// names one.
func Binary(t testing.TB) string {
	t.Helper()
	path, err := build()
	must(t, err)
	return path
}

var build = sync.OnceValues(func() (string, error) {
	if path := os.Getenv(binaryVariable); path != "" {
		return path, nil
	}
	root, err := moduleRoot()
	if err != nil {
		return "", err
	}
	name, args := "dynamic-toolset-integration", []string{"build", "-trimpath"}
	if raceDetector {
		name, args = name+"-race", append(args, "-race")
	}
	path := filepath.Join(root, "bin", name)
	if err := os.MkdirAll(filepath.Dir(path), 0o750); err != nil {
		return "", err
	}
	// Another package's tests may be running the same file: it is replaced, not written into.
	next := fmt.Sprintf("%s.%d", path, os.Getpid())
	cmd := exec.CommandContext(context.Background(), "go", append(args, "-o", next, "./cmd/dynamic-toolset")...) //nolint:gosec // all constant but for the folder
	cmd.Dir = root
	if !raceDetector { // as make build does
		cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	}
	if _, err := output(cmd); err != nil {
		return "", err
	}
	return path, os.Rename(next, path)
})

var moduleRoot = sync.OnceValues(func() (string, error) {
	mod, err := output(exec.CommandContext(context.Background(), "go", "env", "GOMOD"))
	if err == nil && (mod == "" || mod == os.DevNull) {
		err = errors.New("the test does not run in the module's folder, so that there is nothing to build from")
	}
	return filepath.Dir(mod), err
})

func output(cmd *exec.Cmd) (string, error) {
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("%s: %w\n%s", strings.Join(cmd.Args, " "), err, stderr.Bytes())
	}
	return strings.TrimSpace(string(out)), nil
}
