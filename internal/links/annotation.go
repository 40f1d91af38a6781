package links

import (
	"slices"
	"strings"
)

// object is what all kinds have.
type object struct {
	Metadata struct {
		Annotations map[string]string `json:"annotations"`
	} `json:"metadata"`
}

// annotated reports whether one of the annotations that are on has a key that says so. The annotations are those of
// the controllers, which share many names behind a domain of their own.
func (o *object) annotated(says func(key string) bool) bool {
	for key, value := range o.Metadata.Annotations {
		if value != "" && value != "false" && says(key) {
			return true
		}
	}
	return false
}

// name is the key of an annotation without its domain.
func name(key string) string { return key[strings.IndexByte(key, '/')+1:] }

// rewrites reports whether an annotation of a controller may have requests reach the Service at another path than
// they were sent to, or have them reach something else. What takes a prefix off, and middleware that may do so, has no
// effect on the root.
func (o *object) rewrites(base string) bool {
	return o.annotated(func(key string) bool {
		is := func(word string) bool { return strings.Contains(name(key), word) }
		return slices.ContainsFunc([]string{"rewrite", "path-prefix", "transforms", "canary"}, is) ||
			is("redirect") && !slices.ContainsFunc(harmless, is) ||
			base != "" && slices.ContainsFunc([]string{"strip", "rule-type", "middlewares", "plugins", "snippet"}, is)
	})
}

// harmless are parts of names of annotations about redirects that leave the link right: from http or another host to
// this one, in what the Service answers, and the status code alone.
var harmless = []string{
	"ssl", "tls", "https", "www", "redirect-from", "proxy-redirect", "redirect-code", "redirect-port",
}

// conditional reports whether an annotation has the Service of this name get only some of the requests, as by a header.
func (o *object) conditional(service string) bool {
	return o.annotated(func(key string) bool {
		return key == "alb.ingress.kubernetes.io/conditions."+service ||
			slices.Contains([]string{"konghq.com/methods", "haproxy.org/route-acl"}, key) ||
			strings.HasPrefix(key, "konghq.com/headers.") || strings.HasPrefix(name(key), "http-header-match")
	})
}

// endsTLS reports whether an annotation says that TLS ends at the load balancer, of which the rules then say nothing.
func (o *object) endsTLS() bool {
	return o.annotated(func(key string) bool {
		switch key {
		case "alb.ingress.kubernetes.io/certificate-arn", "ingress.gcp.kubernetes.io/pre-shared-cert",
			"networking.gke.io/managed-certificates", "networking.gke.io/certmap":
			return true
		case "nginx.ingress.kubernetes.io/force-ssl-redirect", "traefik.ingress.kubernetes.io/router.tls":
			return o.Metadata.Annotations[key] == "true"
		}
		return false
	})
}
