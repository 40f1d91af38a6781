// Command requirements prints which test proves which requirement, and fails where one has no test.
//
// It runs the tests that need no build tags and reads the ids that they name out of what go test -json says. Suites that
// need more (a control plane, Python, a browser) are read from the source and shown as not run here, unless their results
// are given with -results, as in
//
//	go test -json -tags integration ./test/integration > integration.json
//	go run ./test/requirements -results integration.json
package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "requirements: "+err.Error())
		os.Exit(1) //nolint:forbidigo // this is main
	}
}

func run(ctx context.Context, args []string, out, progress io.Writer) error {
	flags := flag.NewFlagSet("requirements", flag.ContinueOnError)
	root := flags.String("root", ".", "the repository")
	goCommand := flags.String("go", "go", "the Go command")
	static := flags.Bool("static", false, "run no tests: only read the source")
	brief := flags.Bool("brief", false, "one line for each requirement")
	var files []string
	flags.Func("results", "output of go test -json of another suite (repeatable)", func(s string) error {
		files = append(files, s)
		return nil
	})
	if err := flags.Parse(args); err != nil {
		return err
	}
	name := filepath.Join(*root, "test", "requirements", "ids.txt")
	data, err := os.ReadFile(name)
	if err != nil {
		return fmt.Errorf("the list of requirements: %w", err)
	}
	list, err := readIDs(name, bytes.NewReader(data))
	if err != nil {
		return err
	}
	scanned, err := scan(*root)
	if err != nil {
		return err
	}
	module, err := moduleOf(*root)
	if err != nil {
		return err
	}
	r := newResults()
	for _, f := range files {
		if err := r.readFile(f, module); err != nil {
			return err
		}
	}
	if !*static {
		if err := r.run(ctx, *root, *goCommand, module, progress); err != nil {
			return err
		}
	}
	m := join(list, scanned, r)
	if err := m.print(out, *brief); err != nil {
		return err
	}
	problems := m.problems()
	for _, f := range r.failed {
		problems = append(problems, "failed: "+f)
	}
	if len(problems) > 0 {
		return errors.New(strings.Join(problems, "\nrequirements: "))
	}
	return nil
}

func (r *results) readFile(name, module string) error {
	f, err := os.Open(name)
	if err != nil {
		return fmt.Errorf("-results: %w", err)
	}
	defer f.Close()
	return r.read(f, module, io.Discard)
}

// moduleOf is the module's path, as go.mod says it.
func moduleOf(root string) (string, error) {
	data, err := os.ReadFile(filepath.Join(root, "go.mod"))
	if err != nil {
		return "", fmt.Errorf("-root: %w", err)
	}
	for line := range strings.Lines(string(data)) {
		if path, ok := strings.CutPrefix(strings.TrimSpace(line), "module "); ok {
			return path, nil
		}
	}
	return "", errors.New("go.mod: no line module")
}
