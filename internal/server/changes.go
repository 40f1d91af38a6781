package server

import (
	"context"
	"net/http"
	"slices"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"kubernaut.io/dynamic-toolset/internal/controller"
)

// ChangeList holds the last changes.
type ChangeList struct {
	Changes []Change `json:"changes" doc:"Newest first"`
	Count   int      `json:"count" doc:"Number of recorded changes after since"`
}

// Change is one change.
type Change struct {
	Seq       uint64    `json:"seq" doc:"Number of the change; starts at 1 when the process starts"`
	At        time.Time `json:"at"`
	Kind      string    `json:"kind" doc:"The kind of change, such as added, withdrawn, published or failed"`
	Namespace string    `json:"namespace" doc:"Namespace of the Service; empty if the change is not about a Service"`
	Service   string    `json:"service" doc:"Name of the Service"`
	Type      string    `json:"type" doc:"Type of the backend; empty if the change is not about a backend"`
	Message   string    `json:"message"`
}

func (a *API) registerChanges(h huma.API) {
	o := operation(http.MethodGet, "/api/v1/changes", "list-changes", "List the recent changes",
		Right{Verb: "list", Resource: ResourceToolsets})
	handle(h, o, func(_ context.Context, in *struct {
		Limit int    `query:"limit" minimum:"1" maximum:"500" default:"100" doc:"Maximum number of changes in the response"`
		Since uint64 `query:"since" doc:"Return only changes after this seq"`
	}) (ChangeList, error) {
		all := a.o.History.Since(in.Since)
		l := ChangeList{Changes: []Change{}, Count: len(all)}
		for _, c := range slices.Backward(all) {
			if len(l.Changes) == in.Limit {
				break
			}
			l.Changes = append(l.Changes, newChange(&c))
		}
		return l, nil
	})
}

func newChange(c *controller.Change) Change {
	return Change{
		Seq: c.Seq, At: c.At.UTC(), Kind: string(c.Kind), Namespace: c.Namespace, Service: c.Name, Type: c.Type,
		Message: c.Message,
	}
}
