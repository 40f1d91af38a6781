//go:build holmes

// Package holmes checks documents with the HolmesGPT that is to load them: its own loader, in Python, and its own checks
// of every endpoint, against stand-ins on loopback. Run it with: go test -tags holmes ./test/holmes
package holmes

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"sigs.k8s.io/yaml"
)

// Case is one document and what HolmesGPT is to make of it.
type Case struct {
	Name     string // names a folder
	Document []byte
	Expect   Expect
	// Hosts maps a DNS name, or name:port, to the loopback address, or address:port, that stands in for it. Nothing else
	// but loopback can be reached.
	Hosts map[string]string
}

// Expect is what differs from the default, which is that everything the document enables is enabled and healthy.
type Expect struct {
	Env       map[string]string            `json:"env,omitempty"`       // HolmesGPT's environment
	Toolsets  map[string]string            `json:"toolsets,omitempty"`  // name: enabled, failed or disabled
	Instances map[string]map[string]string `json:"instances,omitempty"` // toolset: instance: healthy or failed
	Rejected  string                       `json:"rejected,omitempty"`  // a text in the error that refuses the whole file
	Reads     map[string]int               `json:"reads,omitempty"`     // text: how often it stands in the agent's prompt
}

// Python is the interpreter of a virtual environment with the HolmesGPT of requirements.txt, which it makes if it is not
// there: some minutes, once. It is kept in the user's cache folder.
func Python(ctx context.Context, log func(string, ...any)) (string, error) {
	requirements, err := os.ReadFile("requirements.txt")
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
		{python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r", "requirements.txt"},
	} {
		if out, err := exec.CommandContext(ctx, args[0], args[1:]...).CombinedOutput(); err != nil {
			return "", fmt.Errorf("%s: %w\n%s", strings.Join(args, " "), err, out)
		}
	}
	return python, os.WriteFile(complete, requirements, 0o600)
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

// Check runs check.py on the cases in dir and returns what it printed, a line for each.
func Check(ctx context.Context, python, dir string, cases []Case) ([]string, error) {
	for _, c := range cases {
		if err := c.write(dir); err != nil {
			return nil, err
		}
	}
	return run(ctx, python, "check.py", dir)
}

func run(ctx context.Context, python string, args ...string) ([]string, error) {
	cmd := exec.CommandContext(ctx, python, append([]string{"-B"}, args...)...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if exit := (*exec.ExitError)(nil); errors.As(err, &exit) && exit.ExitCode() == 1 && len(out) > 0 {
		err = nil // failed cases say so in their lines
	}
	if err != nil {
		return nil, fmt.Errorf("check.py: %w\n%s%s", err, out, stderr.Bytes())
	}
	return strings.Split(strings.TrimSpace(string(out)), "\n"), nil
}

func (c Case) write(dir string) error {
	dir = filepath.Join(dir, c.Name)
	if err := os.MkdirAll(dir, 0o750); err != nil {
		return err
	}
	expect, err := yaml.Marshal(c.Expect)
	if err != nil {
		return fmt.Errorf("case %s: %w", c.Name, err)
	}
	hosts, err := yaml.Marshal(c.Hosts)
	if err != nil {
		return fmt.Errorf("case %s: %w", c.Name, err)
	}
	for name, data := range map[string][]byte{"custom_toolset.yaml": c.Document, "expect.yaml": expect, "hosts.yaml": hosts} {
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o600); err != nil {
			return fmt.Errorf("case %s: %w", c.Name, err)
		}
	}
	return nil
}
