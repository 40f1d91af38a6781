package detect

import (
	"slices"
	"strings"

	"kubernaut.io/dynamic-toolset/internal/backend"
	"kubernaut.io/dynamic-toolset/internal/catalog"
)

// lookalike returns why an unmatched Service is a known look-alike; no reason if it is none.
func (d *Detector) lookalike(s *backend.Service) backend.Reason {
	if because := d.look.roleOf(d.look.always, s.Name); because != "" {
		return reason(backend.CodeLookAlikeName, backend.Details{Value: show(s.Name), Because: because})
	}
	for _, k := range d.look.AppLabels {
		if because := d.look.roleOf(d.look.always, s.Labels[k]); because != "" {
			return reason(backend.CodeLookAlikeLabel,
				backend.Details{Key: k, Value: show(s.Labels[k]), Because: because})
		}
	}
	return backend.Reason{}
}

// maxPorts bounds the work that one Service can make. Charts of backends have at most two dozen ports.
const maxPorts = 500

// typeExternal is the type of a Service that is another name for a host.
const typeExternal = "ExternalName"

// unusable returns why no backend can be behind the Service; no reason if one can.
func unusable(s *backend.Service) backend.Reason {
	if s.Type == typeExternal {
		return reason(backend.CodeExternalName, backend.Details{Host: show(externalHost(s))})
	}
	if len(s.Ports) == 0 {
		return backend.Reason{Code: backend.CodeNoPorts}
	}
	if len(s.Ports) > maxPorts {
		return reason(backend.CodeTooManyPorts, backend.Details{Limit: maxPorts})
	}
	if !slices.ContainsFunc(s.Ports, func(p backend.Port) bool { return p.Protocol == "TCP" }) {
		return backend.Reason{Code: backend.CodeNoTCPPort}
	}
	return backend.Reason{}
}

// refuse removes the candidates that cannot be used. If none is left, the Service is rejected with the last reason.
func (d *Detector) refuse(r *Result) {
	r.Candidates = slices.DeleteFunc(r.Candidates, func(c *backend.Candidate) bool {
		refused := d.refused(c)
		if refused.Is() {
			r.Type, r.Rejected = c.Type, refused
		}
		return refused.Is()
	})
	if len(r.Candidates) > 0 {
		r.Type, r.Rejected = "", backend.Reason{}
	}
}

// refused returns why a candidate cannot be used: its type is not looked for in the namespace, or its port number is
// invalid. Numbers come from Services and EndpointSlices, and the API server did not check those from files.
func (d *Detector) refused(c *backend.Candidate) backend.Reason {
	if c.PortNumber < 1 || c.PortNumber > 65535 {
		return reason(backend.CodeBadPortNumber, backend.Details{Port: &c.Port, Number: int(c.PortNumber)})
	}
	return NotLookedFor(d.catalog.Lookup(c.Type), c.Service.Namespace)
}

// NotLookedFor returns why the configuration does not look for the type in a namespace; no reason if it does. t is nil
// for a type that is not in the catalog.
func NotLookedFor(t *catalog.Type, namespace string) backend.Reason {
	switch {
	case t == nil || t.LookedForIn(namespace), namespace == backend.OutsideNamespace && !t.Tuning.Off:
		return backend.Reason{}
	case t.Tuning.Off:
		return reason(backend.CodeTypeOff, backend.Details{Type: t.Type})
	}
	return reason(backend.CodeTypeElsewhere,
		backend.Details{Type: t.Type, Value: strings.Join(t.Tuning.Namespaces, ", ")})
}
