package backend

import (
	"strconv"
	"strings"
)

// Exposure is how an Ingress, an HTTPRoute or a Route leads people to a Service: all that is below a URL goes, as it is, to one of its
// ports.
type Exposure struct {
	Port   string // the port's name or number; "" is the only one that the Service has
	Pods   bool   // a number in Port is the one that the pods listen on
	Scheme string // http or https
	Host   string
	Path   string // without a slash at its end
}

// Below reports whether a path is the same as a base path, or below it; neither ends in a slash.
func Below(path, base string) bool {
	rest, ok := strings.CutPrefix(path, base)
	return ok && (rest == "" || rest[0] == '/')
}

// LeadsTo reports whether it leads to that port of the Service.
func (e *Exposure) LeadsTo(s *Service, p *Port) bool {
	number := strconv.Itoa(int(p.Number))
	if e.Pods {
		number = p.Target.String()
	}
	switch e.Port {
	case "":
		return len(s.Ports) == 1 && s.Ports[0] == *p
	case p.Name, number:
		return true
	}
	return false
}
