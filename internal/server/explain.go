package server

import (
	"context"
	"net/http"
	"slices"
	"strconv"

	"github.com/danielgtaylor/huma/v2"
	"k8s.io/apimachinery/pkg/util/validation"

	"kubernaut.io/dynamic-toolset/internal/backend"
	"kubernaut.io/dynamic-toolset/internal/view"
	"kubernaut.io/dynamic-toolset/internal/yamlfile"
)

func (a *API) registerExplanation(h huma.API) {
	o := operation(http.MethodGet, "/api/v1/services/{namespace}/{name}", "explain-service",
		"Explain the verdict on one Service",
		Right{Verb: "get", Resource: ResourceServices}, http.StatusNotFound)
	handle(h, o, func(ctx context.Context, in *struct {
		Namespace string `path:"namespace"`
		Name      string `path:"name"`
	}) (view.Explanation, error) {
		return a.explain(ctx, backend.Ref{Namespace: in.Namespace, Name: in.Name})
	})
}

// explain returns the explanation of one Service.
func (a *API) explain(ctx context.Context, ref backend.Ref) (view.Explanation, error) {
	i, agent := a.index(), a.agent()
	m := view.Material{
		Agent:   &agent,
		Catalog: a.o.Catalog, Findings: i.snapshot.Findings,
		Hints:   view.Hints{Files: a.o.Standalone, HolmesGPT: a.o.Namespace},
		Primary: a.o.Primary, TrustedNamespaces: a.o.TrustedNamespaces,
	}
	ctx, cancel := context.WithTimeout(ctx, a.limits.lookup)
	defer cancel()
	var found *backend.Service
	for _, f := range i.snapshot.Findings {
		if f.Ref == ref && f.Service != nil {
			found = f.Service
		}
	}
	var err error
	switch {
	case found != nil && found.Type == backend.TypeOutside: // a Service with that name would be unrelated
	case len(validation.IsDNS1123Label(ref.Namespace)) == 0 && len(validation.IsDNS1123Label(ref.Name)) == 0:
		m.Service, m.Endpoints, err = a.o.Services.Lookup(ctx, ref)
	}
	if m.Service == nil && found != nil { // the namespace may be forbidden now, or the API server unreachable
		m.Service, err = found, nil
	}
	switch {
	case err != nil:
		p := problem(http.StatusServiceUnavailable, "Service %s cannot be read now: %s", ref, err)
		return view.Explanation{}, p.retry(starting)
	case m.Service == nil:
		return view.Explanation{}, problem(http.StatusNotFound, "there is no Service %q in the namespace %q%s",
			cut(ref.Name, 100), cut(ref.Namespace, 100), didYouMean(ref.Name, i.near(ref.Namespace)))
	}
	if found == nil && a.o.Services.IsBare(ref) { // beyond the limit of Services that get a finding
		why := a.o.Detector.Detect(&backend.Service{Ref: ref, Bared: 1}, nil).Rejected
		m.Findings = append(slices.Clip(m.Findings),
			&backend.Finding{Ref: ref, Service: m.Service, Verdict: backend.Rejected, Reason: why})
	}
	m.Evaluations = a.o.Detector.Explain(m.Service, m.Endpoints)
	return view.Explain(m), nil
}

// nearMost limits how many names are compared with a name that does not exist.
const nearMost = 500

// near returns names of Services in a namespace, at most nearMost.
func (i *index) near(namespace string) (names []string) {
	for _, s := range i.services {
		if s.Namespace == namespace && len(names) < nearMost {
			names = append(names, s.Name)
		}
	}
	return names
}

func didYouMean(word string, known []string) string {
	if nearest := yamlfile.Nearest(word, known); nearest != "" {
		return "; did you mean " + strconv.Quote(nearest) + "?"
	}
	return ""
}
