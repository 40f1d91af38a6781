package main

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// source holds the comments and constants of a package.
type source struct {
	types  map[string]string // comments on types, by name
	fields map[string]string // comments on fields of structs, by Type.Field
	consts []constant        // of text, in the order of the files and in them
	files  []*ast.File
}

// constant is a constant of text and the comment on it.
type constant struct{ name, value, comment string }

// parse reads the sources of a package, without tests.
func parse(root, path string) (*source, error) {
	names, err := filepath.Glob(filepath.Join(root, path, "*.go"))
	if err != nil {
		return nil, err
	}
	s := &source{types: map[string]string{}, fields: map[string]string{}}
	set := token.NewFileSet()
	for _, name := range names {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(set, name, nil, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			return nil, err
		}
		s.files = append(s.files, file)
		for _, d := range file.Decls {
			if g, ok := d.(*ast.GenDecl); ok {
				s.declaration(g)
			}
		}
	}
	if len(s.files) == 0 {
		return nil, fmt.Errorf("no Go files in %s", path)
	}
	return s, nil
}

func (s *source) declaration(g *ast.GenDecl) {
	for _, spec := range g.Specs {
		switch spec := spec.(type) {
		case *ast.TypeSpec:
			name := spec.Name.Name
			s.types[name] = comment(spec.Doc, g.Doc)
			structure, ok := spec.Type.(*ast.StructType)
			if !ok {
				continue
			}
			for _, f := range structure.Fields.List {
				for _, field := range f.Names {
					s.fields[name+"."+field.Name] = comment(f.Doc, f.Comment)
				}
			}
		case *ast.ValueSpec:
			for i, name := range spec.Names {
				if g.Tok == token.CONST && i < len(spec.Values) {
					if value, ok := s.text(spec.Values[i]); ok {
						s.consts = append(s.consts, constant{name.Name, value, comment(spec.Doc, spec.Comment)})
					}
				}
			}
		}
	}
}

// comment returns the first group that has text, on one line.
func comment(groups ...*ast.CommentGroup) string {
	for _, g := range groups {
		if text := strings.Join(strings.Fields(g.Text()), " "); text != "" {
			return text
		}
	}
	return ""
}

// text returns the value of an expression of literals and constants of the package.
func (s *source) text(e ast.Expr) (string, bool) {
	switch e := e.(type) {
	case *ast.BasicLit:
		if v, err := strconv.Unquote(e.Value); e.Kind == token.STRING && err == nil {
			return v, true
		}
	case *ast.Ident:
		for _, c := range s.consts {
			if c.name == e.Name {
				return c.value, true
			}
		}
	case *ast.BinaryExpr:
		x, okX := s.text(e.X)
		y, okY := s.text(e.Y)
		return x + y, okX && okY
	}
	return "", false
}

// constant returns the comment on the constant with this value whose name has this prefix, "" if there is none. Without
// a prefix it ignores the codes of reasons and the kinds of credentials, because some have the value of an outcome.
func (s *source) constant(prefix, value string) string {
	for _, c := range s.consts {
		if c.value == value && strings.HasPrefix(c.name, prefix) &&
			(prefix != "" || !strings.HasPrefix(c.name, "Code") && !strings.HasPrefix(c.name, "Kind")) {
			return c.comment
		}
	}
	return ""
}

// golden returns the errors that tests expect for bad files, without the folders of the files.
func golden(root string, names ...string) (string, error) {
	var b strings.Builder
	for _, name := range names {
		data, err := os.ReadFile(filepath.Join(root, name))
		if err != nil {
			return "", err
		}
		for line := range strings.Lines(string(data)) {
			line = strings.TrimPrefix(line, "testdata/")
			if !strings.HasPrefix(line, "loaded: ") {
				b.WriteString(strings.TrimPrefix(line, filepath.Base(filepath.Dir(name))+"/"))
			}
		}
	}
	return b.String(), nil
}
