package api

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"sort"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"kubernaut.io/dynamic-toolset/internal/auth"
	"kubernaut.io/dynamic-toolset/internal/backend"
	"kubernaut.io/dynamic-toolset/internal/controller"
	"kubernaut.io/dynamic-toolset/internal/view"
	"kubernaut.io/dynamic-toolset/internal/yamlfile"
)

// listServices and listToolsets are the lists that are paged.
const (
	listServices = "list-services"
	listToolsets = "list-toolsets"
)

// ServiceList is a part of the Services.
type ServiceList struct {
	Services []view.Service `json:"services"`
	Count    int            `json:"count" doc:"How many there are in all parts"`
	Continue Token          `json:"continue,omitempty" doc:"For the next part; missing in the last one"`
}

// Discovery is what a discovery came to.
type Discovery struct {
	Status   string         `json:"status" enum:"done,running" doc:"running: it takes longer than 10 s, and this is what is known by now"`
	Services []view.Service `json:"services" doc:"The accepted ones"`
	Count    int            `json:"count"`
	Leader   bool           `json:"leader" doc:"Whether this replica writes what it found"`
}

type servicesInput struct {
	Type      string         `query:"type" maxLength:"63" doc:"The type of backend"`
	Namespace string         `query:"namespace" pattern:"^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$" patternDescription:"a namespace's name" doc:"Its Services alone"`
	Healthy   Optional[bool] `query:"healthy" doc:"Those that a probe found so; what was not probed is neither"`
	Verdict   string         `query:"verdict" enum:"accepted,unavailable,duplicate,unconfirmed,rejected"`
	Search    string         `query:"search" maxLength:"200" doc:"Words, each of which must be in the namespace, name, type, instance, endpoint or version"`
	Paging
	Strict Strict
}

func (a *API) registerServices(h huma.API) {
	o := operation(http.MethodGet, "/api/v1/services", listServices, "List Services with what became of them",
		right{"list", auth.Services})
	o.Description = "By verdict, namespace and name. Services that are nothing at all come last, as rejected. " +
		"A Service that several types were found in comes once for each."
	huma.Register(h, o, func(_ context.Context, in *servicesInput) (*struct{ Body ServiceList }, error) {
		return &struct{ Body ServiceList }{a.services(in)}, nil
	})

	o = operation(http.MethodGet, "/api/v1/services/{namespace}/{name}", "explain-service", "Explain what became of one Service, and why",
		right{"get", auth.Services}, http.StatusNotFound)
	huma.Register(h, o, func(ctx context.Context, in *struct {
		Namespace string `path:"namespace"`
		Name      string `path:"name"`
		Strict    Strict
	}) (*struct{ Body view.Explanation }, error) {
		e, err := a.explain(ctx, backend.Ref{Namespace: in.Namespace, Name: in.Name})
		if err != nil {
			return nil, err
		}
		return &struct{ Body view.Explanation }{*e}, nil
	})

	o = operation(http.MethodPost, "/api/v1/discover", "discover", "Look at every Service again, and ask every backend",
		right{"create", auth.Discoveries}, http.StatusRequestEntityTooLarge, http.StatusUnsupportedMediaType)
	o.Description = "Answers when every backend was asked, after 10 s at most. Who asks while one runs waits for that one; " +
		"one may begin every second."
	huma.Register(h, o, func(ctx context.Context, _ *struct{ Strict Strict }) (*struct{ Body Discovery }, error) {
		d, err := a.discover(ctx)
		if err != nil {
			return nil, err
		}
		return &struct{ Body Discovery }{*d}, nil
	})
}

// filter is what a list of Services is asked for.
type filter struct {
	*servicesInput
	words []string
}

// all says that nothing is left out.
func (f *filter) all() bool {
	return f.Type == "" && f.Namespace == "" && f.Verdict == "" && !f.Healthy.Set && len(f.words) == 0
}

func (f *filter) finding(s *backend.Finding, text string) bool {
	return (f.Type == "" || f.Type == s.Type) && (f.Namespace == "" || f.Namespace == s.Namespace) &&
		(f.Verdict == "" || f.Verdict == string(s.Verdict)) && (!f.Healthy.Set || f.healthy(s)) &&
		!slices.ContainsFunc(f.words, func(word string) bool { return !strings.Contains(text, word) })
}

// healthy compares with what view.Service shows.
func (f *filter) healthy(s *backend.Finding) bool {
	o := &s.Observation
	return !o.At.IsZero() && f.Healthy.Value == (o.Outcome == backend.Ready || o.Outcome == backend.AuthRequired)
}

func (f *filter) other(ref backend.Ref) bool {
	return !slices.ContainsFunc(f.words, func(word string) bool {
		before, after, slash := strings.Cut(word, "/")
		if slash {
			return !strings.HasSuffix(ref.Namespace, before) || !strings.HasPrefix(ref.Name, after)
		}
		return !strings.Contains(ref.Namespace, word) && !strings.Contains(ref.Name, word)
	})
}

// services is one page. Only what is on it is put into words; the others are counted.
func (a *API) services(in *servicesInput) ServiceList {
	w, f := a.world(), &filter{servicesInput: in, words: strings.Fields(strings.ToLower(in.Search))}
	l := ServiceList{Services: []view.Service{}}
	var last key // on this page
	after := afterToken(in.Continue)
	more := false
	take := func(k key) bool { // reports whether it is on this page
		l.Count++
		if after != nil && k.compare(*after) <= 0 {
			return false
		}
		if len(l.Services) == in.Limit {
			more = true
			return false
		}
		last = k
		return true
	}
	w.eachFinding(f, func(s *backend.Finding) {
		if take(keyOf(s)) {
			l.Services = append(l.Services, view.NewService(s, a.o.Catalog))
		}
	})
	rest := w.matching(f)
	begin := 0
	if after != nil {
		begin = sort.Search(len(rest), func(i int) bool { return otherKey(rest[i]).compare(*after) > 0 })
	}
	l.Count += len(rest)
	for _, ref := range rest[begin:] {
		if len(l.Services) == in.Limit {
			more = true
			break
		}
		last = otherKey(ref)
		l.Services = append(l.Services, view.NewService(nothing(ref), a.o.Catalog))
	}
	if more {
		l.Continue = newToken(listServices, strconv.Itoa(last.rank), last.Namespace, last.Name, last.typ)
	}
	return l
}

// eachFinding calls for those that a filter lets through, in order.
func (i *index) eachFinding(f *filter, do func(*backend.Finding)) {
	var texts []string
	if len(f.words) > 0 {
		texts = i.texts()
	}
	for n, s := range i.findings {
		text := ""
		if texts != nil {
			text = texts[n]
		}
		if f.finding(s, text) {
			do(s)
		}
	}
}

// matching are the others that a filter lets through. They have no type and no health.
func (w *world) matching(f *filter) []backend.Ref {
	if f.Type != "" || f.Healthy.Set || f.Verdict != "" && f.Verdict != string(backend.Rejected) {
		return nil
	}
	list := w.others
	if f.Namespace != "" {
		list = inNamespace(list, f.Namespace)
	}
	if len(f.words) == 0 {
		return list
	}
	var found []backend.Ref
	for _, ref := range list {
		if f.other(ref) {
			found = append(found, ref)
		}
	}
	return found
}

// inNamespace is the part of a sorted list that one namespace has.
func inNamespace(list []backend.Ref, namespace string) []backend.Ref {
	begin := sort.Search(len(list), func(i int) bool { return list[i].Namespace >= namespace })
	size := sort.Search(len(list)-begin, func(i int) bool { return list[begin+i].Namespace > namespace })
	return list[begin : begin+size]
}

func otherKey(ref backend.Ref) key { return key{rank: rankOther, Ref: ref} }

// nothing is the finding of a Service that is nothing.
func nothing(ref backend.Ref) *backend.Finding {
	return &backend.Finding{Ref: ref, Verdict: backend.Rejected, Reason: view.ReasonNothing}
}

// afterToken is the key of the last Service on the page before, nil for none.
func afterToken(t Token) *key {
	k, ok := t.read(listServices)
	if !ok {
		return nil
	}
	number, err := strconv.Atoi(k[0])
	if err != nil {
		return nil
	}
	return &key{number, backend.Ref{Namespace: k[1], Name: k[2]}, k[3]}
}

// explain puts together what is known of one Service.
func (a *API) explain(ctx context.Context, ref backend.Ref) (*view.Explanation, error) {
	w := a.world()
	m := view.Material{
		Detector: a.o.Detector, Catalog: a.o.Catalog, Findings: w.snapshot.Findings, Hints: view.Hints{Files: a.o.Standalone},
	}
	ctx, cancel := context.WithTimeout(ctx, a.limits.lookup)
	defer cancel()
	var err error
	if label(ref.Namespace) && label(ref.Name) { // nothing else is a Service's name
		m.Service, m.Endpoints, err = a.o.Services.Lookup(ctx, ref)
	}
	if m.Service == nil { // one whose namespace may not be watched now, or the API server is away
		for _, f := range w.findings {
			if f.Ref == ref && f.Service != nil {
				m.Service, err = f.Service, nil
			}
		}
	}
	switch {
	case err != nil:
		return nil, problem(http.StatusServiceUnavailable, "Service %s cannot be read now: %s", ref, err).retry(starting)
	case m.Service == nil:
		return nil, problem(http.StatusNotFound, "there is no Service %q in the namespace %q%s",
			cut(ref.Name, 100), cut(ref.Namespace, 100), didYouMean(ref.Name, w.near(ref.Namespace)))
	}
	e := view.Explain(m)
	return &e, nil
}

// nearMost bounds how many names are compared with one that is not there.
const nearMost = 500

// near are names of Services in a namespace.
func (w *world) near(namespace string) []string {
	var names []string
	for _, f := range w.findings {
		if f.Namespace == namespace && len(names) < nearMost {
			names = append(names, f.Name)
		}
	}
	for _, ref := range inNamespace(w.others, namespace) {
		if len(names) == nearMost {
			break
		}
		names = append(names, ref.Name)
	}
	return names
}

func didYouMean(word string, known []string) string {
	if nearest := yamlfile.Nearest(word, known); nearest != "" {
		return "; did you mean " + strconv.Quote(nearest) + "?"
	}
	return ""
}

// label says that s may be the name of a namespace or a Service.
func label(s string) bool {
	if s == "" || len(s) > 63 {
		return false
	}
	for _, c := range []byte(s) {
		if (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-' {
			return false
		}
	}
	return true
}

// discover runs a discovery, or waits for the one that runs.
func (a *API) discover(ctx context.Context) (*Discovery, error) {
	limited, cancel := context.WithTimeout(ctx, a.limits.discover)
	defer cancel()
	s, err := a.o.State.Discover(limited)
	d := &Discovery{Status: "done", Services: []view.Service{}}
	tooSoon := (*controller.TooSoonError)(nil)
	switch {
	case errors.As(err, &tooSoon):
		return nil, problem(http.StatusTooManyRequests, "%s", err).retry(tooSoon.Wait)
	case err != nil && ctx.Err() == nil && limited.Err() != nil:
		d.Status, s = "running", a.o.State.Snapshot()
	case err != nil:
		return nil, problem(http.StatusServiceUnavailable, "the discovery did not end: %s", err).retry(starting)
	}
	d.Leader = s.Leading
	for _, f := range newIndex(s).findings {
		if f.Verdict == backend.Accepted {
			d.Services = append(d.Services, view.NewService(f, a.o.Catalog))
		}
	}
	d.Count = len(d.Services)
	return d, nil
}
