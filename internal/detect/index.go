package detect

import (
	"strings"

	"k8s.io/apimachinery/pkg/util/intstr"

	"kubernaut.io/dynamic-toolset/internal/backend"
	"kubernaut.io/dynamic-toolset/internal/catalog"
)

// maxTypes limits the types of a catalog. The bit after theirs is for look-alikes that are reported for any Service.
const (
	maxTypes          = 63
	lookalikeBit mask = 1 << maxTypes
)

// mask is a set of types by their place in the catalog.
type mask uint64

// near returns the types that may match the Service. It does not allocate.
func (x *index) near(s *backend.Service) mask {
	m := x.nearWords(s.Name)
	m |= x.nearLabels(s.Labels) | x.nearLabels(s.Selector)
	for key, v := range s.Annotations {
		if k := x.keys[key]; k != nil {
			m |= k.any | k.values[v]
		}
	}
	for i := range s.Ports {
		p := &s.Ports[i]
		m |= x.ports[p.Number] | x.portNames[p.Name]
		if p.Target.Type == intstr.Int {
			m |= x.ports[p.Target.IntVal]
		}
	}
	for _, n := range x.names {
		if catalog.Match(n.pattern, s.Name) {
			m |= n.mask
		}
	}
	return m
}

func (x *index) nearLabels(labels map[string]string) (m mask) {
	for key, v := range labels {
		k := x.keys[key]
		if k == nil {
			if x.look.ReadsKey(key) {
				m |= x.nearWords(v)
			}
			continue
		}
		m |= k.any
		if len(k.values) > 0 {
			m |= k.values[v]
		}
		if k.app {
			m |= x.nearWords(v)
		}
	}
	return m
}

// nearWords returns the types of a value's parts. A number at the end of a part does not count.
func (x *index) nearWords(value string) (m mask) {
	if len(value) > maxName {
		return m
	}
	for word := range strings.FieldsFuncSeq(strings.ToLower(value), isSeparator) {
		m |= x.tokens[strings.TrimRight(word, digits)]
	}
	return m
}
