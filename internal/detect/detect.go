// Package detect recognises backends among Services by the labels, names and ports that charts and operators give them,
// and chooses the port of each (port.go). It is pure: it makes no connection and asks no API. The rules are data
// (package catalog); this package applies them.
package detect

import (
	"fmt"
	"slices"
	"strings"

	"kubernaut.io/dynamic-toolset/internal/backend"
	"kubernaut.io/dynamic-toolset/internal/catalog"
)

// Options are the parts of the configuration that decide which annotations count, and the backends that it names.
type Options struct {
	ClusterDomain     string   // cluster.local if empty
	TrustedNamespaces []string // may annotate MCP servers; instance names from there get no namespace before them
	OnlyTrusted       bool     // only they may annotate custom APIs, unproven backends and notes
	// Tenants that the configuration names: type -> Service -> tenants.
	Tenants              map[string]map[backend.Ref][]string
	AllowedEndpointHosts []string // hosts that the endpoint annotation may name beside the Service's own
	AllowedLinkHosts     []string // hosts of links from other namespaces; host:port if it is not the scheme's port
	Outside              []Outside
}

// Detector recognises the types of one catalog. It is safe for concurrent use.
type Detector struct {
	catalog *catalog.Catalog
	types   []*compiled
	look    conventions
	index   *index
	opts    Options
}

// New makes a Detector. It fails if the catalog has more types than it can tell apart.
func New(c *catalog.Catalog, opts Options) (*Detector, error) {
	if len(c.Types) > maxTypes {
		return nil, fmt.Errorf("the catalog has %d types, at most %d are possible: remove some of your own",
			len(c.Types), maxTypes)
	}
	if opts.ClusterDomain == "" {
		opts.ClusterDomain = "cluster.local"
	}
	types, look := compile(c)
	return &Detector{catalog: c, types: types, look: look, index: newIndex(types, &look), opts: opts}, nil
}

func (d *Detector) trusts(namespace string) bool {
	return slices.Contains(d.opts.TrustedNamespaces, namespace)
}

// InstanceName returns the name in the documents for an instance that its owner calls name, or that was published under
// that name before. Outside the trusted namespaces it begins with the namespace, so that nobody can use another team's
// name.
func (d *Detector) InstanceName(ref backend.Ref, name string) string {
	switch {
	case name == "":
		return ref.String()
	case d.trusts(ref.Namespace), strings.Contains(name, "/"):
		return name
	}
	return ref.Namespace + "/" + name
}

// Result is the result of detection for one Service.
type Result struct {
	// Candidates, at most one for each type. A port has more than one only if a probe has to decide. Each candidate may
	// have several tenants (PerTenant).
	Candidates []*backend.Candidate
	// Rejected is why there is no candidate; no reason if the Service is unmatched. If its details name an annotation,
	// the owner should correct that.
	Rejected backend.Reason
	// Type is the nearest type of a rejected Service; may be empty.
	Type string
	// Warning is a fault that decides nothing and that the owner should correct, such as an unknown annotation.
	Warning backend.Reason
}

// Complaints returns all faults that the Service's owner should correct.
func (r *Result) Complaints() (list []backend.Reason) {
	if r.Rejected.Annotation != "" {
		list = append(list, r.Rejected)
	}
	if r.Warning.Is() {
		list = append(list, r.Warning)
	}
	return list
}

// Nothing reports whether the Service matches no type and has no annotation for detection.
func (r *Result) Nothing() bool { return len(r.Candidates) == 0 && !r.Rejected.Is() }

// Detect decides about one Service. Endpoints are nil if nothing is known of them. For a Service that matches no type
// Detect neither allocates nor evaluates a rule.
func (d *Detector) Detect(s *backend.Service, e *backend.Endpoints) Result {
	if s.Bared > 0 {
		return Result{
			Rejected: reason(backend.CodeNamespaceServices, backend.Details{Limit: backend.MaxServices >> 20}),
		}
	}
	annotated := hasAnnotations(s)
	near := d.index.near(s)
	if near == 0 && !annotated {
		return Result{}
	}
	r := d.examine(s, e, near)
	if annotated {
		r.Warning = d.unknownAnnotation(s)
	}
	for _, c := range r.Candidates {
		c.Wants = d.wants(c)
	}
	d.spread(&r)
	d.refuse(&r)
	return r
}

// examine is Detect for a Service that has annotations or may match a type.
func (d *Detector) examine(s *backend.Service, e *backend.Endpoints, near mask) Result {
	notes, bad := d.readAnnotations(s)
	if bad.Is() {
		return Result{Rejected: bad, Type: notes.typ}
	}
	if notes.optOut {
		return Result{Rejected: backend.Reason{Code: backend.CodeOptedOut}, Type: notes.typ}
	}
	if s.Excess != nil {
		return Result{Rejected: backend.Reason{Code: backend.CodeTooManyEntries}, Type: d.firstNear(near)}
	}
	if notes.include && s.Type == typeExternal {
		if bad := d.external(s, &notes); bad.Is() {
			return Result{Rejected: bad, Type: notes.typ}
		}
	} else if r := unusable(s); r.Is() {
		return Result{Rejected: r, Type: d.firstNear(near)}
	}
	if notes.include {
		return d.include(s, e, near, notes)
	}
	r := decide(d.evaluateAll(s, e, near, notes))
	if r.Nothing() && near&lookalikeBit != 0 {
		r.Rejected = d.lookalike(s)
	}
	return r
}

// evaluateAll applies the rules of the near types, or only of the annotated one.
func (d *Detector) evaluateAll(
	s *backend.Service, e *backend.Endpoints, near mask, notes annotations,
) (evals []evaluation) {
	for i, t := range d.types {
		if near&(1<<i) != 0 && (notes.typ == "" || notes.typ == t.Type.Type) {
			evals = append(evals, d.evaluate(t, s, e, notes))
		}
	}
	return evals
}

// reason makes a reason with details.
func reason(code backend.Code, details backend.Details) backend.Reason {
	return backend.Reason{Code: code, Details: details}
}

// lookup returns the type of the catalog with that name, or nil.
func (d *Detector) lookup(name string) *compiled {
	for _, t := range d.types {
		if t.Type.Type == name {
			return t
		}
	}
	return nil
}

func (d *Detector) firstNear(near mask) string {
	for i, t := range d.types {
		if near&(1<<i) != 0 {
			return t.Type.Type
		}
	}
	return ""
}

// decide chooses the candidates: for each port the type with the best evidence. If all evidence is weak, each type is a
// candidate, since the probe will tell.
func decide(evals []evaluation) Result {
	var r Result
	// A port that is another type's own means nothing if one type knows that the Service is something else.
	known := slices.ContainsFunc(evals, func(e evaluation) bool { return e.other })
	for i := range evals {
		if c := evals[i].Candidate; c != nil && !beaten(evals, i) && (evals[i].weight() > weightPort || !known) {
			r.Candidates = append(r.Candidates, c)
		}
	}
	rejected := slices.DeleteFunc(evals, func(e evaluation) bool { return !e.Rejected.Is() })
	if len(r.Candidates) == 0 && len(rejected) > 0 {
		nearest := slices.MaxFunc(rejected, func(a, b evaluation) int { return a.closeness() - b.closeness() })
		r.Rejected, r.Type = nearest.Rejected, nearest.Type
	}
	return r
}

// beaten reports whether another type has better evidence than the i-th for the same port: strong evidence beats weak,
// a rule beats signs that add up, and between equals the catalog's order decides.
func beaten(evals []evaluation, i int) bool {
	c := evals[i].Candidate
	for j := range evals {
		o := evals[j].Candidate
		if o == nil || j == i || o.Port.Number != c.Port.Number {
			continue
		}
		if a, b := evals[j].weight(), evals[i].weight(); a > b || a == b && a >= weightSum && j < i {
			return true
		}
	}
	return false
}

// Matters reports whether Detect has a result for the Service, whatever its endpoints are, so that a reader of many
// Services can keep only those. Many others have a label that some type looks at.
func (d *Detector) Matters(s *backend.Service) bool {
	r := d.Detect(s, nil)
	return !r.Nothing() || r.Warning.Is()
}

// Explain returns the result of every type that looked at the Service, in the catalog's order. It ignores annotations
// that include a Service or exclude it, which Detect evaluates.
func (d *Detector) Explain(s *backend.Service, e *backend.Endpoints) []backend.Evaluation {
	var evals []backend.Evaluation
	for _, e := range d.evaluateAll(s, e, d.index.near(s), annotations{}) {
		evals = append(evals, e.Evaluation)
	}
	return evals
}
