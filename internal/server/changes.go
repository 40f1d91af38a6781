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
	Count   int      `json:"count" doc:"How many are remembered after since"`
}

// Change is one change.
type Change struct {
	Seq       uint64    `json:"seq" doc:"Counts up from 1 within one process"`
	At        time.Time `json:"at"`
	Kind      string    `json:"kind" doc:"As in added, withdrawn, published, failed"`
	Namespace string    `json:"namespace" doc:"Of the Service, empty where it is about none"`
	Service   string    `json:"service" doc:"Its name"`
	Type      string    `json:"type" doc:"Of the backend, empty where it is about none"`
	Message   string    `json:"message"`
}

func (a *API) registerChanges(h huma.API) {
	o := operation(http.MethodGet, "/api/v1/changes", "list-changes", "List what changed lately",
		Right{Verb: "list", Resource: ResourceToolsets})
	handle(h, o, func(_ context.Context, in *struct {
		Limit int    `query:"limit" minimum:"1" maximum:"500" default:"100" doc:"How many to answer with"`
		Since uint64 `query:"since" doc:"A seq: changes after that one alone"`
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

// lastChange returns the seq of the newest change, 0 if there is none.
func (a *API) lastChange() uint64 {
	all := a.o.History.Since(0)
	if len(all) == 0 {
		return 0
	}
	return all[len(all)-1].Seq
}
