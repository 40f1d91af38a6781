package main

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"

	"kubernaut.io/dynamic-toolset/internal/server"
)

// The parts of an OpenAPI document that the page shows.
type (
	openAPI struct {
		Info       struct{ Description string }
		Paths      map[string]map[string]operation
		Components struct{ Schemas map[string]schema }
	}
	operation struct {
		Summary    string
		Parameters []parameter
		Right      string `json:"x-right"`
	}
	parameter struct {
		Name, In, Description string
		Schema                schema
	}
	schema struct {
		Ref                  string `json:"$ref"`
		Type                 any    // a text, or with null a list
		Format, Description  string
		Enum                 []any
		Default              any
		Minimum, Maximum     *float64
		Items                *schema
		Properties           map[string]schema
		Required             []string
		AdditionalProperties any // false, or a schema
	}
)

func httpAPI(m *markdown, _ string) error {
	spec, err := openAPIDocument()
	if err != nil {
		return err
	}
	m.para(prose(spec.Info.Description) + " The OpenAPI 3.1 document is at `/openapi.json`. " +
		"The [guide](../api.md) has examples.")
	m.para("A right is a verb on a resource of the API group " + span(server.APIGroup) + " in `output.namespace`.")
	routes := [][]string{{"route", "summary", "right"}}
	parameters := [][]string{{"route", "parameter", "in", "type", "meaning"}}
	for _, path := range slices.Sorted(maps.Keys(spec.Paths)) {
		for _, method := range slices.Sorted(maps.Keys(spec.Paths[path])) {
			o, route := spec.Paths[path][method], span(strings.ToUpper(method)+" "+path)
			routes = append(routes, []string{route, prose(o.Summary), span(o.Right)})
			for _, p := range o.Parameters {
				p.Schema.Description = p.Description
				parameters = append(parameters,
					[]string{route, span(p.Name), p.In, p.Schema.typeName(), p.Schema.meaning()})
			}
		}
	}
	m.table(routes...)
	m.heading(2, "Parameters")
	m.table(parameters...)
	m.heading(2, "Schemas")
	m.para("Lists are never null.")
	for _, name := range slices.Sorted(maps.Keys(spec.Components.Schemas)) {
		fields := [][]string{{"field", "type", "presence", "meaning"}}
		s := spec.Components.Schemas[name]
		for _, field := range slices.Sorted(maps.Keys(s.Properties)) {
			f, always := s.Properties[field], "always"
			if !slices.Contains(s.Required, field) {
				always = "may be missing"
			}
			fields = append(fields, []string{span(field), f.typeName(), always, f.meaning()})
		}
		m.heading(3, name)
		m.table(fields...)
	}
	return nil
}

// openAPIDocument returns the document of a service that requires tokens.
func openAPIDocument() (*openAPI, error) {
	a, err := server.New(server.Options{Authorizer: forbid{}})
	if err != nil {
		return nil, err
	}
	w := httptest.NewRecorder()
	ask := httptest.NewRequestWithContext(context.Background(), http.MethodGet, "/openapi.json", http.NoBody)
	a.Handler(nil).ServeHTTP(w, ask)
	spec := &openAPI{}
	if err := json.Unmarshal(w.Body.Bytes(), spec); err != nil { //nolint:musttag // keys differ in case alone
		return nil, fmt.Errorf("GET /openapi.json (status %d): %w", w.Code, err)
	}
	return spec, nil
}

type forbid struct{}

func (forbid) Authorize(context.Context, string, server.Right) (string, error) {
	return "", server.ErrForbidden
}

// typeName returns the type of a schema in a word or two.
func (s *schema) typeName() string {
	if name, ok := strings.CutPrefix(s.Ref, "#/components/schemas/"); ok {
		return link(name, name)
	}
	name := strings.Join(texts(s.Type), " or ")
	if s.Items != nil {
		name = strings.Replace(name, "array", "list of "+s.Items.typeName(), 1)
	}
	if s.Format == "date-time" {
		name += " (date-time)"
	}
	if values, ok := s.AdditionalProperties.(map[string]any); ok && values["type"] != nil {
		name = fmt.Sprintf("mapping to %v", values["type"])
	}
	return name
}

// meaning returns the description, values, range and default of a schema.
func (s *schema) meaning() string {
	var parts []string
	if s.Description != "" {
		parts = append(parts, strings.TrimSuffix(prose(s.Description), "."))
	}
	const few = 20 // more have a page of their own
	if n := len(s.Enum); n > 0 && n <= few {
		parts = append(parts, "one of "+spans(texts(s.Enum)))
	}
	if s.Minimum != nil && s.Maximum != nil {
		parts = append(parts, fmt.Sprintf("%v to %v", *s.Minimum, *s.Maximum))
	}
	if s.Default != nil {
		parts = append(parts, "by default "+span(fmt.Sprint(s.Default)))
	}
	return strings.Join(parts, "; ")
}

// texts returns a value, or each value of a list, as text.
func texts(v any) (list []string) {
	many, ok := v.([]any)
	if !ok && v != nil {
		many = []any{v}
	}
	for _, one := range many {
		list = append(list, fmt.Sprint(one))
	}
	return list
}
