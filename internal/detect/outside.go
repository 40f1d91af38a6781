package detect

import (
	"net/url"
	"strconv"
	"strings"

	"kubernaut.io/dynamic-toolset/internal/backend"
	"kubernaut.io/dynamic-toolset/internal/safetext"
)

// Outside is a backend that the configuration names and that is not a Service of this cluster.
type Outside struct {
	Name string
	Type string   // of the catalog
	URL  *url.URL // checked by the configuration
	Link string   // the URL at which people reach it; may be empty
	// Headers and Files are as in backend.Candidate.
	Headers, Files map[string]string
}

// OutsideBackend is the result for an Outside, with the Service that represents it in the later stages.
type OutsideBackend struct {
	Service *backend.Service
	Result
}

// Outside returns the backends that the configuration names, in the form of detected Services.
func (d *Detector) Outside() (list []OutsideBackend) {
	for i := range d.opts.Outside {
		o := &d.opts.Outside[i]
		port := backend.Port{Number: portOf(o.URL), Protocol: "TCP"}
		s := &backend.Service{
			Ref:   backend.Ref{Namespace: backend.OutsideNamespace, Name: o.Name},
			Type:  backend.TypeOutside,
			Ports: []backend.Port{port},
		}
		base, _ := safetext.BasePath(o.URL.EscapedPath()) // the configuration was checked
		c := &backend.Candidate{
			Service: s, Type: o.Type, Instance: s.Ref.String(), Port: port, PortNumber: port.Number,
			PortReason: backend.Reason{Code: backend.CodePortConfigured},
			Host:       o.URL.Hostname(), FullName: o.URL.Hostname(), ForeignHost: true,
			Scheme: o.URL.Scheme, FixedScheme: true, Path: base, FixedPath: true,
			Strength: backend.Explicit, Signs: []backend.Sign{{Code: backend.SignConfigured}},
			Headers: o.Headers, Files: o.Files, Link: strings.TrimRight(o.Link, "/"),
		}
		r := Result{Candidates: []*backend.Candidate{c}}
		d.spread(&r)
		d.refuse(&r)
		list = append(list, OutsideBackend{Service: s, Result: r})
	}
	return list
}

// portOf returns the port of a URL, or else its scheme's; 0 if it is no valid port number.
func portOf(u *url.URL) int32 {
	switch n, err := strconv.ParseUint(u.Port(), 10, 16); {
	case u.Port() == "":
		return schemePort(u.Scheme)
	case err != nil:
		return 0
	default:
		return int32(n)
	}
}

func schemePort(scheme string) int32 {
	if scheme == "https" {
		return 443
	}
	return 80
}
