package reference

import (
	"context"
	"encoding/json"
	"fmt"
	"go/ast"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"

	"kubernaut.io/dynamic-toolset/internal/api"
	"kubernaut.io/dynamic-toolset/internal/auth"
)

// openAPI is the document that the service serves where tokens are wanted.
func openAPI() ([]byte, error) {
	a, err := api.New(api.Options{Authorizer: nobody{}})
	if err != nil {
		return nil, err
	}
	w := httptest.NewRecorder()
	a.Handler(nil).ServeHTTP(w, httptest.NewRequestWithContext(context.Background(), http.MethodGet, "/openapi.json", http.NoBody))
	if w.Code != http.StatusOK {
		return nil, fmt.Errorf("GET /openapi.json = %d", w.Code)
	}
	return w.Body.Bytes(), nil
}

// nobody stands for authentication, of which only that there is one is told.
type nobody struct{}

func (nobody) Authorize(context.Context, string, auth.Attributes) (auth.User, error) {
	return auth.User{}, auth.ErrForbidden
}

// The parts of an OpenAPI document that are shown.
type (
	openapi struct {
		Info struct {
			Description string `json:"description"`
		} `json:"info"`
		Paths      map[string]map[string]operation `json:"paths"`
		Components struct {
			Schemas map[string]schema `json:"schemas"`
		} `json:"components"`
	}
	operation struct {
		ID          string              `json:"operationId"`
		Summary     string              `json:"summary"`
		Description string              `json:"description"`
		Parameters  []parameter         `json:"parameters"`
		Responses   map[string]response `json:"responses"`
	}
	parameter struct {
		Name        string `json:"name"`
		In          string `json:"in"`
		Description string `json:"description"`
		Schema      schema `json:"schema"`
	}
	response struct {
		Description string `json:"description"`
		Content     map[string]struct {
			Schema schema `json:"schema"`
		} `json:"content"`
	}
	schema struct {
		Ref         string            `json:"$ref"`
		Type        any               `json:"type"` // a text, or with null a list
		Format      string            `json:"format"`
		Description string            `json:"description"`
		Enum        []any             `json:"enum"`
		Default     any               `json:"default"`
		Minimum     *float64          `json:"minimum"`
		Maximum     *float64          `json:"maximum"`
		Items       *schema           `json:"items"`
		Properties  map[string]schema `json:"properties"`
		Required    []string          `json:"required"`
		Additional  any               `json:"additionalProperties"` // false, or a schema
	}
)

func httpAPI(root string) (Page, error) {
	p := Page{Name: "api.md", Title: "HTTP API", About: "every route, parameter and answer"}
	text, err := openAPI()
	if err != nil {
		return p, err
	}
	var doc openapi
	if err := json.Unmarshal(text, &doc); err != nil {
		return p, fmt.Errorf("/openapi.json: %w", err)
	}
	rights, err := rightsOf(root)
	if err != nil {
		return p, err
	}
	var m markdown
	m.para(prose(doc.Info.Description) + " The same for programs, in OpenAPI 3.1, is at `/openapi.json`. " +
		"[How to ask](../api.md) is told with examples.")
	m.para("A right is a verb on a resource of the API group " + span(auth.Group) + " in `output.namespace`.")
	m.table([]string{"route", "what it does", "right"}, overview(&doc, rights))
	for _, path := range slices.Sorted(maps.Keys(doc.Paths)) {
		for _, method := range slices.Sorted(maps.Keys(doc.Paths[path])) {
			o := doc.Paths[path][method]
			m.heading(2, strings.ToUpper(method)+" "+path)
			m.para(strings.TrimSpace(prose(o.Summary) + ". " + prose(o.Description)))
			parameters(&m, o.Parameters)
			answers(&m, o.Responses)
		}
	}
	m.heading(2, "Shapes")
	m.para("All fields are always there unless they may be missing; lists are never null.")
	for _, name := range slices.Sorted(maps.Keys(doc.Components.Schemas)) {
		s := doc.Components.Schemas[name]
		m.heading(3, name)
		var rows [][]string
		for _, field := range slices.Sorted(maps.Keys(s.Properties)) {
			f := s.Properties[field]
			about := f.about()
			if !slices.Contains(s.Required, field) {
				about = strings.TrimPrefix(about+"; may be missing", "; ")
			}
			rows = append(rows, []string{span(field), f.typeName(), about})
		}
		m.table([]string{"field", "type", "meaning"}, rows)
	}
	p.Text = m.String()
	return p, nil
}

func overview(doc *openapi, rights map[string]string) (rows [][]string) {
	for _, path := range slices.Sorted(maps.Keys(doc.Paths)) {
		for _, method := range slices.Sorted(maps.Keys(doc.Paths[path])) {
			o := doc.Paths[path][method]
			title := strings.ToUpper(method) + " " + path
			rows = append(rows, []string{fmt.Sprintf("[%s](#%s)", span(title), anchor(title)), prose(o.Summary), span(rights[o.ID])})
		}
	}
	return rows
}

func parameters(m *markdown, list []parameter) {
	var rows [][]string
	for _, p := range list {
		s := p.Schema
		s.Description = p.Description
		rows = append(rows, []string{span(p.Name), p.In, s.typeName(), s.about()})
	}
	if len(rows) > 0 {
		m.table([]string{"parameter", "in", "type", "meaning"}, rows)
	}
}

func answers(m *markdown, responses map[string]response) {
	var errors []string
	for _, code := range slices.Sorted(maps.Keys(responses)) {
		r := responses[code]
		if code != "200" {
			if code != "default" {
				errors = append(errors, code)
			}
			continue
		}
		for media, content := range r.Content {
			m.para(fmt.Sprintf("Answers %s: %s.", span(media), content.Schema.typeName()))
		}
	}
	if len(errors) > 0 {
		m.para("Errors: " + strings.Join(errors, ", ") + ", as [Problem](#problem).")
	}
}

// typeName is a schema in a word or two.
func (s *schema) typeName() string {
	if name, ok := strings.CutPrefix(s.Ref, "#/components/schemas/"); ok {
		return fmt.Sprintf("[%s](#%s)", name, anchor(name))
	}
	var names []string
	switch t := s.Type.(type) {
	case string:
		names = append(names, t)
	case []any:
		for _, v := range t {
			names = append(names, fmt.Sprint(v))
		}
	}
	name := strings.Join(names, " or ")
	if s.Items != nil {
		name = strings.Replace(name, "array", "list of "+s.Items.typeName(), 1)
	}
	if s.Format != "" && !strings.Contains(s.Format, "int") {
		name += " (" + s.Format + ")"
	}
	if values, ok := s.Additional.(map[string]any); ok && len(s.Properties) == 0 && values["type"] != nil {
		name = fmt.Sprintf("mapping to %v", values["type"])
	}
	return name
}

// about is what a schema says beside its type.
func (s *schema) about() string {
	var parts []string
	if s.Description != "" {
		parts = append(parts, strings.TrimSuffix(prose(s.Description), "."))
	}
	var values []string
	for _, v := range s.Enum {
		values = append(values, fmt.Sprint(v))
	}
	if len(values) > 0 {
		parts = append(parts, "one of "+spans(values))
	}
	if s.Minimum != nil && s.Maximum != nil {
		parts = append(parts, fmt.Sprintf("%v to %v", *s.Minimum, *s.Maximum))
	}
	if s.Default != nil {
		parts = append(parts, "by default "+span(fmt.Sprint(s.Default)))
	}
	return strings.Join(parts, "; ")
}

// rightsOf are the rights that the routes want, by the id of the operation, from the calls that describe them.
func rightsOf(root string) (map[string]string, error) {
	s, err := parse(dir(root, "internal/api"))
	if err != nil {
		return nil, err
	}
	resources, err := parse(dir(root, "internal/auth"))
	if err != nil {
		return nil, err
	}
	rights := map[string]string{}
	for _, file := range s.files {
		ast.Inspect(file, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok || len(call.Args) < 5 {
				return true
			}
			if f, ok := call.Fun.(*ast.Ident); !ok || f.Name != "operation" {
				return true
			}
			id, okID := s.text(call.Args[2])
			right, okRight := call.Args[4].(*ast.CompositeLit)
			if !okID || !okRight || len(right.Elts) != 2 {
				return true
			}
			verb, _ := s.text(right.Elts[0])
			resource, ok := right.Elts[1].(*ast.SelectorExpr)
			if !ok {
				return true
			}
			for _, c := range resources.consts {
				if c.name == resource.Sel.Name {
					rights[id] = verb + " " + c.value
				}
			}
			return true
		})
	}
	if len(rights) == 0 {
		return nil, fmt.Errorf("no routes found in internal/api")
	}
	return rights, nil
}
