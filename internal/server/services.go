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

// listServices and listToolsets are the operation IDs of the lists with pages.
const (
	listServices = "list-services"
	listToolsets = "list-toolsets"
)

// ServiceList is one page of the Services.
type ServiceList struct {
	Services []view.Service `json:"services"`
	Count    int            `json:"count" doc:"Number of Services on all pages"`
	Continue Token          `json:"continue,omitempty" doc:"The value of continue for the next page; missing on the last page"`
}

type servicesInput struct {
	Type      string         `query:"type" maxLength:"63" doc:"Only backends of this type"`
	Namespace string         `query:"namespace" pattern:"^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$" patternDescription:"a namespace's name" doc:"Only Services in this namespace"`
	Healthy   Optional[bool] `query:"healthy" doc:"Only backends that the probe found healthy (true) or not healthy (false)"`
	Verdict   string         `query:"verdict" enum:"accepted,unavailable,duplicate,unconfirmed,rejected"`
	Search    string         `query:"search" maxLength:"200" doc:"Words; each must occur in the namespace, name, type, instance, endpoint or version"`
	Paging
}

func (a *API) registerServices(h huma.API) {
	o := operation(http.MethodGet, "/api/v1/services", listServices, "List the Services with their verdicts",
		Right{Verb: "list", Resource: ResourceServices})
	o.Description = "Sorted by verdict, namespace and name. Services that match no type come last, as rejected. " +
		"A Service that matches several types is listed once for each type."
	handle(h, o, func(_ context.Context, in *servicesInput) (ServiceList, error) { return a.services(in), nil })
}

// services returns one page. Count includes the matches on all pages.
func (a *API) services(in *servicesInput) ServiceList {
	words := strings.Fields(strings.ToLower(in.Search))
	all := a.index().services
	found := make([]*listed, 0, len(all))
	for i := range all {
		if in.lets(&all[i], words) {
			found = append(found, &all[i])
		}
	}
	l := ServiceList{Services: []view.Service{}, Count: len(found)}
	found, l.Continue = page(&in.Paging, listServices, found, func(s *listed) key { return s.key })
	for _, s := range found {
		l.Services = append(l.Services, s.view())
	}
	return l
}

// lets reports whether a Service passes the filters. An unmatched Service has no type and no health.
func (in *servicesInput) lets(s *listed, words []string) bool {
	verdict := backend.Rejected
	if s.shown != nil {
		verdict = s.shown.Verdict
	}
	return (in.Type == "" || in.Type == s.Type) && (in.Namespace == "" || in.Namespace == s.Namespace) &&
		(in.Verdict == "" || in.Verdict == string(verdict)) &&
		(!in.Healthy.Set || s.shown != nil && s.shown.Healthy != nil && *s.shown.Healthy == in.Healthy.Value) &&
		(len(words) == 0 || s.has(words))
}

// has reports whether a Service contains all words of a search.
func (s *listed) has(words []string) bool {
	text := s.Ref.String()
	if v := s.shown; v != nil {
		text = strings.ToLower(strings.Join([]string{text, v.Type, v.Instance, v.Endpoint, v.Metadata.Version}, "\n"))
	}
	return !slices.ContainsFunc(words, func(word string) bool { return !strings.Contains(text, word) })
}

func (s *listed) view() view.Service {
	if s.shown != nil {
		return *s.shown
	}
	return view.NewService(view.Unmatched(s.Ref), nil)
}
