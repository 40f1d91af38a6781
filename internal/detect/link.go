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

// AllowsLink reports whether links of a namespace may lead people to a host, which has its port if that is not its
// scheme's own. A stranger who chose freely could have the agent show people a page that asks for their password.
func (d *Detector) AllowsLink(namespace, host string) bool {
	return d.trusts(namespace) || slices.ContainsFunc(d.opts.AllowedLinkHosts, func(allowed string) bool {
		return strings.EqualFold(allowed, host)
	})
}

// plainLink returns the link as it is written, without a slash at its end, and its host for AllowsLink. The link is
// empty if v is not a URL that people can open.
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
	shown := host
	switch port := portOf(u); {
	case port == 0, strings.HasSuffix(u.Host, ":"):
		return "", ""
	case port != schemePort(u.Scheme):
		host = net.JoinHostPort(host, strconv.Itoa(int(port)))
		shown = host
	case strings.Contains(host, ":"):
		shown = "[" + host + "]"
	}
	return u.Scheme + "://" + shown + base, host
}
