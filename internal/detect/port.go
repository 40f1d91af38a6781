package detect

import (
	"slices"
	"strconv"
	"strings"

	"k8s.io/apimachinery/pkg/util/intstr"

	"kubernaut.io/dynamic-toolset/internal/backend"
	"kubernaut.io/dynamic-toolset/internal/catalog"
)

// choosePort returns the first of these: the annotated port, a port with the type's known target port or port name, one
// with its known numbers, the only TCP port that is left. The reason says which of these it is. The port is nil if none
// fits. known means that a label, the selector or the name says that the Service is of this type.
func (d *Detector) choosePort(
	t *compiled, s *backend.Service, notes annotations, known bool,
) (*backend.Port, backend.Reason) {
	if notes.port != nil {
		return notes.port, reason(backend.CodePortAnnotated, backend.Details{Key: annPort})
	}
	var ports []*backend.Port
	for i := range s.Ports {
		if p := &s.Ports[i]; p.Protocol == "TCP" && !d.never(t, p, known) {
			ports = append(ports, p)
		}
	}
	for _, n := range t.Ports.Numbers {
		if slices.Contains(t.Ports.Shared, n) {
			continue
		}
		for _, p := range ports {
			if target(p) == n {
				return p, reason(backend.CodePortTarget, backend.Details{Type: t.Title, Number: int(n)})
			}
		}
	}
	for _, name := range t.Ports.Names {
		for _, p := range ports {
			if p.Name == name || p.Target.StrVal == name {
				return p, reason(backend.CodePortName, backend.Details{Type: t.Title, Value: name})
			}
		}
	}
	for _, n := range t.Ports.Numbers {
		for _, p := range ports {
			if p.Number == n || target(p) == n {
				return p, reason(backend.CodePortNumber, backend.Details{Type: t.Title, Number: int(n)})
			}
		}
	}
	if len(ports) == 1 {
		return ports[0], backend.Reason{Code: backend.CodePortHTTP}
	}
	return nil, reason(backend.CodeNoUsablePort, backend.Details{Type: t.Title})
}

// never reports whether the port is known to serve something else.
func (d *Detector) never(t *compiled, p *backend.Port, known bool) bool {
	n, others := target(p), catalog.Values(d.look.Ports.Names)
	// Software that serves its metrics on the port of its API may have a Service for those who scrape it.
	metrics := known && strings.HasSuffix(p.Name, "metrics")
	named := slices.Contains(t.Ports.Names, p.Name) || t.owns(n) && (metrics || t.endsInPortName(p.Name))
	has := func(number int32) bool { return slices.Contains(t.Ports.Never, strconv.Itoa(int(number))) }
	switch {
	// The pods' port is certain. The Service's own number counts only if the port's name says nothing.
	case p.Name != "" && slices.Contains(t.Ports.Never, p.Name), n != 0 && has(n),
		has(p.Number) && (!named || d.others(t, p.Number)):
		return true
	case named, slices.Contains(t.Ports.Numbers, n) && !others.Match(p.Name):
		return false
	}
	return others.Match(p.Name) || others.Match(p.Target.StrVal) ||
		slices.Contains(d.look.Ports.Numbers, p.Number) || slices.Contains(d.look.Ports.Numbers, n)
}

// others reports whether the number is another type's own.
func (d *Detector) others(t *compiled, number int32) bool {
	return slices.ContainsFunc(d.types, func(o *compiled) bool { return o != t && o.owns(number) })
}

// endsInPortName reports whether a port's name is one of the type's of several words behind a name of the container, as
// Grafana's Jsonnet libraries write it: querier-http-metrics.
func (t *compiled) endsInPortName(name string) bool {
	return slices.ContainsFunc(t.Ports.Names, func(own string) bool {
		return strings.Contains(own, "-") && strings.HasSuffix(name, "-"+own)
	})
}

// target returns the numeric target port, 0 for a named one.
func target(p *backend.Port) int32 {
	if p.Target.Type == intstr.Int {
		return p.Target.IntVal
	}
	return 0
}

// owns reports whether the number is the type's own, which no other software uses.
func (t *compiled) owns(number int32) bool {
	return slices.Contains(t.Ports.Numbers, number) && !slices.Contains(t.Ports.Shared, number)
}

// ownNumber returns the target port or the port's number if it is one of the type's numbers, 0 if neither is. A number
// that no other software uses is preferred.
func ownNumber(t *compiled, p *backend.Port) (own int32) {
	for _, n := range [...]int32{target(p), p.Number} {
		switch {
		case n == 80 || !slices.Contains(t.Ports.Numbers, n):
		case t.owns(n):
			return n
		case own == 0:
			own = n
		}
	}
	return own
}
