package detect

import (
	"net"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"k8s.io/apimachinery/pkg/util/validation"

	"kubernaut.io/dynamic-toolset/internal/safetext"
)

// AllowsLink reports whether links of a namespace may lead people to a host, which has its port where that is not its
// scheme's own. A stranger who chose freely would have the agent show people a page that asks for their password.
func (d *Detector) AllowsLink(namespace, host string) bool {
	return d.trusts(namespace) || slices.ContainsFunc(d.opts.AllowedLinkHosts, func(allowed string) bool {
		return strings.EqualFold(allowed, host)
	})
}

// plainLink is a link as it is written, without a slash at its end, and its host, with the port that is not its
// scheme's own. The link is empty where v is no URL for people.
func plainLink(v string) (link, host string) {
	u, err := url.Parse(v)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.User != nil || u.RawQuery != "" || u.ForceQuery ||
		strings.Contains(v, "#") {
		return "", ""
	}
	host = strings.ToLower(u.Hostname())
	if net.ParseIP(host) == nil && len(validation.IsDNS1123Subdomain(host)) > 0 {
		return "", ""
	}
	base := ""
	if p := u.EscapedPath(); p != "" {
		var ok bool
		if base, ok = safetext.BasePath(p); !ok {
			return "", ""
		}
	}
	port := u.Port()
	n, err := strconv.ParseUint(port, 10, 16)
	if port != "" && (err != nil || n == 0) || strings.HasSuffix(u.Host, ":") {
		return "", ""
	}
	if port == "" || port == "443" && u.Scheme == "https" || port == "80" && u.Scheme == "http" {
		port = ""
	}
	shown := host
	switch {
	case port != "":
		host = net.JoinHostPort(host, port)
		shown = host
	case strings.Contains(host, ":"):
		shown = "[" + host + "]"
	}
	return u.Scheme + "://" + shown + base, host
}
