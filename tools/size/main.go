// Command size measures the code against its budgets (make size): lines for each package, longest file and function.
// Comments and empty lines count.
package main

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"slices"
	"strings"
)

// budgets are the lines that a package below internal may have, without tests. A package without a budget counts only
// in the sum.
var budgets = map[string]int{
	"backend": 385, "catalog": 990, "detect": 1650, "probe": 1870, "health": 440, "inventory": 770, "toolset": 1870,
	"publish": 1320, "controller": 1320, "store": 770, "cluster": 1760, "files": 880, "server": 2860, "cli": 2530,
	"config": 990, "view": 770, "safetext": 143,
}

const (
	internalBudget = 21000 // lines below internal, without tests
	packageBudget  = 18
	testBudget     = 26000
	fileBudget     = 300 // lines of a file, without tests
	functionBudget = 60  // lines of a function, without tests
)

// longest is the longest file or function so far.
type longest struct {
	where string
	lines int
}

func (l *longest) see(where string, lines int) {
	if lines > l.lines {
		*l = longest{where, lines}
	}
}

// size holds the lines of a repository.
type size struct {
	packages       map[string]int // lines of those below internal, without tests
	tests          int            // lines of _test.go
	file, function longest        // of what is shipped, and of tools
}

func main() {
	if err := run(".", os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "size: "+err.Error())
		os.Exit(1)
	}
}

// run measures the repository at root. What is over its budget is an error.
func run(root string, w io.Writer) error {
	s, err := measure(root)
	if err != nil {
		return err
	}
	list := exec.Command("go", "list", "-deps", "./cmd/dynamic-toolset") //nolint:noctx // ends by itself
	list.Dir, list.Stderr = root, os.Stderr
	deps, err := list.Output()
	if err != nil {
		return fmt.Errorf("go list: %w", err)
	}
	over := s.report(w)
	_, err = fmt.Fprintf(w, "%-24s %6d\n", "packages of the build", bytes.Count(deps, []byte("\n")))
	if err == nil && over > 0 {
		err = fmt.Errorf("%d over their budgets", over)
	}
	return err
}

// report prints what there is and returns how much of it is over its budget.
func (s *size) report(w io.Writer) (over int) {
	line := func(what string, lines, budget int, where string) {
		mark := ""
		if budget > 0 && lines > budget {
			over++
			mark = fmt.Sprintf("  over %d", budget)
		}
		_, _ = fmt.Fprintln(w, strings.TrimRight(fmt.Sprintf("%-24s %6d%-13s %s", what, lines, mark, where), " "))
	}
	sum := 0
	for _, name := range slices.Sorted(maps.Keys(s.packages)) {
		sum += s.packages[name]
		line("internal/"+name, s.packages[name], budgets[name], "")
	}
	line("sum of internal", sum, internalBudget, "")
	line("packages of internal", len(s.packages), packageBudget, "")
	line("tests", s.tests, testBudget, "")
	line("longest file", s.file.lines, fileBudget, s.file.where)
	line("longest function", s.function.lines, functionBudget, s.function.where)
	return over
}

// measure reads the Go files of a repository.
func measure(root string) (*size, error) {
	s := &size{packages: map[string]int{}}
	files := os.DirFS(root)
	err := fs.WalkDir(files, ".", func(path string, d fs.DirEntry, err error) error {
		name := d.Name()
		switch {
		case err != nil:
			return err
		case d.IsDir() && path != "." && (strings.HasPrefix(name, ".") || name == "testdata" || name == "node_modules"):
			return fs.SkipDir
		case d.IsDir() || !strings.HasSuffix(name, ".go"):
			return nil
		}
		text, err := fs.ReadFile(files, path)
		if err != nil {
			return err
		}
		return s.add(path, text)
	})
	return s, err
}

// add counts a file.
func (s *size) add(path string, text []byte) error {
	lines := bytes.Count(text, []byte("\n"))
	switch {
	case strings.HasSuffix(path, "_test.go"):
		s.tests += lines
		return nil
	case strings.HasPrefix(path, "test/"):
		return nil
	}
	if below, ok := strings.CutPrefix(path, "internal/"); ok {
		s.packages[below[:strings.LastIndex(below, "/")]] += lines
	}
	s.file.see(path, lines)
	set := token.NewFileSet()
	file, err := parser.ParseFile(set, path, text, parser.SkipObjectResolution)
	if err != nil {
		return err
	}
	for _, d := range file.Decls {
		if f, ok := d.(*ast.FuncDecl); ok {
			from, to := set.Position(f.Pos()), set.Position(f.End())
			s.function.see(fmt.Sprintf("%s:%d %s", path, from.Line, f.Name.Name), to.Line-from.Line+1)
		}
	}
	return nil
}
