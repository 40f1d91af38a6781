package backend

import (
	"strconv"
	"strings"
)

// Exposure is how an Ingress, an HTTPRoute or a Route leads people to a Service: all that is below a URL goes, as it
// is, to one of its ports.
type Exposure struct {
	Port   string // the port's name or number; "" is the only one that the Service has
	Pods   bool   // a number in Port is the one that the pods listen on
	Scheme string // http or https
	Host   string
	Path   string // without a slash at its end
	Not    NoLink // why no link is taken from it; "" where one may be
	By     string // the object that says so, as "Ingress namespace/name"; empty in the store, which knows it
}

// NoLink says in a word why an object that leads to a backend gives no link. Package view has a text for each.
type NoLink string

// Reasons. The first ones are of the object, the others of the backend that it leads to.
const (
	NoLinkHost        NoLink = "host"         // it names no host, or one that stands for several
	NoLinkNotAllowed  NoLink = "not-allowed"  // links from its namespace may not lead to that host
	NoLinkPath        NoLink = "path"         // an exact path, or a regular expression
	NoLinkMatch       NoLink = "match"        // only what has a header, a query or a method
	NoLinkRewritten   NoLink = "rewritten"    // requests may reach the Service at another path, or not at all
	NoLinkShared      NoLink = "shared"       // several backends share the requests
	NoLinkNotAdmitted NoLink = "not-admitted" // its controller has refused it
	NoLinkNoGateway   NoLink = "no-gateway"   // it is served by no Gateway
	NoLinkPort        NoLink = "port"         // it leads to another port
	NoLinkPart        NoLink = "part"         // it leads to a part of the API only
	NoLinkElsewhere   NoLink = "elsewhere"    // it leads to paths below which the backend is not
	NoLinkForeign     NoLink = "foreign"      // the backend is at another host than the Service's own
	NoLinkLong        NoLink = "long"         // the paths of the namespace's links are too long together
)

// NoLinks are all of them.
func NoLinks() []NoLink {
	return []NoLink{
		NoLinkHost, NoLinkNotAllowed, NoLinkPath, NoLinkMatch, NoLinkRewritten, NoLinkShared, NoLinkNotAdmitted,
		NoLinkNoGateway, NoLinkPort, NoLinkPart, NoLinkElsewhere, NoLinkForeign, NoLinkLong,
	}
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
