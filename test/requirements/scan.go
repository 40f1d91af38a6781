package main

import (
	"fmt"
	"go/ast"
	"go/build/constraint"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
)

// test is a test function and the ids that it names.
type test struct {
	dir   string // of its package, below the root of the repository
	name  string
	suite string // the build tags that it needs, "" for none
	ids   []string
	// status is what came of it: pass, fail, skip, or "" where it did not run.
	status string
}

// scan reads the ids out of every test file below root, whatever its build tags: t.Attr("req", "DTS-…") and loops over a
// list of literals around t.Attr("req", id). What it cannot read is an error, so that nothing is missed in silence.
func scan(root string) ([]*test, error) {
	var tests []*test
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		base := d.Name()
		if d.IsDir() {
			if path != root && (strings.HasPrefix(base, ".") || base == "testdata" || base == "bin" || base == "node_modules") {
				return filepath.SkipDir
			}
			return nil
		}
		if !strings.HasSuffix(base, "_test.go") {
			return nil
		}
		found, err := scanFile(root, path)
		tests = append(tests, found...)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("reading the tests: %w", err)
	}
	return tests, nil
}

func scanFile(root, path string) ([]*test, error) {
	source, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	files := token.NewFileSet()
	file, err := parser.ParseFile(files, path, source, parser.SkipObjectResolution|parser.ParseComments)
	if err != nil {
		return nil, err
	}
	dir, err := filepath.Rel(root, filepath.Dir(path))
	if err != nil {
		return nil, err
	}
	suite, err := suiteOf(file)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	var tests []*test
	for _, declaration := range file.Decls {
		f, ok := declaration.(*ast.FuncDecl)
		if !ok || f.Body == nil {
			continue
		}
		ids, bad := idsOf(f.Body)
		if bad != token.NoPos {
			return nil, fmt.Errorf(`%s: expected t.Attr("req", "DTS-…"), or a loop over a list of such texts around it`, files.Position(bad))
		}
		if len(ids) > 0 {
			tests = append(tests, &test{dir: filepath.ToSlash(dir), name: f.Name.Name, suite: suite, ids: ids})
		}
	}
	return tests, nil
}

// idsOf are the ids that a body names, and where it names one that cannot be read.
func idsOf(body *ast.BlockStmt) (ids []string, bad token.Pos) {
	lists := map[string][]string{} // by the variable of a loop
	ast.Inspect(body, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.RangeStmt:
			if v, ok := n.Value.(*ast.Ident); ok {
				lists[v.Name] = texts(n.X)
			}
		case *ast.CallExpr:
			argument := requirementArgument(n)
			switch a := argument.(type) {
			case nil:
			case *ast.Ident:
				if len(lists[a.Name]) == 0 {
					bad = a.Pos()
				}
				ids = append(ids, lists[a.Name]...)
			default:
				text, ok := literal(argument)
				if !ok {
					bad = argument.Pos()
				}
				ids = append(ids, text)
			}
		}
		return true
	})
	slices.Sort(ids)
	return slices.Compact(ids), bad
}

// requirementArgument is the id in a call of Attr("req", id), nil in any other.
func requirementArgument(call *ast.CallExpr) ast.Expr {
	method, ok := call.Fun.(*ast.SelectorExpr)
	if !ok || method.Sel.Name != "Attr" || len(call.Args) != 2 {
		return nil
	}
	if key, ok := literal(call.Args[0]); !ok || key != "req" {
		return nil
	}
	return call.Args[1]
}

func literal(e ast.Expr) (string, bool) {
	l, ok := e.(*ast.BasicLit)
	if !ok || l.Kind != token.STRING {
		return "", false
	}
	text, err := strconv.Unquote(l.Value)
	return text, err == nil
}

// texts are the elements of a list of literals.
func texts(e ast.Expr) (list []string) {
	composite, ok := e.(*ast.CompositeLit)
	if !ok {
		return nil
	}
	for _, element := range composite.Elts {
		if text, ok := literal(element); ok {
			list = append(list, text)
		}
	}
	return list
}

// suiteOf is the build constraint of a file, "" where it holds without any tag given.
func suiteOf(file *ast.File) (string, error) {
	for _, group := range file.Comments {
		for _, comment := range group.List {
			if comment.Pos() > file.Package || !constraint.IsGoBuild(comment.Text) {
				continue
			}
			x, err := constraint.Parse(comment.Text)
			if err != nil {
				return "", err
			}
			always := []string{runtime.GOOS, runtime.GOARCH, "unix", "gc", "cgo"}
			if x.Eval(func(tag string) bool { return slices.Contains(always, tag) || strings.HasPrefix(tag, "go1.") }) {
				return "", nil
			}
			return x.String(), nil
		}
	}
	return "", nil
}
