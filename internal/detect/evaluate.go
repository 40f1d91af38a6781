package detect

import (
	"slices"
	"strings"

	"kubernaut.io/dynamic-toolset/internal/backend"
	"kubernaut.io/dynamic-toolset/internal/catalog"
)

// evaluation is what one type has to say about one Service, and what weighs it against other types.
type evaluation struct {
	backend.Evaluation

	rule              bool // a strong rule matched
	other             bool // it is known to be something else, and not only without a port that fits
	label, name, port bool // kinds of weak signs
}

// tierUnknown: no rule says which part of an installation it is, so that what a rule knows to be the way in goes
// before it.
const tierUnknown = 8

const (
	weightPort = iota
	weightOne
	weightSum
	weightRule
)

// weight orders the evidence of types that want the same port.
func (e *evaluation) weight() int {
	switch {
	case e.rule:
		return weightRule
	case e.Candidate != nil && e.Candidate.Strength >= backend.Strong:
		return weightSum
	case e.label || e.name:
		return weightOne
	}
	return weightPort
}

// closeness orders rejected types by how much spoke for them.
func (e *evaluation) closeness() int {
	n := e.weight() * 4
	for _, b := range []bool{e.label, e.name, e.port} {
		if b {
			n++
		}
	}
	return n
}

// evaluate carries out one type's rules on one Service.
func (d *Detector) evaluate(t *compiled, s *backend.Service, eps *backend.Endpoints, notes annotations) evaluation {
	e := evaluation{Evaluation: backend.Evaluation{Type: t.Type.Type}}
	rule := d.strongRule(t, s)
	if rule != nil {
		e.rule = true
		e.Signs = append(e.Signs, ruleSign(rule, s))
	}
	if sign := d.labelSign(t, s); sign != nil {
		e.label = true
		e.Signs = append(e.Signs, *sign)
	}
	if t.means(s.Name) {
		e.name = true
		e.Signs = append(e.Signs, backend.Sign{Code: backend.SignName, Value: show(s.Name)})
	}
	front := d.front(t, s)
	if front != nil {
		e.label = true
		e.Signs = append(e.Signs, ruleSign(front, s))
	}
	if rejected := d.rejection(t, s); rejected.Is() && front == nil && (rule == nil || !rule.Despite) {
		if e.rule || e.label || e.name || d.mentions(t, s) {
			e.Rejected, e.other = rejected, true
		}
		return e
	}
	port, why := d.choosePort(t, s, notes)
	if port == nil {
		if e.rule || e.label || e.name {
			e.Rejected = why
		}
		return e
	}
	own := ownNumber(t, port)
	e.addPortSigns(t, s, port, own, slices.Concat(d.look.AppLabels, d.ownKeys(s.Labels), []string{clusterKey}))
	if !e.rule && !e.label && !e.name && !t.owns(own) {
		e.Signs = nil
		return e // only a word somewhere, or a port that everybody uses
	}
	e.Candidate = d.candidate(t, s, eps, notes, rule, port, why)
	e.Candidate.Strength = e.strength(t, port)
	switch {
	case rule != nil:
	case front != nil:
		e.Candidate.Strength = backend.Weak
	default:
		e.Candidate.Tier += tierUnknown
	}
	e.Candidate.Signs = e.Signs
	return e
}

// addPortSigns are the signs that the port gives, and those that count only beside the type's own.
func (e *evaluation) addPortSigns(t *compiled, s *backend.Service, port *backend.Port, own int32, keys []string) {
	if slices.Contains(t.Detect.Weak.PortNames, port.Name) {
		e.name = true
		e.Signs = append(e.Signs, backend.Sign{Code: backend.SignPortName, Value: show(port.Name)})
	}
	if own == 0 {
		return
	}
	e.port = true
	if t.owns(own) {
		if !e.name && t.meansPart(s.Name) {
			e.name = true
			e.Signs = append(e.Signs, backend.Sign{Code: backend.SignName, Value: show(s.Name)})
		}
		keys = append(keys, t.clusterKeys(s.Labels)...)
		for _, k := range keys {
			if v := s.Labels[k]; !e.label && (t.meansPart(v) || t.namesCluster(k, v)) {
				e.label = true
				e.Signs = append(e.Signs, backend.Sign{Code: backend.SignLabel, Key: show(k), Value: show(v)})
			}
		}
	}
	e.Signs = append(e.Signs, backend.Sign{Code: backend.SignPort, Number: own, Type: t.Title})
}

// strength adds up the signs: a chart's or an operator's labels are strong alone; the type's own port with a
// label or a name is, and so are a label and a name that agree on a port which the type is known to use.
func (e *evaluation) strength(t *compiled, port *backend.Port) backend.Strength {
	known := slices.Contains(t.Ports.Names, port.Name) || slices.Contains(t.Ports.Names, port.Target.StrVal)
	usual := port.Number == 80 || port.Number == 443 || port.Number == 8080 || port.Number == 8443
	switch {
	case e.rule,
		e.port && (e.label || e.name),
		e.label && e.name && known && usual:
		return backend.Strong
	}
	return backend.Weak
}

// front is the rule by which the Service is a proxy that may stand before a backend of this type.
func (d *Detector) front(t *compiled, s *backend.Service) *catalog.Rule {
	for i := range t.Detect.Fronts {
		if matches(&t.Detect.Fronts[i], s) {
			return &t.Detect.Fronts[i]
		}
	}
	return nil
}

func (d *Detector) strongRule(t *compiled, s *backend.Service) *catalog.Rule {
	for i := range t.Detect.Strong {
		if matches(&t.Detect.Strong[i], s) {
			return &t.Detect.Strong[i]
		}
	}
	return nil
}

func matches(r *catalog.Rule, s *backend.Service) bool {
	if len(r.Labels)+len(r.Selector)+len(r.Annotations)+len(r.Names)+len(r.Ports) == 0 {
		return false
	}
	if !allLabels(r.Labels, s.Labels) || !allLabels(r.Selector, s.Selector) ||
		!allLabels(r.Annotations, s.Annotations) {
		return false
	}
	if len(r.Names) > 0 && !anyGlob(r.Names, s.Name) {
		return false
	}
	return len(r.Ports) == 0 ||
		slices.ContainsFunc(s.Ports, func(p backend.Port) bool { return anyGlob(r.Ports, p.Name) })
}

// rejection is why the Service is not of this type although something about it may look so.
func (d *Detector) rejection(t *compiled, s *backend.Service) backend.Reason {
	for i := range t.Detect.Reject {
		if matches(&t.Detect.Reject[i], s) {
			return reason(backend.CodeLookAlike, backend.Details{Because: t.Detect.Reject[i].Because})
		}
	}
	if because := d.look.roleOf(d.look.roles, ownName(s)); because != "" {
		return reason(backend.CodeLookAlikeName, backend.Details{Value: show(s.Name), Because: because})
	}
	for _, k := range slices.Concat(d.look.ComponentLabels, d.look.AppLabels, d.ownKeys(s.Labels)) {
		if because := d.look.roleOf(d.look.roles, s.Labels[k]); because != "" {
			return reason(backend.CodeLookAlikeLabel,
				backend.Details{Key: k, Value: show(s.Labels[k]), Because: because})
		}
	}
	for _, k := range d.look.AppLabels {
		if slices.Contains(d.look.ComponentLabels, k) {
			continue // a Service may select another part on purpose: the query port of an all-in-one
		}
		if because := d.look.roleOf(d.look.roles, s.Selector[k]); because != "" {
			return reason(backend.CodeLookAlikeSelector,
				backend.Details{Key: k, Value: show(s.Selector[k]), Because: because})
		}
	}
	return backend.Reason{}
}

// ownName is the Service's name without the release's, which people choose as they like.
func ownName(s *backend.Service) string {
	for _, k := range [...]string{"app.kubernetes.io/instance", "release"} {
		rest, ok := strings.CutPrefix(s.Name, s.Labels[k])
		switch {
		case !ok || s.Labels[k] == "":
		case rest == "":
			return ""
		case isSeparator(rune(rest[0])):
			return rest[1:]
		}
	}
	return s.Name
}
