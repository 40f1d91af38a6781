package detect

import (
	"strings"

	"k8s.io/apimachinery/pkg/util/intstr"

	"kubernaut.io/dynamic-toolset/internal/backend"
	"kubernaut.io/dynamic-toolset/internal/catalog"
)

// maxTypes limits the types of a catalog. The bit after theirs is for look-alikes that are reported for any Service.
const (
	maxTypes     = 127
	lookalikeBit = maxTypes
)

// mask is a set of types by their place in the catalog.
type mask [(maxTypes + 1) / 64]uint64

func maskOf(i int) (m mask) {
	m[i/64] = 1 << (i % 64)
	return m
}

func (m mask) or(o mask) mask { return mask{m[0] | o[0], m[1] | o[1]} }
func (m mask) has(i int) bool { return m[i/64]&(1<<(i%64)) != 0 }
func (m mask) empty() bool    { return m == mask{} }

// near returns the types that may match the Service. It does not allocate.
func (x *index) near(s *backend.Service) mask {
	m := x.nearWords(s.Name)
	m = m.or(x.nearLabels(s.Labels)).or(x.nearLabels(s.Selector))
	for key, v := range s.Annotations {
		if k := x.keys[key]; k != nil {
			m = m.or(k.any).or(k.values[v])
		}
	}
	for i := range s.Ports {
		p := &s.Ports[i]
		m = m.or(x.ports[p.Number]).or(x.portNames[p.Name])
		if p.Target.Type == intstr.Int {
			m = m.or(x.ports[p.Target.IntVal])
		}
	}
	for _, n := range x.names {
		if catalog.Match(n.pattern, s.Name) {
			m = m.or(n.mask)
		}
	}
	return m
}

func (x *index) nearLabels(labels map[string]string) (m mask) {
	for key, v := range labels {
		k := x.keys[key]
		if k == nil {
			if x.look.ReadsKey(key) {
				m = m.or(x.nearWords(v))
			}
			continue
		}
		m = m.or(k.any)
		if len(k.values) > 0 {
			m = m.or(k.values[v])
		}
		if k.app {
			m = m.or(x.nearWords(v))
		}
	}
	return m
}

// nearWords returns the types of a value's parts, with and without a number at the end.
func (x *index) nearWords(value string) (m mask) {
	if len(value) > maxName {
		return m
	}
	for word := range strings.FieldsFuncSeq(strings.ToLower(value), isSeparator) {
		m = m.or(x.tokens[word])
		if bare := strings.TrimRight(word, digits); bare != word {
			m = m.or(x.tokens[bare])
		}
	}
	return m
}
