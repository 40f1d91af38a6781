// Package detect recognises backends among Services by what charts and operators mean by their labels, names and ports.
// It is pure: it makes no connection and asks no API. What the rules are is data (package catalog); this package
// carries them out.
package detect

import (
	"fmt"
	"slices"
	"strings"

	"kubernaut.io/dynamic-toolset/internal/backend"
	"kubernaut.io/dynamic-toolset/internal/catalog"
)

// Options are the parts of the configuration that decide what a Service may say of itself.
type Options struct {
	ClusterDomain     string   // cluster.local if empty
	TrustedNamespaces []string // may annotate MCP servers, and their names stand alone
	OnlyTrusted       bool     // only they may add to what is proven: APIs of their own, unproven ones, notes
	// Tenants that the configuration names: type -> Service -> tenants.
	Tenants              map[string]map[backend.Ref][]string
	AllowedEndpointHosts []string // hosts that the endpoint annotation may name beside the Service's own
	AllowedLinkHosts     []string // hosts, with a port that is not their scheme's, of links from other namespaces
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

// InstanceName is the documents' name for an instance that its owner calls name, or that was published under that name
// before. Outside the trusted namespaces it begins with the namespace, so that no backend is taken for another team's.
func (d *Detector) InstanceName(ref backend.Ref, name string) string {
	switch {
	case name == "":
		return ref.String()
	case d.trusts(ref.Namespace), strings.Contains(name, "/"):
		return name
	}
	return ref.Namespace + "/" + name
}

// Result is what detection makes of one Service.
type Result struct {
	// Candidates, at most one for each type and, unless only a probe can tell, one for each port. Each may stand for
	// several tenants (PerTenant).
	Candidates []*backend.Candidate
	// Rejected is why there is no candidate; none with Type "" where nothing even looked like a backend. Where its
	// details name an annotation, that is for the owner to correct.
	Rejected backend.Reason
	// Type is the nearest type of a rejected Service; may be empty.
	Type string
	// Warning is what the owner should correct besides, which decides nothing: an annotation that does not exist.
	Warning backend.Reason
}

// Complaints are all faults that the Service's owner should correct.
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
	if near.empty() && !annotated {
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
	r.refuseNoPort()
	d.refuseSwitchedOff(&r, s.Namespace)
	return r
}

// refuseNoPort rejects a candidate with an invalid port number. Numbers come from Services and from EndpointSlices, and
// not all input was checked by an API server.
func (r *Result) refuseNoPort() {
	refused := func(c *backend.Candidate) bool {
		if c.PortNumber >= 1 && c.PortNumber <= 65535 {
			return false
		}
		r.Type = c.Type
		r.Rejected = reason(backend.CodeBadPortNumber, backend.Details{Port: &c.Port, Number: int(c.PortNumber)})
		return true
	}
	if r.Candidates = slices.DeleteFunc(r.Candidates, refused); len(r.Candidates) > 0 {
		r.Type, r.Rejected = "", backend.Reason{}
	}
}

// examine is Detect for a Service that may match a type.
func (d *Detector) examine(s *backend.Service, e *backend.Endpoints, near mask) Result {
	notes, bad := d.readAnnotations(s)
	if bad != nil {
		return Result{Rejected: *bad, Type: notes.typ}
	}
	if notes.optOut {
		return Result{Rejected: backend.Reason{Code: backend.CodeOptedOut}, Type: notes.typ}
	}
	if s.Excess != nil {
		return Result{Rejected: backend.Reason{Code: backend.CodeTooManyEntries}, Type: d.firstNear(near)}
	}
	if notes.include && s.Type == typeExternal {
		if bad := d.external(s, &notes); bad != nil {
			return Result{Rejected: *bad, Type: notes.typ}
		}
	} else if r := unusable(s); r.Is() {
		return Result{Rejected: r, Type: d.firstNear(near)}
	}
	if notes.include {
		return d.include(s, e, near, notes)
	}
	r := decide(d.evaluateAll(s, e, near, notes))
	if r.Nothing() && near.has(lookalikeBit) {
		r.Rejected = d.lookalike(s)
	}
	return r
}

// evaluateAll carries out the rules of every type that is near, or of the annotated one.
func (d *Detector) evaluateAll(
	s *backend.Service, e *backend.Endpoints, near mask, notes annotations,
) (evals []evaluation) {
	for i, t := range d.types {
		if near.has(i) && (notes.typ == "" || notes.typ == t.Type.Type) {
			evals = append(evals, d.evaluate(t, s, e, notes))
		}
	}
	return evals
}

// reason is a reason with its details.
func reason(code backend.Code, details backend.Details) backend.Reason {
	return backend.Reason{Code: code, Details: details}
}

func (d *Detector) firstNear(near mask) string {
	for i, t := range d.types {
		if near.has(i) {
			return t.Type.Type
		}
	}
	return ""
}

// decide picks, of all types that looked at a Service, the candidates: for each port the type with the best evidence,
// and every type with weak evidence where nothing better is known, since the probe will tell.
func decide(evals []evaluation) Result {
	var r Result
	for i := range evals {
		c := evals[i].Candidate
		if c == nil || beaten(evals, i) || evals[i].weight() == weightPort && anyRejected(evals) {
			continue
		}
		r.Candidates = append(r.Candidates, c)
	}
	if len(r.Candidates) > 0 {
		return r
	}
	best := -1
	for i := range evals {
		if evals[i].Rejected.Is() && (best < 0 || evals[i].closeness() > evals[best].closeness()) {
			best = i
		}
	}
	if best >= 0 {
		r.Rejected, r.Type = evals[best].Rejected, evals[best].Type
	}
	return r
}

// anyRejected: a type that knows the Service says what it is. That its port is another type's own means nothing then.
func anyRejected(evals []evaluation) bool {
	return slices.ContainsFunc(evals, func(e evaluation) bool { return e.other })
}

// beaten reports whether another type has better evidence for the same port: a strong one beats a weak one, a chart's
// label beats signs that add up, and between equals the catalog's order decides.
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

// Relevant reports whether Detect can have a result for the Service. It does not allocate, so that a reader of many
// Services can use it to keep only the relevant ones.
func (d *Detector) Relevant(s *backend.Service) bool {
	return !d.index.near(s).empty() || hasAnnotations(s)
}

// Matters reports whether Detect has a result for the Service, whatever its endpoints are. It is stricter than
// Relevant: many Services have a label that some type looks at, and match no type.
func (d *Detector) Matters(s *backend.Service) bool {
	if !d.Relevant(s) && s.Bared == 0 {
		return false
	}
	r := d.Detect(s, nil)
	return !r.Nothing() || r.Warning.Is()
}

// OptsOut reports whether the Service is kept out by its annotation, whatever its endpoints are.
func (d *Detector) OptsOut(s *backend.Service) bool {
	notes, bad := d.readAnnotations(s)
	return bad == nil && notes.optOut
}

// Explain returns the result of every type that looked at the Service, in the catalog's order. It ignores annotations
// that include a Service or exclude it, which Detect evaluates.
func (d *Detector) Explain(s *backend.Service, e *backend.Endpoints) []backend.Evaluation {
	near := d.index.near(s)
	var evals []backend.Evaluation
	for i, t := range d.types {
		if near.has(i) {
			evals = append(evals, d.evaluate(t, s, e, annotations{}).Evaluation)
		}
	}
	return evals
}
