package server

import (
	"context"
	"net/http"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"

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

// toolsets returns one page. A toolset and an MCP server may have the same name, so the token also has a number within
// the name.
func (a *API) toolsets(in *toolsetsInput) ToolsetList {
	l := ToolsetList{Toolsets: []view.Toolset{}}
	after, given := in.Continue.read(listToolsets)
	var last Token // on this page
	before, nth, more := "", 0, false
	var all []view.Toolset
	for _, t := range a.index().toolsets() {
		if t.Name != before {
			before, nth = t.Name, 0
		}
		nth++
		if !in.lets(&t) {
			continue
		}
		all = append(all, t)
		switch {
		case given && (t.Name < after[0] || t.Name == after[0] && strconv.Itoa(nth) <= after[1]):
		case len(l.Toolsets) == in.Limit:
			more = true
		default:
			l.Toolsets = append(l.Toolsets, t)
			last = newToken(listToolsets, t.Name, strconv.Itoa(nth))
		}
	}
	if more {
		l.Continue = last
	}
	l.Count = len(all)
	l.Tokens, _ = view.Cost(all)
	return l
}

func (in *toolsetsInput) lets(t *view.Toolset) bool {
	return (in.Type == "" || in.Type == t.Type) && in.Enabled.allows(t.Enabled) &&
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
