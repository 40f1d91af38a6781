package detect

import (
	"slices"

	"kubernaut.io/dynamic-toolset/internal/backend"
	"kubernaut.io/dynamic-toolset/internal/catalog"
)

// ofPods returns the rules about labels that name software as rules about the selector. A chart or an operator sets
// these labels on the pods too, so the selector of a Service that people made for the pods says as much as the labels
// of the chart's own Service.
func ofPods(rules []catalog.Rule, look *catalog.Lookalikes) (list []catalog.Rule) {
	for _, r := range rules {
		named := slices.ContainsFunc(look.AppLabels, func(k string) bool { return len(r.Labels[k]) > 0 })
		if named && len(r.Selector) == 0 {
			r.Labels, r.Selector = nil, r.Labels
			list = append(list, r)
		}
	}
	return list
}

// strongRule returns the strong rule that the Service matches, nil if there is none.
func (d *Detector) strongRule(t *compiled, s *backend.Service) *catalog.Rule {
	return d.match(t.Detect.Strong, t.ofPods, s)
}

// rejectRule returns the rule by which the Service is not of the type, nil if there is none.
func (d *Detector) rejectRule(t *compiled, s *backend.Service) *catalog.Rule {
	return d.match(t.Detect.Reject, t.notPods, s)
}

// match returns the first rule that the Service matches, nil if there is none. The rules about its pods count if none
// of its labels names its software.
func (d *Detector) match(rules, pods []catalog.Rule, s *backend.Service) *catalog.Rule {
	if rule := catalog.FirstMatch(rules, s); rule != nil {
		return rule
	}
	for _, k := range d.look.AppLabels {
		if _, ok := s.Labels[k]; ok {
			return nil
		}
	}
	return catalog.FirstMatch(pods, s)
}
