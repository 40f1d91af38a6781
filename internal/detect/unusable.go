// Package detect recognises backends among Services by what charts and operators mean by their labels, names and ports.
// It is pure: it makes no connection and asks no API. What the rules are is data (package catalog); this package
// carries them out.
package detect

import (
	"kubernaut.io/dynamic-toolset/internal/backend"
)

// lookalike is why an unmatched Service is a known look-alike; no reason if it is not.
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

// typeExternal is the type of a Service that only renames a host.
const typeExternal = "ExternalName"

// unusable is why no type at all can use the Service.
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
	for i := range s.Ports {
		if s.Ports[i].Protocol == "TCP" {
			return backend.Reason{}
		}
	}
	return backend.Reason{Code: backend.CodeNoTCPPort}
}
