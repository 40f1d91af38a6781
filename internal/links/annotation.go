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

// set reports whether an annotation is set and not "false".
func (o *object) set(key string) bool {
	value := o.Metadata.Annotations[key]
	return value != "" && value != "false"
}

// said is what the annotations of an object say about all its paths.
type said struct {
	endsTLS       bool // TLS ends at the load balancer; the rules do not say so then
	conditional   bool // the Services get only some requests, such as those with a header
	rewritesRoot  bool // the path of requests may change, or their target
	rewritesBelow bool // the same, if the path is not the root
}

// says reads the annotations once for all paths, because an owner may write thousands of both. Annotations of different
// controllers often differ only in the domain before the name.
func (o *object) says() (s said) {
	for key, value := range o.Metadata.Annotations {
		if !o.set(key) {
			continue
		}
		s.endsTLS = s.endsTLS || endsTLS(key, value)
		s.conditional = s.conditional || conditional(key)
		s.rewritesRoot = s.rewritesRoot || rewritesRoot(key)
		s.rewritesBelow = s.rewritesBelow || rewritesBelow(key)
	}
	return s
}

func (s said) rewrites(base string) bool { return s.rewritesRoot || base != "" && s.rewritesBelow }

// name returns the key of an annotation without its domain.
func name(key string) string { return key[strings.IndexByte(key, '/')+1:] }

// rewritesRoot reports whether an annotation for a controller may change the path of requests, or send them to another
// target.
func rewritesRoot(key string) bool {
	is := func(word string) bool { return strings.Contains(name(key), word) }
	return slices.ContainsFunc([]string{"rewrite", "path-prefix", "transforms", "canary"}, is) ||
		is("redirect") && !slices.ContainsFunc(harmless, is)
}

// rewritesBelow reports whether an annotation may do so except at the root: it removes a prefix, or names middleware
// that may.
func rewritesBelow(key string) bool {
	is := func(word string) bool { return strings.Contains(name(key), word) }
	return slices.ContainsFunc([]string{"strip", "rule-type", "middlewares", "plugins", "snippet"}, is)
}

// harmless are parts of names of annotations about redirects after which the link is still right: those from http or
// another host to this one, those in the Service's answers, and those about the status code or the port.
var harmless = []string{
	"ssl", "tls", "https", "www", "redirect-from", "proxy-redirect", "redirect-code", "redirect-port",
}

// conditional reports whether by an annotation all Services get only some requests.
func conditional(key string) bool {
	return slices.Contains([]string{"konghq.com/methods", "haproxy.org/route-acl"}, key) ||
		strings.HasPrefix(key, "konghq.com/headers.") || strings.HasPrefix(name(key), "http-header-match")
}

// conditionalFor reports whether by an annotation the Service of this name does.
func (o *object) conditionalFor(service string) bool {
	return o.set("alb.ingress.kubernetes.io/conditions." + service)
}

// endsTLS reports whether an annotation says that TLS is served: it names a certificate, or only ports that serve it.
func endsTLS(key, value string) bool {
	switch key {
	case "alb.ingress.kubernetes.io/certificate-arn", "ingress.gcp.kubernetes.io/pre-shared-cert",
		"networking.gke.io/managed-certificates", "networking.gke.io/certmap":
		return true
	case "nginx.ingress.kubernetes.io/force-ssl-redirect", "traefik.ingress.kubernetes.io/router.tls":
		return value == "true"
	case "traefik.ingress.kubernetes.io/router.entrypoints":
		return !slices.ContainsFunc(strings.Split(value, ","), func(entrypoint string) bool {
			return !slices.Contains([]string{"websecure", "https"}, strings.TrimSpace(entrypoint))
		})
	case "alb.ingress.kubernetes.io/listen-ports": // such as [{"HTTP": 80}, {"HTTPS": 443}]
		return strings.Contains(value, `"HTTPS"`) && !strings.Contains(value, `"HTTP"`)
	}
	return false
}
