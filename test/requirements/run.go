package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"
)

// event is a line of go test -json.
type event struct {
	Action  string `json:"Action"`
	Package string `json:"Package"`
	Test    string `json:"Test"`
	Key     string `json:"Key"`
	Value   string `json:"Value"`
	Output  string `json:"Output"`
}

// results is what test runs came to.
type results struct {
	status map[string]string   // directory of the package, and test -> pass, fail or skip
	ids    map[string][]string // the same -> what it named
	failed []string            // packages that failed, with what they said about it
}

func newResults() *results {
	return &results{status: map[string]string{}, ids: map[string][]string{}}
}

// key names a test; of a subtest the test that it is part of.
func key(dir, name string) string {
	name, _, _ = strings.Cut(name, "/")
	return dir + " " + name
}

// read takes in the output of go test -json; module is the path that package names begin with.
func (r *results) read(in io.Reader, module string, progress io.Writer) error {
	said := map[string][]string{}
	lines := bufio.NewScanner(in)
	const longest = 16 << 20
	lines.Buffer(nil, longest)
	for lines.Scan() {
		if !strings.HasPrefix(lines.Text(), "{") {
			continue // what the build says
		}
		var e event
		if err := json.Unmarshal(lines.Bytes(), &e); err != nil {
			return fmt.Errorf("output of go test -json: %w", err)
		}
		dir := strings.TrimPrefix(strings.TrimPrefix(e.Package, module), "/")
		if dir == "" {
			dir = "."
		}
		switch {
		case e.Action == "output":
			said[dir] = append(said[dir], e.Output)
		case e.Action == "attr" && e.Key == "req":
			k := key(dir, e.Test)
			if !slices.Contains(r.ids[k], e.Value) {
				r.ids[k] = append(r.ids[k], e.Value)
			}
		case e.Test == "":
			r.ended(e.Action, dir, said[dir], progress)
		case e.Action == "pass" || e.Action == "fail" || e.Action == "skip":
			if !strings.Contains(e.Test, "/") { // a failed part fails the whole
				r.status[key(dir, e.Test)] = e.Action
			}
		}
	}
	if err := lines.Err(); err != nil {
		return fmt.Errorf("output of go test -json: %w", err)
	}
	return nil
}

// ended notes what became of a package.
func (r *results) ended(action, dir string, said []string, progress io.Writer) {
	switch action {
	case "fail":
		const last = 20
		r.failed = append(r.failed, dir+":\n"+strings.Join(said[max(0, len(said)-last):], ""))
		_, _ = fmt.Fprintln(progress, "FAIL", dir)
	case "pass":
		_, _ = fmt.Fprintln(progress, "ok  ", dir)
	}
}

// run runs the tests that need no tags, as make test does.
func (r *results) run(ctx context.Context, root, goCommand, module string, progress io.Writer) error {
	cmd := exec.CommandContext(ctx, goCommand, "test", "-json", "./...")
	cmd.Dir, cmd.Stderr = root, os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		return fmt.Errorf("go test: %w", err)
	}
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("go test: %w", err)
	}
	readErr := r.read(out, module, progress)
	if err := cmd.Wait(); err != nil && len(r.failed) == 0 {
		return fmt.Errorf("go test: %w", err)
	}
	return readErr
}
