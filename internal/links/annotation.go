package links

import (
	"slices"
	"strings"
)

// object has the fields that all kinds have.
type object struct {
	Metadata struct {
		Annotations map[string]string `json:"annotations"`
	} `json:"metadata"`
}

// annotated reports whether says returns true for the key of an annotation that is set and not "false". Annotations of
// different controllers often differ only in the domain before the name.
func (o *object) annotated(says func(key string) bool) bool {
	for key, value := range o.Metadata.Annotations {
		if value != "" && value != "false" && says(key) {
			return true
		}
	}
	return false
}

// name returns the key of an annotation without its domain.
func name(key string) string { return key[strings.IndexByte(key, '/')+1:] }

// rewrites reports whether an annotation for a controller may change the path of requests, or send them to another
// target. Annotations that remove a prefix, and middleware that may do so, have no effect on the root.
func (o *object) rewrites(base string) bool {
	return o.annotated(func(key string) bool {
		is := func(word string) bool { return strings.Contains(name(key), word) }
		return slices.ContainsFunc([]string{"rewrite", "path-prefix", "transforms", "canary"}, is) ||
			is("redirect") && !slices.ContainsFunc(harmless, is) ||
			base != "" && slices.ContainsFunc([]string{"strip", "rule-type", "middlewares", "plugins", "snippet"}, is)
	})
}

// harmless are parts of names of annotations about redirects after which the link is still right: those from http or
// another host to this one, those in the Service's answers, and those about the status code or the port.
var harmless = []string{
	"ssl", "tls", "https", "www", "redirect-from", "proxy-redirect", "redirect-code", "redirect-port",
}

// conditional reports whether by an annotation the Service of this name gets only some requests, such as those with a
// header.
func (o *object) conditional(service string) bool {
	return o.annotated(func(key string) bool {
		return key == "alb.ingress.kubernetes.io/conditions."+service ||
			slices.Contains([]string{"konghq.com/methods", "haproxy.org/route-acl"}, key) ||
			strings.HasPrefix(key, "konghq.com/headers.") || strings.HasPrefix(name(key), "http-header-match")
	})
}

// endsTLS reports whether an annotation says that TLS ends at the load balancer. The rules do not say so then.
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
