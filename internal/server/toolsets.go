package server

import (
	"context"
	"net/http"
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"kubernaut.io/dynamic-toolset/internal/backend"
	"kubernaut.io/dynamic-toolset/internal/view"
)

// ToolsetList is one page of the toolsets.
type ToolsetList struct {
	Toolsets []view.Toolset `json:"toolsets"`
	Count    int            `json:"count" doc:"Number of toolsets on all pages"`
	Tokens   int            `json:"tokens" doc:"The approximate tokens that the toolsets on all pages add to each request to the agent's model, as far as known"`
	Continue Token          `json:"continue,omitempty" doc:"The value of continue for the next page; missing on the last page"`
}

type toolsetsInput struct {
	Type    string         `query:"type" maxLength:"253" doc:"Only toolsets with backends of this type"`
	Enabled Optional[bool] `query:"enabled"`
	Healthy Optional[bool] `query:"healthy" doc:"Only toolsets whose probed backends are all healthy (true), or not all (false)"`
	Paging
}

func (a *API) registerToolsets(h huma.API) {
	o := operation(http.MethodGet, "/api/v1/toolsets", listToolsets, "List the toolsets of the document",
		Right{Verb: "list", Resource: ResourceToolsets})
	o.Description = "Sorted by name. The overrides are applied."
	handle(h, o, func(_ context.Context, in *toolsetsInput) (ToolsetList, error) { return a.toolsets(in), nil })

	o = operation(http.MethodGet, "/api/v1/toolsets/{name...}", "get-toolset", "Get one toolset",
		Right{Verb: "get", Resource: ResourceToolsets}, http.StatusNotFound)
	o.Description = "Write a slash in the name as / or as %2F."
	handle(h, o, func(_ context.Context, in *struct {
		Name string `path:"name" example:"prometheus/metrics"`
	}) (view.Toolset, error) {
		return a.toolset(in.Name)
	})
}

// toolsets returns one page. Count and Tokens include the matches on all pages.
func (a *API) toolsets(in *toolsetsInput) ToolsetList {
	found := slices.DeleteFunc(slices.Clone(a.index().toolsets()), func(t view.Toolset) bool { return !in.lets(&t) })
	l := ToolsetList{Count: len(found)}
	l.Tokens, _ = view.Cost(found)
	l.Toolsets, l.Continue = page(&in.Paging, listToolsets, found, func(t view.Toolset) key {
		return key{Ref: backend.Ref{Name: t.Name}}
	})
	return l
}

func (in *toolsetsInput) lets(t *view.Toolset) bool {
	return (in.Type == "" || in.Type == t.Type) && (!in.Enabled.Set || in.Enabled.Value == t.Enabled) &&
		(!in.Healthy.Set || t.Healthy != nil && *t.Healthy == in.Healthy.Value)
}

func (a *API) toolset(name string) (view.Toolset, error) {
	var names []string
	for _, t := range a.index().toolsets() {
		if t.Name == name {
			return t, nil
		}
		if len(names) < nearMost {
			names = append(names, t.Name)
		}
	}
	hint := didYouMean(strings.TrimSpace(name), names)
	return view.Toolset{}, problem(http.StatusNotFound, "there is no toolset %q%s", cut(name, 100), hint)
}
