// Package links finds the URL at which people reach a backend. It reads the ways to Services from Ingresses, HTTPRoutes
// and OpenShift's Routes, and chooses the right one for a candidate. It is pure, and no link is ever requested.
package links

import (
	"slices"

	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/validation"

	"kubernaut.io/dynamic-toolset/internal/backend"
)

// Kind is a kind of objects that lead people to Services.
type Kind struct {
	Name     string // in links.from
	Resource string // in the API
	schema.GroupVersionKind
	read func(decode Decode) ([]way, error)
}

// Kinds returns the kinds with these names.
func Kinds(from []string) []Kind {
	return slices.DeleteFunc([]Kind{
		{"ingress", "ingresses", gvk("networking.k8s.io", "Ingress"), readIngress},
		{"httproute", "httproutes", gvk("gateway.networking.k8s.io", "HTTPRoute"), readHTTPRoute},
		{"route", "routes", gvk("route.openshift.io", "Route"), readRoute},
	}, func(k Kind) bool { return !slices.Contains(from, k.Name) })
}

func gvk(group, kind string) schema.GroupVersionKind {
	return schema.GroupVersionKind{Group: group, Version: "v1", Kind: kind}
}

// GVR returns the resource in the API.
func (k Kind) GVR() schema.GroupVersionResource { return k.GroupVersion().WithResource(k.Resource) }

// From says which objects are read, and where links may lead.
type From struct {
	Kinds  []Kind
	Allows func(namespace, host string) bool
}

// way is how people get to a Service.
type way struct {
	namespace string // "" for the object's own; Read leaves out ways to other namespaces
	service   string
	backend.Exposure
}

// maxWays limits the ways of one object that give a link, and in the same way those that give none.
const maxWays = 100

// maxRead limits the ways of one object that are looked at, in the object's order. It is above maxWays because many of
// the first may be alike, or lead to no Service of the namespace.
const maxRead = 1000

// Decode writes an object into a struct with the fields that are needed.
type Decode func(into any) error

// Unstructured returns the Decode of an object from the API server.
func Unstructured(object map[string]any) Decode {
	return func(into any) error { return runtime.DefaultUnstructuredConverter.FromUnstructured(object, into) }
}

// Read returns the ways that an object of this kind and namespace opens to its namespace's Services, by the Service's
// name. A way gives no link if links of the namespace may not lead to its host, if the host is a pattern, or if
// requests may not reach the Service unchanged. For each Service the first such way is kept, with the reason. The error
// says why the object is not valid.
func (f From) Read(k Kind, namespace string, decode Decode) (map[string][]backend.Exposure, error) {
	ways, err := k.read(decode)
	if err != nil {
		return nil, err
	}
	found, links, others := map[string][]backend.Exposure{}, 0, 0
	for _, w := range ways[:min(len(ways), maxRead)] {
		if w.namespace != "" && w.namespace != namespace || !matches(w.service, validation.IsDNS1123Label) {
			continue
		}
		isHost := matches(w.Host, validation.IsDNS1123Subdomain)
		switch {
		case w.Not != "":
		case !isHost:
			w.Not = backend.NoLinkHost
		case !f.Allows(namespace, w.Host):
			w.Not = backend.NoLinkNotAllowed
		}
		if !isHost && !matches(w.Host, validation.IsWildcardDNS1123Subdomain) {
			w.Host = "" // any text
		}
		known := slices.ContainsFunc(found[w.service],
			func(e backend.Exposure) bool { return e == w.Exposure || e.Not != "" && w.Not != "" })
		room := &links
		if w.Not != "" {
			room = &others
		}
		if known || *room == maxWays {
			continue
		}
		found[w.service] = append(found[w.service], w.Exposure)
		*room++
	}
	return found, nil
}

// matches reports whether the check of a name finds no fault. A check reads the whole of a name that is too long, and a
// thousand ways may share one.
func matches(name string, check func(name string) []string) bool {
	return len(name) <= validation.DNS1123SubdomainMaxLength && len(check(name)) == 0
}

func scheme(tls bool) string {
	if tls {
		return "https"
	}
	return "http"
}
