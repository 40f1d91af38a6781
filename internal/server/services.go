package server

import (
	"context"
	"net/http"
	"slices"
	"strconv"
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
	l := ServiceList{Services: []view.Service{}}
	words, after := strings.Fields(strings.ToLower(in.Search)), afterToken(in.Continue)
	var last key // on this page
	more := false
	for _, s := range a.index().services {
		if !in.lets(s, words) {
			continue
		}
		l.Count++
		switch {
		case s.compare(after) <= 0:
		case len(l.Services) == in.Limit:
			more = true
		default:
			l.Services, last = append(l.Services, s.view()), s.key
		}
	}
	if more {
		l.Continue = newToken(listServices, strconv.Itoa(last.rank), last.Namespace, last.Name, last.typ)
	}
	return l
}

// lets reports whether a Service passes the filters. An unmatched Service has no type and no health.
func (in *servicesInput) lets(s listed, words []string) bool {
	verdict := backend.Rejected
	if s.shown != nil {
		verdict = s.shown.Verdict
	}
	return (in.Type == "" || in.Type == s.typ) && (in.Namespace == "" || in.Namespace == s.Namespace) &&
		(in.Verdict == "" || in.Verdict == string(verdict)) &&
		(!in.Healthy.Set || s.shown != nil && s.shown.Healthy != nil && *s.shown.Healthy == in.Healthy.Value) &&
		(len(words) == 0 || s.has(words))
}

// has reports whether a Service contains all words of a search.
func (s listed) has(words []string) bool {
	text := s.Ref.String()
	if v := s.shown; v != nil {
		text = strings.ToLower(strings.Join([]string{text, v.Type, v.Instance, v.Endpoint, v.Metadata.Version}, "\n"))
	}
	return !slices.ContainsFunc(words, func(word string) bool { return !strings.Contains(text, word) })
}

func (s listed) view() view.Service {
	if s.shown != nil {
		return *s.shown
	}
	return view.NewService(view.Unmatched(s.Ref), nil)
}

// afterToken returns the key of the last Service on the previous page. Without a token, the key precedes all Services.
func afterToken(t Token) key {
	if k, ok := t.read(listServices); ok {
		if number, err := strconv.Atoi(k[0]); err == nil {
			return key{number, backend.Ref{Namespace: k[1], Name: k[2]}, k[3]}
		}
	}
	return key{rank: -1}
}
