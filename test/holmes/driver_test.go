//go:build holmes

// Package holmes checks documents with the real HolmesGPT: its own loader, in Python, and its own checks of every
// endpoint, against stand-ins on loopback. Run it with: make test-holmes
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
	Calls     map[string]map[string]string `json:"calls,omitempty"`     // HTTP toolset: URL: text in the error of a GET, "" for none
	Reads     map[string]int               `json:"reads,omitempty"`     // text: how often it stands in the agent's prompt
	Price     bool                         `json:"price,omitempty"`     // write tokens.json: toolset: tokens
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
