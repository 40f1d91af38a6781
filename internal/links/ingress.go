package links

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"

	networkingv1 "k8s.io/api/networking/v1"

	"kubernaut.io/dynamic-toolset/internal/backend"
	"kubernaut.io/dynamic-toolset/internal/safetext"
)

func readIngress(decode Decode) (ways []way, err error) {
	var in struct {
		object
		Spec networkingv1.IngressSpec `json:"spec"`
	}
	if err := decode(&in); err != nil {
		return nil, err
	}
	if d := in.Spec.DefaultBackend; d != nil && d.Service != nil {
		ways = append(ways, way{"", d.Service.Name, backend.Exposure{Not: backend.NoLinkHost}})
	}
	says, certs := in.says(), certificatesOf(in.Spec.TLS)
	for i := range in.Spec.Rules {
		rule := &in.Spec.Rules[i]
		if rule.HTTP == nil {
			continue
		}
		tls := says.endsTLS || certs.covers(rule.Host)
		for j, p := range rule.HTTP.Paths {
			to := p.Backend.Service
			if to == nil && p.Backend.Resource == nil {
				const missing = "it names no service, as one of networking.k8s.io/v1 does"
				return nil, fmt.Errorf("spec.rules[%d].http.paths[%d].backend: %s", i, j, missing)
			}
			base, not := basePath(p.Path)
			switch {
			case to == nil:
				continue
			case p.PathType != nil && *p.PathType == networkingv1.PathTypeExact:
				not = backend.NoLinkPath
			case says.conditional || in.conditionalFor(to.Name):
				not = cmp.Or(not, backend.NoLinkMatch)
			case says.rewrites(base):
				not = cmp.Or(not, backend.NoLinkRewritten)
			}
			ways = append(ways, way{"", to.Name, backend.Exposure{
				Port:   cmp.Or(to.Port.Name, strconv.Itoa(int(to.Port.Number))),
				Scheme: scheme(tls), Host: rule.Host, Path: base, Not: not,
			}})
		}
	}
	return ways, nil
}

// certificates are those of an Ingress, by the hosts they are for. One without hosts is for any, "".
type certificates map[string]bool

func certificatesOf(tls []networkingv1.IngressTLS) certificates {
	c := certificates{}
	for i := range tls {
		c[""] = c[""] || len(tls[i].Hosts) == 0
		for _, host := range tls[i].Hosts {
			c[host] = true
		}
	}
	return c
}

// covers reports whether a certificate is valid for the host.
func (c certificates) covers(host string) bool {
	_, domain, _ := strings.Cut(host, ".")
	return c[""] || c[host] || c["*."+domain]
}

// basePath returns the base path of a rule: requests below it go to the Service. Controllers of clouds write /* at its
// end. A regular expression is no base path.
func basePath(path string) (base string, not backend.NoLink) {
	if path == "" || path == "/*" {
		return "", ""
	}
	base, ok := safetext.BasePath(strings.TrimSuffix(path, "/*"))
	if !ok || strings.HasPrefix(path, "/~/") { // Kong's mark of a regular expression
		return "", backend.NoLinkPath
	}
	return base, ""
}
