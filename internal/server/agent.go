package server

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"kubernaut.io/dynamic-toolset/internal/agent"
	"kubernaut.io/dynamic-toolset/internal/view"
)

func (a *API) registerAgent(h huma.API) {
	o := operation(http.MethodGet, "/api/v1/agent", "get-agent",
		"Get the state of each HolmesGPT replica and its toolsets", Right{Verb: "get", Resource: ResourceToolsets})
	handle(h, o, func(context.Context, *struct{}) (view.Agent, error) { return a.agent(), nil })
}

func (a *API) agent() view.Agent {
	var state *agent.State
	if a.o.Agent != nil {
		now := a.o.Agent.State()
		state = &now
	}
	return view.NewAgent(state)
}
