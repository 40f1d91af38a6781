//go:build image

package image

import (
	"bytes"
	"crypto/x509"
	"encoding/pem"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
)

// native is the architecture whose image can be run here.
const native = runtime.GOARCH

func repository(t *testing.T) string {
	t.Helper()
	root, err := filepath.Abs("../..")
	check(t, err)
	return root
}

// builder is the program that builds the image.
func builder(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "image")
	command(t, filepath.Join(repository(t), "build", "image"), "go", "build", "-o", path, ".")
	return path
}

// build builds the image from a copy of the repository and returns the folder that it is in.
func build(t *testing.T, tool, root string) string {
	t.Helper()
	command(t, root, tool, "-root", root, "-out", "dist/image")
	return filepath.Join(root, "dist", "image")
}

func digest(t *testing.T, out string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(out, "digest"))
	check(t, err)
	return strings.TrimSpace(string(text))
}

// copyTree copies the repository, with its history, so that nobody changes it between two builds.
func copyTree(t *testing.T, from, to string) {
	t.Helper()
	check(t, filepath.WalkDir(from, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name, err := filepath.Rel(from, path)
		if err != nil {
			return err
		}
		switch {
		case entry.IsDir() && (name == "bin" || name == "dist" || entry.Name() == "node_modules"):
			return filepath.SkipDir
		case entry.IsDir():
			return os.MkdirAll(filepath.Join(to, name), 0o700)
		case !entry.Type().IsRegular():
			return nil
		}
		info, err := entry.Info()
		if err != nil {
			return err
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		return os.WriteFile(filepath.Join(to, name), data, info.Mode().Perm())
	}))
}

// authorities: a pool of certificates can be made of them.
func authorities(t *testing.T, path string) {
	t.Helper()
	data, err := os.ReadFile(path)
	check(t, err)
	count := 0
	for block, rest := pem.Decode(data); block != nil; block, rest = pem.Decode(rest) {
		if _, err := x509.ParseCertificate(block.Bytes); err != nil {
			t.Errorf("certificate %d: %v", count, err)
		}
		count++
	}
	if count < 50 {
		t.Errorf("%d certificate authorities", count)
	}
	t.Logf("%d certificate authorities", count)
}

// runs: the program runs in the image's files alone, as the image's user. Without the right to change the root it runs here.
func runs(t *testing.T, root, program string) {
	t.Helper()
	for _, tt := range []struct {
		args []string
		want string
	}{
		{[]string{"version"}, "dynamic-toolset "},
		{[]string{"serve", "--check"}, "the configuration is valid"},
	} {
		cmd := exec.CommandContext(t.Context(), filepath.Join(root, program), tt.args...)
		if os.Getuid() == 0 {
			cmd = exec.CommandContext(t.Context(), program, tt.args...)
			cmd.Dir = "/"
			cmd.SysProcAttr = &syscall.SysProcAttr{Chroot: root, Credential: &syscall.Credential{Uid: 65532, Gid: 65532}}
		}
		cmd.Env = []string{"PATH=/ko-app"}
		out, err := cmd.CombinedOutput()
		if err != nil || !strings.Contains(string(out), tt.want) {
			t.Errorf("%v: %v\n%s", tt.args, err, out)
		}
		t.Logf("%v: %s", tt.args, bytes.TrimSpace(out))
	}
}

func command(t *testing.T, dir, name string, args ...string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), name, args...)
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%s %s: %v\n%s", filepath.Base(name), strings.Join(args, " "), err, out)
	}
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
