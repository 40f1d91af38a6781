package links

import (
	"cmp"
	"fmt"
	"slices"
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
	for i := range in.Spec.Rules {
		rule := &in.Spec.Rules[i]
		if rule.HTTP == nil {
			continue
		}
		for j, p := range rule.HTTP.Paths {
			exact := p.PathType != nil && *p.PathType == networkingv1.PathTypeExact
			base, not := basePath(p.Path)
			to := p.Backend.Service
			if to == nil && p.Backend.Resource == nil {
				const missing = "it names no service, as one of networking.k8s.io/v1 does"
				return nil, fmt.Errorf("spec.rules[%d].http.paths[%d].backend: %s", i, j, missing)
			}
			switch {
			case to == nil:
				continue
			case exact:
				not = backend.NoLinkPath
			case in.conditional(to.Name):
				not = cmp.Or(not, backend.NoLinkMatch)
			case in.rewrites(base):
				not = cmp.Or(not, backend.NoLinkRewritten)
			}
			port := to.Port.Name
			if port == "" {
				port = strconv.Itoa(int(to.Port.Number))
			}
			tls := in.endsTLS() ||
				slices.ContainsFunc(in.Spec.TLS,
					func(t networkingv1.IngressTLS) bool { return covers(t.Hosts, rule.Host) })
			exposure := backend.Exposure{Port: port, Scheme: scheme(tls), Host: rule.Host, Path: base, Not: not}
			ways = append(ways, way{"", to.Name, exposure})
		}
	}
	return ways, nil
}

// covers reports whether a certificate for these hosts is valid for the host. No hosts mean any.
func covers(hosts []string, host string) bool {
	_, domain, _ := strings.Cut(host, ".")
	return len(hosts) == 0 || slices.Contains(hosts, host) || slices.Contains(hosts, "*."+domain)
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
