package detect

import (
	"maps"
	"slices"
	"strings"

	"kubernaut.io/dynamic-toolset/internal/backend"
	"kubernaut.io/dynamic-toolset/internal/catalog"
)

// ruleSign makes the sign of a rule that matches: the Service's values that it names, and its reason.
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

// labelSign returns the first label or key of the selector with a value that names the product, or nil. The value does
// not count if a component label names a part that answers no queries.
func (d *Detector) labelSign(t *compiled, s *backend.Service) *backend.Sign {
	for _, m := range []struct {
		code backend.SignCode
		have map[string]string
		want map[string]catalog.Values
	}{{backend.SignLabel, s.Labels, t.Detect.Weak.Labels}, {backend.SignSelector, s.Selector, t.Detect.Weak.Selector}} {
		for _, k := range slices.Concat(d.look.AppLabels, d.ownKeys(m.have)) {
			v, ok := m.have[k]
			if ok && t.means(v) && (slices.Contains(d.look.ComponentLabels, k) || d.componentAgrees(t, m.have)) {
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

// ownKeys returns the sorted keys of labels with an operator's own prefix that are read like AppLabels.
func (d *Detector) ownKeys(labels map[string]string) []string {
	return sortedKeys(labels, func(k, _ string) bool {
		return d.look.ReadsKey(k) && !slices.Contains(d.look.AppLabels, k)
	})
}

// sortedKeys returns the keys of the labels that fit, sorted.
func sortedKeys(labels map[string]string, fits func(key, value string) bool) (keys []string) {
	for k, v := range labels {
		if fits(k, v) {
			keys = append(keys, k)
		}
	}
	slices.Sort(keys)
	return keys
}

// clusterKey is the label, or the last part of it, that some operators set on all parts of one cluster.
const clusterKey = "cluster"

// The labels in which charts keep the name of the installation.
const (
	instanceKey = "app.kubernetes.io/instance"
	releaseKey  = "release"
)

// namesCluster reports whether a label names the cluster of this product that the Service belongs to, such as
// "elasticsearch.example.org/cluster".
func (t *compiled) namesCluster(key, value string) bool {
	ws := words(strings.TrimSuffix(key, "-name"))
	return value != "" && len(ws) > 1 && ws[len(ws)-1] == clusterKey && t.anyIn(ws)
}

// clusterOf returns the name of the cluster of this product that a label or the selector names, "" if none does.
func (t *compiled) clusterOf(s *backend.Service) string {
	for _, m := range [...]map[string]string{s.Labels, s.Selector} {
		if keys := sortedKeys(m, t.namesCluster); len(keys) > 0 {
			return m[keys[0]]
		}
	}
	return ""
}

// anyIn reports whether one of the product's words is among ws.
func (t *compiled) anyIn(ws []string) bool {
	return slices.ContainsFunc(t.words, func(w string) bool { return slices.Contains(ws, w) })
}

// mentions reports whether the Service's name, or a label that names software, has one of the product's words in any
// place. Then people may ask why it was not chosen, but it is no sign.
func (d *Detector) mentions(t *compiled, s *backend.Service) bool {
	return t.anyIn(words(s.Name)) || slices.ContainsFunc(d.look.AppLabels, func(k string) bool {
		return t.anyIn(words(s.Labels[k])) || t.anyIn(words(s.Selector[k]))
	})
}
