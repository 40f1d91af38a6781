package view

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"kubernaut.io/dynamic-toolset/internal/backend"
	"kubernaut.io/dynamic-toolset/internal/catalog"
	"kubernaut.io/dynamic-toolset/internal/safetext"
)

// Material holds the input of an explanation.
type Material struct {
	Service   *backend.Service
	Endpoints *backend.Endpoints // nil if not known
	Catalog   *catalog.Catalog
	// Evaluations are the results of the types that could match the Service, without its annotations.
	Evaluations []backend.Evaluation
	Findings    []*backend.Finding // of all Services
	Hints       Hints
	// Primary maps a type to the Service that the configuration names as its primary.
	Primary map[string]backend.Ref
	// TrustedNamespaces are the namespaces whose owners may choose a primary by annotation.
	TrustedNamespaces []string
	Agent             *Agent // nil if the state of HolmesGPT is not known
}

// Explain explains one Service.
func Explain(m Material) Explanation {
	var own []*backend.Finding
	for _, f := range m.Findings {
		if f.Ref == m.Service.Ref {
			own = append(own, f)
		}
	}
	if len(own) == 0 {
		unmatched := Unmatched(m.Service.Ref)
		unmatched.Service = m.Service
		own = []*backend.Finding{unmatched}
	}
	e := Explanation{About: about(m), Services: []Backend{}, Tried: []Tried{}, Advice: []Advice{}}
	for _, f := range own {
		e.Summary = append(e.Summary, sentence(f))
		b := m.backend(f)
		e.Advice = append(e.Advice, m.inAgent(&b)...)
		e.Services = append(e.Services, b)
	}
	_, e.WithoutAnnotations = m.Service.Annotations[toolsetAnnotation]
	for i := range m.Evaluations {
		e.Tried = append(e.Tried, m.tried(&m.Evaluations[i], own))
	}
	if own[0].Warning.Is() {
		e.Advice = append(e.Advice, Advice{Text: "Correct its " + Warning(own[0])})
	}
	hints := m.Hints
	hints.recipes = e.Services[0].Recipes
	e.Advice = append(e.Advice, hints.advise(own[0])...)
	for _, f := range own {
		e.Advice = append(e.Advice, m.advisePrimary(f)...)
	}
	return e
}

const toolsetAnnotation = "kubernaut.io/toolset"

// sentence returns the verdict and its reason in one sentence.
func sentence(f *backend.Finding) string {
	verdict, as := string(f.Verdict), ""
	if f.Type != "" {
		as = " as " + f.Type
	}
	switch f.Verdict {
	case backend.Duplicate:
		verdict, as = "a "+verdict, ", as "+f.Type
	case backend.Unavailable:
		verdict, as = f.Type+", but "+verdict, ""
	}
	return fmt.Sprintf("%s is %s%s: %s.", f.Ref, verdict, as, strings.TrimRight(Reason(f), "."))
}

// ShownText limits texts that strangers choose, in characters.
const ShownText = 200

// about describes what detection reads of a Service.
func about(m Material) About {
	s := m.Service
	a := About{
		Kind: cmp.Or(s.Type, "ClusterIP"), Ports: cmp.Or(portList(s), "none"),
		Labels: map[string]string{}, Selector: map[string]string{}, Annotations: map[string]string{},
		Endpoints: "not known: no EndpointSlices were read",
	}
	if s.Type == backend.TypeOutside {
		a.Kind, a.Endpoints = "none: the configuration names it (backends)", "none: it is outside the cluster"
	}
	if s.Headless() {
		a.Kind = "headless: DNS gives the addresses of its pods"
	}
	if s.ExternalName != "" {
		a.Kind += ", for " + s.ExternalName
	}
	read := keysRead(m.Catalog)
	for k, v := range s.Labels {
		if read[k] || m.Catalog.Lookalikes.ReadsKey(k) {
			a.Labels[k] = v
		} else {
			a.OtherLabels++
		}
	}
	maps.Copy(a.Selector, s.Selector)
	for k, v := range s.Annotations {
		a.Annotations[k] = safetext.Clean(v, ShownText)
	}
	if m.Endpoints != nil {
		a.Endpoints = fmt.Sprintf("%d ready", m.Endpoints.ReadyCount())
	}
	return a
}

// keysRead returns the label keys that some rule reads. Other labels do not affect a verdict.
func keysRead(c *catalog.Catalog) map[string]bool {
	read := map[string]bool{}
	add := func(labels map[string]catalog.Values) {
		for k := range labels {
			read[k] = true
		}
	}
	for _, k := range slices.Concat(c.Lookalikes.AppLabels, c.Lookalikes.ComponentLabels) {
		read[k] = true
	}
	for _, w := range c.Lookalikes.Wants {
		add(w.Labels)
	}
	for _, t := range c.Types {
		add(t.Detect.Weak.Labels)
		for _, r := range slices.Concat(t.Detect.Strong, t.Detect.Fronts, t.Detect.Bundled, t.Detect.Reject) {
			add(r.Labels)
		}
		for _, r := range t.Toolset.Recipes {
			for _, sign := range r.When {
				add(sign.Labels)
			}
		}
	}
	return read
}

// backend describes a finding in full.
func (m *Material) backend(f *backend.Finding) Backend {
	b := Backend{
		Service: NewService(f, m.Catalog), Credentials: []string{}, Requests: []Request{}, Agent: []InAgent{},
		Recipes: m.recipes(f), NoLinks: noLinks(f),
	}
	if f.Candidate == nil {
		return b
	}
	o := &f.Observation
	b.PortReason, b.KeepsToken = PortReason(f.Candidate), f.KeepToken
	b.Observed = observed(f) || f.Reason.Code == backend.CodeWeakUnasked
	b.Credentials = append(b.Credentials, slices.Sorted(maps.Values(f.Credentials))...)
	b.Outcome, b.Detail = Health(o), Observed(f)
	b.Root = f.Candidate.EndpointAt(f.Candidate.Scheme, "")
	for i := range o.Requests {
		r := &o.Requests[i]
		brief, said := result(f, r)
		b.Requests = append(b.Requests, Request{
			Purpose: r.Purpose, URL: r.URL, Status: r.Status(), Result: joined(brief, said),
			Took: r.Took.Round(time.Microsecond).String(), Try: max(r.Try, 1), Brief: brief, Duration: r.Took,
		})
	}
	for _, other := range m.Findings {
		if other.Type == f.Type && other.Primary {
			b.PrimaryIs = other.Ref.String()
		}
	}
	b.PrimaryNote = primaryNote(f)
	if f.ShardOf != (backend.Key{}) {
		b.ShardOf = f.ShardOf.Ref.String()
	}
	if f.Verdict == backend.Accepted {
		b.Tokens = tokens(f, m.Catalog.Lookup(f.Type))
	}
	return b
}

// tried describes the result of one type. own are the findings of the Service.
func (m *Material) tried(e *backend.Evaluation, own []*backend.Finding) Tried {
	alone := &backend.Finding{Ref: m.Service.Ref, Service: m.Service}
	t := Tried{Type: e.Type, For: []string{}, Against: text(alone, e.Rejected)}
	t.Decided = e.Rejected.Is() && e.Rejected.Equal(own[0].Reason)
	for i := range e.Signs {
		sign := &e.Signs[i]
		if !slices.ContainsFunc(e.Signs[:i], func(before backend.Sign) bool { return sign.In(&before) }) {
			t.For = append(t.For, Sign(sign))
		}
	}
	if e.Candidate != nil {
		t.Port = PortReason(e.Candidate)
	}
	switch {
	case e.Rejected.Is():
		t.So = "no"
	case e.Candidate == nil:
		t.So = "too little evidence: only a word or a port that other products use too"
	case e.Candidate.Strength >= backend.Strong:
		t.So = "strong evidence" + beaten(e, own)
	default:
		t.So = "weak evidence, which needs a probe" + beaten(e, own)
	}
	return t
}

// beaten names the other type that got the port of this one, "" if there is none.
func beaten(e *backend.Evaluation, own []*backend.Finding) string {
	for _, f := range own {
		if f.Candidate == nil || f.Type == e.Type || f.Candidate.Detected == e.Type {
			return ""
		}
	}
	for _, f := range own {
		if f.Candidate.Port.Number == e.Candidate.Port.Number {
			return fmt.Sprintf("; for that port %s takes precedence", f.Type)
		}
	}
	return ""
}
