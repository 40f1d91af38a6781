package backend

import (
	"strconv"
	"strings"
)

// Exposure is a route from a public URL to a Service, by an Ingress, an HTTPRoute or a Route: every request below the
// URL goes unchanged to one port of the Service.
type Exposure struct {
	Port   string // the port's name or number; "" = the Service's only port
	Pods   bool   // a number in Port is the pods' port
	Scheme string // http or https
	Host   string
	Path   string // without a trailing slash
	Not    NoLink // why it gives no link; "" if it may give one
	By     string // the object, as "Ingress namespace/name"; empty in the store, which knows the object
}

// NoLink is a word for why an object that leads to a backend gives no link. Package view has a text for each.
type NoLink string

// Reasons. The first ones concern the object, the others the backend.
const (
	NoLinkHost        NoLink = "host"         // it has no host, or a wildcard host
	NoLinkNotAllowed  NoLink = "not-allowed"  // links from its namespace must not use that host
	NoLinkPath        NoLink = "path"         // it matches an exact path or a regular expression
	NoLinkMatch       NoLink = "match"        // it matches only requests with a header, a query or a method
	NoLinkRewritten   NoLink = "rewritten"    // it may change a request's path, or not forward the request
	NoLinkShared      NoLink = "shared"       // several backends receive the requests
	NoLinkNotAdmitted NoLink = "not-admitted" // its controller has refused it
	NoLinkNoGateway   NoLink = "no-gateway"   // no Gateway serves it
	NoLinkPort        NoLink = "port"         // it leads to another port
	NoLinkPart        NoLink = "part"         // it leads to only a part of the API
	NoLinkElsewhere   NoLink = "elsewhere"    // it leads to paths that do not contain the backend's base path
	NoLinkForeign     NoLink = "foreign"      // the backend's host is not the Service's own
	NoLinkLong        NoLink = "long"         // the paths of the namespace's links are too long in total
)

// NoLinks returns all reasons.
func NoLinks() []NoLink {
	return []NoLink{
		NoLinkHost, NoLinkNotAllowed, NoLinkPath, NoLinkMatch, NoLinkRewritten, NoLinkShared, NoLinkNotAdmitted,
		NoLinkNoGateway, NoLinkPort, NoLinkPart, NoLinkElsewhere, NoLinkForeign, NoLinkLong,
	}
}

// Below reports whether path equals base or is below it. Neither has a trailing slash.
func Below(path, base string) bool {
	rest, ok := strings.CutPrefix(path, base)
	return ok && (rest == "" || rest[0] == '/')
}

// LeadsTo reports whether e leads to the port p of the Service.
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
