package reference

import (
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// source is what a package's own text says beside what it does.
type source struct {
	types  map[string]typeDoc
	consts []constDoc // of texts, in the order of the files and in them
	files  []*ast.File
}

// typeDoc is a struct's comment and those of its fields, by their names in Go.
type typeDoc struct {
	doc    string
	fields map[string]string
}

// constDoc is a constant of a text and what is said about it.
type constDoc struct{ name, value, doc string }

// parse reads the sources of a package, without tests.
func parse(folder string) (*source, error) {
	names, err := filepath.Glob(filepath.Join(folder, "*.go"))
	if err != nil || len(names) == 0 {
		return nil, errors.Join(fmt.Errorf("no Go files in %s", folder), err)
	}
	slices.Sort(names)
	s := &source{types: map[string]typeDoc{}}
	set := token.NewFileSet()
	for _, name := range names {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		text, err := os.ReadFile(name)
		if err != nil {
			return nil, err
		}
		file, err := parser.ParseFile(set, name, text, parser.ParseComments|parser.SkipObjectResolution)
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
	return s, nil
}

func (s *source) declaration(g *ast.GenDecl) {
	for _, spec := range g.Specs {
		switch spec := spec.(type) {
		case *ast.TypeSpec:
			s.types[spec.Name.Name] = typeOf(spec, comment(spec.Doc, g.Doc))
		case *ast.ValueSpec:
			if g.Tok != token.CONST {
				continue
			}
			for i, name := range spec.Names {
				if i >= len(spec.Values) {
					break
				}
				if value, ok := s.text(spec.Values[i]); ok {
					s.consts = append(s.consts, constDoc{name.Name, value, comment(spec.Doc, spec.Comment)})
				}
			}
		}
	}
}

func typeOf(spec *ast.TypeSpec, doc string) typeDoc {
	t := typeDoc{doc: doc, fields: map[string]string{}}
	structure, ok := spec.Type.(*ast.StructType)
	if !ok {
		return t
	}
	for _, f := range structure.Fields.List {
		for _, name := range f.Names {
			t.fields[name.Name] = comment(f.Doc, f.Comment)
		}
	}
	return t
}

// comment is the first of several that says anything, on one line.
func comment(groups ...*ast.CommentGroup) string {
	for _, g := range groups {
		if text := strings.Join(strings.Fields(g.Text()), " "); text != "" {
			return text
		}
	}
	return ""
}

// text is the value of an expression of literals and constants of the package.
func (s *source) text(e ast.Expr) (string, bool) {
	switch e := e.(type) {
	case *ast.BasicLit:
		if e.Kind == token.STRING {
			v, err := strconv.Unquote(e.Value)
			return v, err == nil
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
		return x + y, okX && okY && e.Op == token.ADD
	}
	return "", false
}

// constant is the comment on the constant of that value, whose name begins as given; "" if it has none.
func (s *source) constant(prefix, value string) string {
	for _, c := range s.consts {
		if c.value == value && strings.HasPrefix(c.name, prefix) {
			return c.doc
		}
	}
	return ""
}

// sentence is a comment that begins with the name of what it is about, without it: "Interval between checks" stays, "File
// is where" becomes "Where", and "Order sorts" becomes "Sorts".
func sentence(name, doc string) string {
	rest, ok := strings.CutPrefix(doc, name+" ")
	if !ok {
		return doc
	}
	verb, object, _ := strings.Cut(rest, " ")
	switch {
	case verb == "is" && !strings.HasPrefix(object, "put "), verb == "are":
		return upper(object)
	case strings.HasSuffix(verb, "s") && !strings.HasPrefix(object, "are ") && !strings.HasPrefix(object, "need "):
		return upper(rest)
	}
	return doc
}

func upper(s string) string {
	if s == "" {
		return s
	}
	return strings.ToUpper(s[:1]) + s[1:]
}
