package server

import (
	"context"
	"errors"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"kubernaut.io/dynamic-toolset/internal/backend"
	"kubernaut.io/dynamic-toolset/internal/controller"
	"kubernaut.io/dynamic-toolset/internal/view"
)

// Discovery is the result of a discovery.
type Discovery struct {
	Status   string         `json:"status" enum:"done,running" doc:"running: the discovery takes longer than 10 s, and the response shows the results so far"`
	Services []view.Service `json:"services" doc:"The accepted Services"`
	Count    int            `json:"count"`
	Leader   bool           `json:"leader" doc:"Whether this replica writes the document"`
}

func (a *API) registerDiscovery(h huma.API) {
	o := operation(http.MethodPost, "/api/v1/discover", "discover",
		"Run a discovery: read every Service and probe every backend",
		Right{Verb: "create", Resource: ResourceDiscoveries}, http.StatusRequestEntityTooLarge,
		http.StatusUnsupportedMediaType)
	o.Description = "Responds when every backend was probed, after 10 s at most. " +
		"If a discovery runs already, the request waits for it. At most one discovery starts in a second."
	handle(h, o, func(ctx context.Context, _ *struct{}) (Discovery, error) { return a.discover(ctx) })
}

// discover runs a discovery, or waits for the one that runs.
func (a *API) discover(ctx context.Context) (Discovery, error) {
	limited, cancel := context.WithTimeout(ctx, a.limits.discover)
	defer cancel()
	_, err := a.o.State.Discover(limited)
	d := Discovery{Status: "done", Services: []view.Service{}}
	tooSoon := (*controller.TooSoonError)(nil)
	switch {
	case errors.As(err, &tooSoon):
		return d, problem(http.StatusTooManyRequests, "%s", err).retry(tooSoon.Wait)
	case err != nil && ctx.Err() == nil && limited.Err() != nil:
		d.Status = "running"
	case err != nil:
		return d, problem(http.StatusServiceUnavailable, "the discovery did not end: %s", err).retry(starting)
	}
	i := a.index()
	d.Leader = i.snapshot.Leading
	for _, l := range i.matched() {
		if l.shown.Verdict == backend.Accepted {
			d.Services = append(d.Services, *l.shown)
		}
	}
	d.Count = len(d.Services)
	return d, nil
}
