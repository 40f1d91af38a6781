// Command requirements prints which tests name which requirement of ids.txt, and fails if one has no test. It reads the
// sources of all tests, whatever their build tags, and runs none.
package main

import (
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"io/fs"
	"os"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

func main() {
	if err := run(os.DirFS("."), os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "requirements: "+err.Error())
		os.Exit(1) //nolint:forbidigo // this is main
	}
}

// run prints each requirement with its tests.
func run(repository fs.FS, out io.Writer) error {
	list, err := readIDs(repository, "test/requirements/ids.txt")
	if err != nil {
		return err
	}
	tests, err := scan(repository)
	if err != nil {
		return err
	}
	var problems []error
	for _, r := range list {
		_, _ = fmt.Fprintf(out, "%-11s %s\n", r.id, r.meaning)
		for _, name := range tests[r.id] {
			_, _ = fmt.Fprintf(out, "              %s\n", name)
		}
		if len(tests[r.id]) == 0 {
			problems = append(problems, fmt.Errorf("%s has no test: %s", r.id, r.meaning))
		}
		delete(tests, r.id)
	}
	for id, names := range tests {
		problems = append(problems, fmt.Errorf("%s is not in ids.txt, and is named by %s", id, strings.Join(names, ", ")))
	}
	return errors.Join(problems...)
}

// requirement is one line of ids.txt.
type requirement struct{ id, meaning string }

var wellFormed = regexp.MustCompile(`^DTS-[A-Z]+-[1-9][0-9]*$`)

// readIDs reads the list: an id and what it means on each line, which may be a comment or empty.
func readIDs(repository fs.FS, name string) ([]requirement, error) {
	text, err := fs.ReadFile(repository, name)
	if err != nil {
		return nil, err
	}
	var list []requirement
	for i, line := range strings.Split(string(text), "\n") {
		id, meaning, _ := strings.Cut(strings.TrimSpace(line), " ")
		r := requirement{id, strings.TrimSpace(meaning)}
		switch {
		case id == "" || strings.HasPrefix(id, "#"):
			continue
		case !wellFormed.MatchString(id) || r.meaning == "":
			return nil, fmt.Errorf("%s:%d: expected an id such as DTS-DET-1 and what it means, found %q", name, i+1, line)
		case slices.ContainsFunc(list, func(other requirement) bool { return other.id == id }):
			return nil, fmt.Errorf("%s:%d: %s is in the list twice", name, i+1, id)
		}
		list = append(list, r)
	}
	return list, nil
}

// scan finds the tests that name ids, by id: t.Attr("req", "DTS-… DTS-…"), or a loop over a list of literals around
// t.Attr("req", id). What it cannot read is an error.
func scan(repository fs.FS) (map[string][]string, error) {
	tests := map[string][]string{}
	err := fs.WalkDir(repository, ".", func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && name != "." && (strings.HasPrefix(d.Name(), ".") || d.Name() == "testdata" || d.Name() == "node_modules"):
			return fs.SkipDir
		case d.IsDir() || !strings.HasSuffix(name, "_test.go"):
			return nil
		}
		text, err := fs.ReadFile(repository, name)
		if err != nil {
			return err
		}
		files := token.NewFileSet()
		file, err := parser.ParseFile(files, name, text, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		for _, declaration := range file.Decls {
			f, ok := declaration.(*ast.FuncDecl)
			if !ok {
				continue
			}
			ids, bad := idsOf(f)
			if bad != nil {
				return fmt.Errorf(`%s: expected t.Attr("req", "DTS-…"), or a loop over a list of such texts around it`, files.Position(bad.Pos()))
			}
			for _, id := range ids {
				tests[id] = append(tests[id], path.Dir(name)+" "+f.Name.Name)
			}
		}
		return nil
	})
	return tests, err
}

// idsOf are the ids that a function names, or where it names one that cannot be read.
func idsOf(f *ast.FuncDecl) (ids []string, bad ast.Node) {
	lists := map[string][]string{} // by the variable of a loop
	ast.Inspect(f, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.RangeStmt:
			if v, ok := n.Value.(*ast.Ident); ok {
				lists[v.Name] = texts(n.X)
			}
		case *ast.CallExpr:
			method, ok := n.Fun.(*ast.SelectorExpr)
			if !ok || method.Sel.Name != "Attr" || len(n.Args) != 2 || !slices.Equal(texts(n.Args[0]), []string{"req"}) {
				return true
			}
			named := strings.Fields(strings.Join(texts(n.Args[1]), " "))
			if v, ok := n.Args[1].(*ast.Ident); ok {
				named = lists[v.Name]
			}
			if len(named) == 0 {
				bad = n.Args[1]
			}
			ids = append(ids, named...)
		}
		return true
	})
	slices.Sort(ids)
	return slices.Compact(ids), bad
}

// texts is a literal, or the elements of a list of literals.
func texts(e ast.Expr) (list []string) {
	switch e := e.(type) {
	case *ast.BasicLit:
		if text, err := strconv.Unquote(e.Value); err == nil {
			list = append(list, text)
		}
	case *ast.CompositeLit:
		for _, element := range e.Elts {
			list = append(list, texts(element)...)
		}
	}
	return list
}
