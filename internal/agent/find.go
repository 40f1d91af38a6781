package agent

import (
	"net"
	"net/netip"
	"slices"
	"strconv"

	"kubernaut.io/dynamic-toolset/internal/backend"
)

// HolmesGPT's chart: the label and selector of its Service, and the port that its server listens on.
const (
	appLabel = "app"
	appName  = "holmes"
	ownPort  = 5050
)

// Looks reports whether a Service counts as HolmesGPT's: the one that the configuration names, else those in the
// ConfigMap's namespace with the label and the selector of HolmesGPT's chart. In other namespaces a stranger could set
// that label.
func (a *Agent) Looks(s *backend.Service) bool {
	o := &a.opts
	if o.Service != (backend.Ref{}) {
		return s.Ref == o.Service
	}
	return s.Namespace == o.Namespace && s.Labels[appLabel] == appName && s.Selector[appLabel] == appName
}

// portOf returns the Service port that leads to HolmesGPT: the one with that number; if number is 0, the one whose
// target is HolmesGPT's port.
func portOf(s *backend.Service, e *backend.Endpoints, number int32) (backend.Port, bool) {
	for _, p := range s.Ports {
		switch {
		case p.Protocol != "TCP":
		case number != 0 && p.Number == number,
			number == 0 && (p.Target.IntValue() == ownPort || e.PodPort(p.Name) == ownPort):
			return p, true
		}
	}
	return backend.Port{}, false
}

// urls returns the URLs of a Service's ready endpoints: the replicas of HolmesGPT differ in state.
func (a *Agent) urls(s *backend.Service, e *backend.Endpoints) (urls []string) {
	port, has := portOf(s, e, a.opts.Port)
	switch {
	case !has:
		return nil
	case a.opts.Proxy != nil:
		host := net.JoinHostPort(s.Name+"."+s.Namespace+".svc", strconv.Itoa(int(port.Number)))
		return []string{"http://" + host}
	case e == nil:
		return nil
	}
	var ready []netip.AddrPort
	for i := range e.Slices {
		slice := &e.Slices[i]
		for _, p := range slice.Ports {
			if p.Name != port.Name || p.Protocol != "TCP" {
				continue
			}
			for _, addr := range slice.Ready {
				ready = append(ready, netip.AddrPortFrom(addr, uint16(p.Number)))
			}
		}
	}
	// Each pod of a dual-stack Service has an address of both families, and would count twice.
	four := slices.ContainsFunc(ready, func(at netip.AddrPort) bool { return at.Addr().Is4() })
	for _, at := range ready {
		if at.Addr().Is4() == four {
			urls = append(urls, "http://"+at.String())
		}
	}
	return urls
}
