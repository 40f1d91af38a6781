// Package venv makes the Python environment that the tests with the real HolmesGPT share.
package venv

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// Python is the interpreter of a virtual environment with the HolmesGPT of the file of requirements, which it makes if it is
// not there: some minutes, once. It is kept in the user's cache folder.
func Python(ctx context.Context, file string, log func(string, ...any)) (string, error) {
	requirements, err := os.ReadFile(file)
	if err != nil {
		return "", err
	}
	version, err := pinned(requirements)
	if err != nil {
		return "", err
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("finding a folder for HolmesGPT: %w", err)
	}
	venv := filepath.Join(cache, "dynamic-toolset", "holmes-venv-"+version)
	python, complete := filepath.Join(venv, "bin", "python"), filepath.Join(venv, "complete")
	if made, err := os.ReadFile(complete); err == nil && bytes.Equal(made, requirements) {
		return python, nil
	}
	base, err := interpreter(ctx)
	if err != nil {
		return "", err
	}
	log("installing HolmesGPT %s in %s: some minutes, once", version, venv)
	for _, args := range [][]string{
		{base, "-m", "venv", "--clear", venv},
		{python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r", file},
	} {
		if out, err := exec.CommandContext(ctx, args[0], args[1:]...).CombinedOutput(); err != nil { //nolint:gosec // programs of this machine
			return "", fmt.Errorf("%s: %w\n%s", strings.Join(args, " "), err, out)
		}
	}
	return python, os.WriteFile(complete, requirements, 0o600) //nolint:gosec // in the cache of whoever runs the test
}

func pinned(requirements []byte) (string, error) {
	for line := range strings.Lines(string(requirements)) {
		if version, ok := strings.CutPrefix(strings.TrimSpace(line), "holmesgpt=="); ok {
			return version, nil
		}
	}
	return "", errors.New("requirements.txt: no line holmesgpt==VERSION")
}

// interpreter finds a Python that HolmesGPT runs on.
func interpreter(ctx context.Context) (string, error) {
	const supported = "import sys, venv; sys.exit(not (3, 10) <= sys.version_info < (3, 14))"
	for _, name := range []string{"python3", "python3.13", "python3.12", "python3.11", "python3.10"} {
		if exec.CommandContext(ctx, name, "-c", supported).Run() == nil {
			return name, nil
		}
	}
	return "", errors.New("HolmesGPT needs Python 3.10 to 3.13 with its venv module: install one and put it on the PATH")
}
