package api

import (
	"context"
	"io"
	"net/http"
	"slices"
	"sort"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"kubernaut.io/dynamic-toolset/internal/auth"
	"kubernaut.io/dynamic-toolset/internal/backend"
	"kubernaut.io/dynamic-toolset/internal/view"
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

	encoded [][]byte // instead of Services
}

// writeJSON implements preparedJSON.
func (l ServiceList) writeJSON(w io.Writer) error {
	end := []byte(`],"count":`)
	end = strconv.AppendInt(end, int64(l.Count), 10)
	if l.Continue != "" { // base64
		end = append(append(append(end, `,"continue":"`...), l.Continue...), '"')
	}
	end = append(end, "}\n"...)

	parts := make([][]byte, 0, 2*len(l.encoded)+2)
	before := []byte(`{"services":[`)
	for _, text := range l.encoded {
		parts = append(parts, before, text)
		before = []byte{','}
	}
	if len(l.encoded) == 0 {
		parts = append(parts, before)
	}
	for _, part := range append(parts, end) {
		if _, err := w.Write(part); err != nil {
			return err
		}
	}
	return nil
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
		l, err := a.services(in)
		if err != nil {
			return nil, err
		}
		return &struct{ Body ServiceList }{*l}, nil
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
	return !o.At.IsZero() && f.Healthy.Value == o.Outcome.Up()
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
func (a *API) services(in *servicesInput) (*ServiceList, error) {
	w, f := a.world(), &filter{servicesInput: in, words: strings.Fields(strings.ToLower(in.Search))}
	l := &ServiceList{}
	after := afterToken(in.Continue)

	found, rest := w.found(f), w.matching(f)
	l.Count = len(found) + len(rest)
	found = found[sort.Search(len(found), func(i int) bool { return found[i].key.compare(after) > 0 }):]
	rest = rest[sort.Search(len(rest), func(i int) bool { return otherKey(rest[i]).compare(after) > 0 }):]
	more := len(found)+len(rest) > in.Limit

	found = found[:min(len(found), in.Limit)]
	rest = rest[:min(len(rest), in.Limit-len(found))]
	var last key
	for _, e := range found {
		text, err := e.json(a.o.Catalog)
		if err != nil {
			return nil, err
		}
		l.encoded, last = append(l.encoded, text), e.key
	}
	for _, ref := range rest {
		text, err := (&entry{Finding: nothing(ref)}).json(a.o.Catalog)
		if err != nil {
			return nil, err
		}
		l.encoded, last = append(l.encoded, text), otherKey(ref)
	}
	if more {
		l.Continue = newToken(listServices, strconv.Itoa(last.rank), last.Namespace, last.Name, last.typ)
	}
	return l, nil
}

// found are the findings that a filter lets through, in order.
func (i *index) found(f *filter) []*entry {
	if f.all() {
		return i.findings
	}
	var texts []string
	if len(f.words) > 0 {
		texts = i.texts()
	}
	var found []*entry
	for n, e := range i.findings {
		text := ""
		if texts != nil {
			text = texts[n]
		}
		if f.finding(e.Finding, text) {
			found = append(found, e)
		}
	}
	return found
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

// afterToken is the key of the last Service on the page before; without one it comes before all of them.
func afterToken(t Token) key {
	if k, ok := t.read(listServices); ok {
		if number, err := strconv.Atoi(k[0]); err == nil {
			return key{number, backend.Ref{Namespace: k[1], Name: k[2]}, k[3]}
		}
	}
	return key{rank: -1}
}
