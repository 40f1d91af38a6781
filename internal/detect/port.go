package detect

import (
	"slices"
	"strconv"

	"k8s.io/apimachinery/pkg/util/intstr"

	"kubernaut.io/dynamic-toolset/internal/backend"
)

// choosePort takes the first of these: what the annotation says, then the type's known target port or port name, then
// its known numbers, then the only TCP port that is left. It returns nil and why if none fits.
func (d *Detector) choosePort(t *compiled, s *backend.Service, notes annotations) (*backend.Port, backend.Reason) {
	if notes.port != nil {
		return notes.port, reason(backend.CodePortAnnotated, backend.Details{Key: annPort})
	}
	var ports []*backend.Port
	for i := range s.Ports {
		if p := &s.Ports[i]; p.Protocol == "TCP" && !d.never(t, p) {
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
func (d *Detector) never(t *compiled, p *backend.Port) bool {
	if slices.Contains(t.Ports.Never, p.Name) && p.Name != "" {
		return true
	}
	// What the pods listen on tells for certain; the Service's own number does only where the port's name says nothing.
	if n := target(p); n != 0 && slices.Contains(t.Ports.Never, strconv.Itoa(int(n))) {
		return true
	}
	if slices.Contains(t.Ports.Never, strconv.Itoa(int(p.Number))) && !slices.Contains(t.Ports.Names, p.Name) {
		return true
	}
	if slices.Contains(t.Ports.Names, p.Name) ||
		slices.Contains(t.Ports.Numbers, target(p)) && !anyGlob(d.look.Ports.Names, p.Name) {
		return false
	}
	if anyGlob(d.look.Ports.Names, p.Name) || anyGlob(d.look.Ports.Names, p.Target.StrVal) {
		return true
	}
	return slices.Contains(d.look.Ports.Numbers, p.Number) || slices.Contains(d.look.Ports.Numbers, target(p))
}

// target is the numeric target port, 0 for a named one.
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

// ownNumber is the type's own port number that the port leads to or carries, 0 if none; first what no other software
// uses.
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
