package server

import (
	"context"
	"net/http"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"kubernaut.io/dynamic-toolset/internal/backend"
	"kubernaut.io/dynamic-toolset/internal/controller"
	"kubernaut.io/dynamic-toolset/internal/view"
)

// Status is the state of the service.
type Status struct {
	Version       string    `json:"version"`
	Leader        bool      `json:"leader" doc:"Whether this replica writes the document"`
	Standalone    bool      `json:"standalone" doc:"Without a cluster: Services and documents are files"`
	Directory     bool      `json:"directory" doc:"The service writes files in a directory, and no ConfigMap"`
	DryRun        bool      `json:"dry_run" doc:"The service writes nothing"`
	Authenticated bool      `json:"authenticated" doc:"Whether the API server knows the user of this request"`
	DiscoveredAt  time.Time `json:"discovered_at" doc:"When the last discovery ended"`
	Took          string    `json:"took" doc:"Duration of the last discovery, such as 12ms"`
	Counts        Counts    `json:"counts"`
	ServicesTotal int       `json:"services_total"`
	Types         []string  `json:"types" doc:"The types of the Services"`
	Frozen        []string  `json:"namespaces_frozen" doc:"Namespaces that the service may not watch; their published backends stay"`
	Target        string    `json:"target" doc:"Where the service writes: namespace/name of the ConfigMap, or a directory"`
	Revision      uint64    `json:"revision" doc:"Increases with each visible change; starts again when the process starts"`
	Problems      []Trouble `json:"problems" doc:"Problems that need attention"`
	LastChange    uint64    `json:"last_change" doc:"The seq of the newest change; 0 if there is none"`
}

// Counts holds the number of Services by verdict. A Service that matches several types counts once for each.
type Counts struct {
	Accepted    int `json:"accepted"`
	Unavailable int `json:"unavailable"`
	Duplicate   int `json:"duplicate"`
	Unconfirmed int `json:"unconfirmed"`
	Rejected    int `json:"rejected"`
}

// Trouble is a problem that needs attention.
type Trouble struct {
	Kind    string `json:"kind" enum:"publish,source,overrides,frozen,warning"`
	Message string `json:"message"`
}

func (a *API) registerStatus(h huma.API) {
	o := operation(http.MethodGet, "/api/v1/status", "get-status", "Get the state of the service",
		Right{Verb: "get", Resource: ResourceToolsets})
	handle(h, o, func(ctx context.Context, _ *struct{}) (Status, error) { return a.status(traceOf(ctx).user), nil })
}

func (a *API) registerAgent(h huma.API) {
	o := operation(http.MethodGet, "/api/v1/agent", "get-agent",
		"Get the state of each HolmesGPT replica and its toolsets", Right{Verb: "get", Resource: ResourceToolsets})
	handle(h, o, func(context.Context, *struct{}) (view.Agent, error) { return a.agent(), nil })
}

func (a *API) agent() view.Agent {
	if a.o.Agent == nil {
		return view.NewAgent(nil)
	}
	state := a.o.Agent.State()
	return view.NewAgent(&state)
}

func (a *API) status(user string) Status {
	i := a.index()
	s, count := i.snapshot, i.counts
	return Status{
		Version: a.o.Version, Leader: s.Leading, Standalone: a.o.Standalone, Directory: a.o.Directory,
		DryRun: s.DryRun, Authenticated: user != "",
		DiscoveredAt: s.At.UTC(), Took: s.Took.Total.Round(time.Microsecond).String(),
		Counts: Counts{
			Accepted: count[backend.Accepted], Unavailable: count[backend.Unavailable],
			Duplicate: count[backend.Duplicate], Unconfirmed: count[backend.Unconfirmed],
			Rejected: count[backend.Rejected],
		},
		ServicesTotal: i.total, Types: i.types, Frozen: append([]string{}, s.Frozen...), Target: a.o.Target,
		Revision: i.revision, Problems: a.troubles(s), LastChange: a.o.History.Last(),
	}
}

// troubles returns the problems, the most important first.
func (a *API) troubles(s *controller.Snapshot) []Trouble {
	list := []Trouble{}
	add := func(kind, message string) {
		if message != "" {
			list = append(list, Trouble{kind, message})
		}
	}
	add("publish", message(s.Err))
	if a.o.SourceErr != nil {
		add("source", message(a.o.SourceErr()))
	} else {
		add("source", message(s.Source))
	}
	add("overrides", message(s.Overrides))
	if len(s.Frozen) > 0 {
		add("frozen", "not allowed to watch "+strings.Join(s.Frozen, ", ")+
			": their published backends stay as they are")
	}
	for _, m := range s.Misnamed {
		add("warning", view.MisnamedLine(m.Type, m.Ref, m.Finding))
	}
	if len(s.Taken) > 0 {
		add("warning", view.TakenLine(s.Taken))
	}
	if s.Document != nil {
		for _, warning := range view.DocumentWarnings(s.Document.Warnings) {
			add("warning", warning)
		}
	}
	return list
}
