package probe

import (
	"cmp"
	"crypto/x509"
	"errors"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"kubernaut.io/dynamic-toolset/internal/backend"
)

// maxMoves bounds the sessions that follow the first one of a try: one for the other scheme, and one for each shorter
// name of the Service.
const maxMoves = 3

// ownNames returns the names in the cluster's DNS that resolve in every namespace: the candidate's name, then the
// shorter ones. If an annotation sets the name, it is the only one.
func ownNames(c *backend.Candidate) []string {
	if c.FixedHost || c.ForeignHost {
		return []string{c.Host}
	}
	names := append([]string{c.Host}, c.Service.ShortNames()...)
	if i := slices.Index(names[1:], c.Host); i >= 0 {
		return names[1+i:]
	}
	return names
}

// Within reports whether the observation was made at one of the names and ports of the candidate's Service. Only a
// certificate can require another name than the candidate's, so with plain HTTP no other name counts.
func Within(c *backend.Candidate, o *backend.Observation) bool {
	if o.Scheme == "http" && o.Host != "" && o.Host != c.Host {
		return false
	}
	ownPort := func(p backend.Port) bool { return p.Number == o.Port }
	return (o.Host == "" || slices.Contains(ownNames(c), o.Host)) &&
		(o.Port == 0 || slices.ContainsFunc(c.Service.Ports, ownPort))
}

// next returns the candidate for the session after this one: with the other scheme, perhaps at another port of its
// Service, or with another name. It returns nil if no other session is needed.
func (s *session) next(movedScheme bool) *backend.Candidate {
	c := *s.cand
	switch {
	case s.otherScheme && !movedScheme && !c.FixedScheme:
		c.Scheme = otherScheme(s.cand.Scheme)
		if c.Scheme == "http" && !c.FixedHost && !c.ForeignHost { // no certificate requires a shorter name
			c.Host = cmp.Or(c.FullName, c.Host)
		}
		if s.otherPort != nil {
			c.Port, c.PortNumber = *s.otherPort, s.otherPort.Number
		}
	case !s.otherScheme && s.otherHost != "":
		c.Host = s.otherHost
	default:
		return nil
	}
	return &c
}

func otherScheme(scheme string) string {
	if scheme == "http" {
		return "https"
	}
	return "http"
}

// noteName records the name to try next: the name in the server's certificate, if it is one of the Service's own, or
// the next shorter one, if the server refuses a name and shows no certificate. Without TLS no name is better than
// another.
func (s *session) noteName(err error) {
	others := ownNames(s.cand)[1:]
	var wrong x509.HostnameError
	switch {
	case s.cand.Scheme != "https" || s.answered || len(others) == 0:
	case errors.As(err, &wrong):
		i := slices.IndexFunc(others, func(name string) bool { return wrong.Certificate.VerifyHostname(name) == nil })
		if i >= 0 {
			s.otherHost = others[i]
		}
	case alert(err) == unrecognizedName:
		s.otherHost = others[0]
	}
}

// secureTwin returns the port of the same Service to which plain HTTP is redirected, nil if there is none.
func (s *session) secureTwin(u *url.URL) *backend.Port {
	c := s.cand
	host := strings.ToLower(strings.TrimSuffix(u.Hostname(), "."))
	if s.cand.Scheme != "http" || u.Scheme != "https" || c.ForeignHost || c.Service.Headless() ||
		!slices.Contains(append(ownNames(c), c.Service.Name), host) {
		return nil
	}
	number := cmp.Or(u.Port(), "443")
	i := slices.IndexFunc(c.Service.Ports, func(p backend.Port) bool {
		return strconv.Itoa(int(p.Number)) == number && p.Number != c.PortNumber && p.Protocol == "TCP"
	})
	if i < 0 {
		return nil
	}
	return &c.Service.Ports[i]
}
