package detect

import (
	"maps"
	"slices"
	"strings"

	"kubernaut.io/dynamic-toolset/internal/backend"
	"kubernaut.io/dynamic-toolset/internal/catalog"
)

// ruleSign is a rule as a sign: what of the Service fits it, and what the catalog says of it.
func ruleSign(r *catalog.Rule, s *backend.Service) backend.Sign {
	sign := backend.Sign{Code: backend.SignRule, Because: r.Because}
	for _, m := range []struct {
		code backend.SignCode
		want map[string]catalog.Values
		have map[string]string
	}{
		{backend.SignLabel, r.Labels, s.Labels},
		{backend.SignSelector, r.Selector, s.Selector},
		{backend.SignAnnotation, r.Annotations, s.Annotations},
	} {
		for _, k := range slices.Sorted(maps.Keys(m.want)) {
			sign.Parts = append(sign.Parts, backend.Sign{Code: m.code, Key: k, Value: show(m.have[k])})
		}
	}
	if len(r.Names) > 0 {
		sign.Parts = append(sign.Parts, backend.Sign{Code: backend.SignName, Value: show(s.Name)})
	}
	for _, p := range s.Ports {
		if r.Ports.Match(p.Name) {
			sign.Parts = append(sign.Parts, backend.Sign{Code: backend.SignPortName, Value: show(p.Name)})
			break
		}
	}
	return sign
}

// labelSign finds a label, or a key of the selector, whose value names the product. A label that names another part of
// it than one that answers queries takes that back.
func (d *Detector) labelSign(t *compiled, s *backend.Service) *backend.Sign {
	for _, m := range []struct {
		code backend.SignCode
		have map[string]string
		want map[string]catalog.Values
	}{{backend.SignLabel, s.Labels, t.Detect.Weak.Labels}, {backend.SignSelector, s.Selector, t.Detect.Weak.Selector}} {
		for _, k := range d.look.AppLabels {
			v, ok := m.have[k]
			if ok && t.means(v) && (slices.Contains(d.look.ComponentLabels, k) || d.componentAgrees(t, m.have)) {
				return &backend.Sign{Code: m.code, Key: k, Value: show(v)}
			}
		}
		for _, k := range d.ownKeys(m.have) {
			if v := m.have[k]; t.means(v) && d.componentAgrees(t, m.have) {
				return &backend.Sign{Code: m.code, Key: show(k), Value: show(v)}
			}
		}
		for _, k := range slices.Sorted(maps.Keys(m.want)) {
			if v, ok := m.have[k]; ok && m.want[k].Match(v) {
				return &backend.Sign{Code: m.code, Key: k, Value: show(v)}
			}
		}
	}
	return nil
}

func (d *Detector) componentAgrees(t *compiled, labels map[string]string) bool {
	for _, k := range d.look.ComponentLabels {
		if v, ok := labels[k]; ok && !t.knowsComponent(v) {
			return false
		}
	}
	return true
}

// ownKeys are the keys, in order, with which an operator says under a prefix of its own what the labels of AppLabels
// say. They are read as those are.
func (d *Detector) ownKeys(labels map[string]string) (keys []string) {
	for k := range labels {
		if d.look.ReadsKey(k) && !slices.Contains(d.look.AppLabels, k) {
			keys = append(keys, k)
		}
	}
	slices.Sort(keys)
	return keys
}

// clusterKey is how some operators label all parts of one cluster of theirs.
const clusterKey = "cluster"

// namesCluster reports whether a label says which cluster of this product the Service belongs to, as an operator's
// "elasticsearch.example.org/cluster" does.
func (t *compiled) namesCluster(key, value string) bool {
	ws := words(strings.TrimSuffix(key, "-name"))
	return value != "" && len(ws) > 1 && ws[len(ws)-1] == clusterKey &&
		slices.ContainsFunc(t.words, func(w string) bool { return slices.Contains(ws, w) })
}

// clusterKeys are the keys, in order, that namesCluster takes.
func (t *compiled) clusterKeys(labels map[string]string) (keys []string) {
	for k, v := range labels {
		if t.namesCluster(k, v) {
			keys = append(keys, k)
		}
	}
	slices.Sort(keys)
	return keys
}

// mentions reports whether one of the product's words stands anywhere in the Service's name or in a label that names
// software: enough to be asked why it is not there, not enough for anything else.
func (d *Detector) mentions(t *compiled, s *backend.Service) bool {
	in := func(value string) bool {
		ws := words(value)
		return slices.ContainsFunc(t.words, func(w string) bool { return slices.Contains(ws, w) })
	}
	if in(s.Name) {
		return true
	}
	return slices.ContainsFunc(d.look.AppLabels, func(k string) bool { return in(s.Labels[k]) || in(s.Selector[k]) })
}
