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

// maxMoves of one try: to the other scheme, and to each shorter name of the Service.
const maxMoves = 3

// ownNames are the names that the cluster's DNS has for a Service and that resolve in every namespace, the candidate's
// first and the shorter ones after it. A name that an annotation gives is the only one.
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

// Within reports whether where an observation was made is the candidate's Service, by one of its names and ports.
// Another name than the candidate's is one that a certificate asks for.
func Within(c *backend.Candidate, o *backend.Observation) bool {
	if o.Scheme == "http" && o.Host != "" && o.Host != c.Host {
		return false
	}
	ownPort := func(p backend.Port) bool { return p.Number == o.Port }
	return (o.Host == "" || slices.Contains(ownNames(c), o.Host)) &&
		(o.Port == 0 || slices.ContainsFunc(c.Service.Ports, ownPort))
}

// next is the candidate as it should be asked after this session, or nil: in the other scheme, perhaps at another port
// of its Service, or by another of its names.
func (s *session) next(movedScheme bool) *backend.Candidate {
	c := *s.cand
	switch {
	case s.otherScheme && !movedScheme && !c.FixedScheme:
		c.Scheme = otherScheme(s.scheme)
		if c.Scheme == "http" && !c.FixedHost && !c.ForeignHost { // no certificate asks for a shorter name
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

// noteName remembers the name that the server's certificate is for, if it is one of the Service's own, or the one to
// try next where a server refuses a name without showing a certificate.
func (s *session) noteName(err error) {
	others := ownNames(s.cand)[1:]
	var wrong x509.HostnameError
	switch {
	case s.answered || len(others) == 0:
	case errors.As(err, &wrong):
		i := slices.IndexFunc(others, func(name string) bool { return wrong.Certificate.VerifyHostname(name) == nil })
		if i >= 0 {
			s.otherHost = others[i]
		}
	case strings.Contains(err.Error(), unrecognizedName):
		s.otherHost = others[0]
	}
}

const unrecognizedName = "tls: unrecognized name"

// secureTwin is the other port of the same Service that plain HTTP is redirected to, if it is one.
func (s *session) secureTwin(u *url.URL) *backend.Port {
	c := s.cand
	host := strings.ToLower(strings.TrimSuffix(u.Hostname(), "."))
	own := append(ownNames(c), c.Service.Name)
	if s.scheme != "http" || u.Scheme != "https" || c.ForeignHost || !slices.Contains(own, host) {
		return nil
	}
	number := 443
	if u.Port() != "" {
		n, err := strconv.Atoi(u.Port())
		if err != nil {
			return nil
		}
		number = n
	}
	for i := range c.Service.Ports {
		p := c.Service.Ports[i]
		if int(p.Number) == number && p.Number != c.PortNumber && p.Protocol == "TCP" && !c.Service.Headless() {
			return &p
		}
	}
	return nil
}
