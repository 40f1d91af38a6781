package detect

import (
	"slices"
	"strings"

	"kubernaut.io/dynamic-toolset/internal/backend"
	"kubernaut.io/dynamic-toolset/internal/catalog"
)

// evaluation is the result of one type's rules for one Service, with the evidence that decides between types.
type evaluation struct {
	backend.Evaluation

	rule              bool // a strong rule matched
	other             bool // rejected as something else, not only because no port fits
	label, name, port bool // kinds of weak signs
}

// tierUnknown is added to the tier of a candidate without a rule: a Service that a rule knows as an entry point is
// preferred.
const tierUnknown = 8

const (
	weightPort = iota
	weightOne
	weightSum
	weightRule
)

// weight orders types that claim the same port by their evidence.
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

// closeness orders rejected types by the evidence for them.
func (e *evaluation) closeness() int { return e.weight()*8 + len(e.Signs) }

func (e *evaluation) add(kind *bool, sign backend.Sign) {
	*kind = true
	e.Signs = append(e.Signs, sign)
}

// evaluate applies one type's rules to one Service.
func (d *Detector) evaluate(t *compiled, s *backend.Service, eps *backend.Endpoints, notes annotations) evaluation {
	e := evaluation{Evaluation: backend.Evaluation{Type: t.Type.Type}}
	rule, front := d.strongRule(t, s), catalog.FirstMatch(t.Detect.Fronts, s)
	if rule != nil {
		e.add(&e.rule, ruleSign(rule, s))
	}
	if sign := d.labelSign(t, s); sign != nil {
		e.add(&e.label, *sign)
	}
	if t.means(s.Name) {
		e.add(&e.name, backend.Sign{Code: backend.SignName, Value: show(s.Name)})
	}
	if front != nil {
		e.add(&e.label, ruleSign(front, s))
	}
	if rejected := d.rejection(t, s, rule); rejected.Is() && front == nil && (rule == nil || !rule.Despite) {
		if e.rule || e.label || e.name || d.mentions(t, s) {
			e.Rejected, e.other = rejected, true
		}
		return e
	}
	port, why := d.choosePort(t, s, notes, e.rule || e.label || e.name)
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
		return e // no sign but a port that other software uses too
	}
	e.Candidate = d.candidate(t, s, eps, notes, rule, front, port, why)
	e.Candidate.Strength = e.strength(t, port)
	switch {
	case rule == nil && front != nil:
		e.Candidate.Strength = backend.Weak
	case rule == nil:
		e.Candidate.Tier += tierUnknown
	case len(rule.Labels) == 0 && why.Code == backend.CodePortHTTP: // the pods may serve something else there
		e.Candidate.Strength = backend.Weak
	}
	e.Candidate.Signs = e.Signs
	return e
}

// addPortSigns adds the signs that the port gives, and the weaker ones that count only with the type's own port: own is
// that port's number, 0 if it is none. keys are the labels to look at.
func (e *evaluation) addPortSigns(t *compiled, s *backend.Service, port *backend.Port, own int32, keys []string) {
	if slices.Contains(t.Detect.Weak.PortNames, port.Name) {
		e.add(&e.name, backend.Sign{Code: backend.SignPortName, Value: show(port.Name)})
	}
	if own == 0 {
		return
	}
	if t.owns(own) {
		if !e.name && t.meansPart(s.Name) {
			e.add(&e.name, backend.Sign{Code: backend.SignName, Value: show(s.Name)})
		}
		for _, k := range append(keys, sortedKeys(s.Labels, t.namesCluster)...) {
			if v := s.Labels[k]; !e.label && (t.meansPart(v) || t.namesCluster(k, v)) {
				e.add(&e.label, backend.Sign{Code: backend.SignLabel, Key: show(k), Value: show(v)})
			}
		}
	}
	e.add(&e.port, backend.Sign{Code: backend.SignPort, Number: own, Type: t.Title})
}

// strength adds up the signs. Strong are: a rule alone, the type's own port with a label or a name, and a label with a
// name on a port that the type is known to use.
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

// rejection returns evidence that the Service is not of this type, although it may look so; no reason if there is none.
// rule is the strong rule that matches, nil if none does.
func (d *Detector) rejection(t *compiled, s *backend.Service, rule *catalog.Rule) backend.Reason {
	if reject := d.rejectRule(t, s); reject != nil {
		return reason(backend.CodeLookAlike, backend.Details{Because: reject.Because})
	}
	roles := d.look.roles
	if rule != nil {
		roles = d.look.named
	}
	if because := d.look.roleOf(roles, t.ownName(s, rule != nil)); because != "" {
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
			continue // a Service may select another part on purpose, such as an all-in-one for its query port
		}
		if because := d.look.roleOf(d.look.roles, s.Selector[k]); because != "" {
			return reason(backend.CodeLookAlikeSelector,
				backend.Details{Key: k, Value: show(s.Selector[k]), Because: because})
		}
	}
	return backend.Reason{}
}

// ownName returns the Service's name without the name of the release, the resource or the cluster, which people choose
// freely. Charts put it first. Some operators put it last; then only a rule that matched (sure) tells it from the
// software's own name.
func (t *compiled) ownName(s *backend.Service, sure bool) string {
	names := []string{s.Labels[instanceKey], s.Labels[releaseKey]}
	if sure {
		names = append(names, t.clusterOf(s))
	}
	for _, given := range names {
		before, last := strings.CutSuffix(s.Name, given)
		after, first := strings.CutPrefix(s.Name, given)
		switch {
		case given == "":
		case s.Name == given:
			return ""
		case first && isSeparator(rune(after[0])):
			return after[1:]
		case last && sure && isSeparator(rune(before[len(before)-1])):
			return before[:len(before)-1]
		}
	}
	return s.Name
}
