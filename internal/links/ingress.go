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

// object is what all kinds have.
type object struct {
	Metadata struct {
		Annotations map[string]string `json:"annotations"`
	} `json:"metadata"`
}

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
				return nil, fmt.Errorf(
					"spec.rules[%d].http.paths[%d].backend: it names no service, as one of networking.k8s.io/v1 does",
					i,
					j,
				)
			}
			switch {
			case to == nil:
				continue
			case exact:
				not = backend.NoLinkPath
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

// covers: a certificate for these hosts, any where there are none, is one for the host.
func covers(hosts []string, host string) bool {
	_, domain, _ := strings.Cut(host, ".")
	return len(hosts) == 0 || slices.Contains(hosts, host) || slices.Contains(hosts, "*."+domain)
}

// basePath is the path of a rule, below which all goes to the Service. Controllers of clouds write /* for that, and
// others have regular expressions there, which are none.
func basePath(path string) (base string, not backend.NoLink) {
	if path == "" || path == "/*" {
		return "", ""
	}
	base, ok := safetext.BasePath(strings.TrimSuffix(path, "/*"))
	if !ok {
		return "", backend.NoLinkPath
	}
	return base, ""
}

// rewrites reports whether an annotation of a controller may have requests reach the Service at another path than
// they were sent to, or another Service. What takes a prefix off, and middleware that may do so, has no effect on the
// root.
func (o *object) rewrites(base string) bool {
	for key, value := range o.Metadata.Annotations {
		_, name, _ := strings.Cut(key, "/")
		is := func(word string) bool { return strings.Contains(name, word) }
		switch {
		case value == "" || value == "false":
		case slices.ContainsFunc([]string{
			"rewrite", "permanent-redirect", "temporal-redirect", "path-prefix", "transforms", "canary",
		}, is),
			base != "" && slices.ContainsFunc([]string{"strip", "rule-type", "middlewares", "plugins", "snippet"}, is):
			return true
		}
	}
	return false
}

// endsTLS reports whether an annotation says that TLS ends at the load balancer, of which the rules then say nothing.
func (o *object) endsTLS() bool {
	for key, value := range o.Metadata.Annotations {
		switch key {
		case "alb.ingress.kubernetes.io/certificate-arn", "ingress.gcp.kubernetes.io/pre-shared-cert",
			"networking.gke.io/managed-certificates", "networking.gke.io/certmap":
			return value != ""
		case "nginx.ingress.kubernetes.io/force-ssl-redirect", "traefik.ingress.kubernetes.io/router.tls":
			return value == "true"
		}
	}
	return false
}
