// Package links finds the URL at which people reach a backend: what Ingresses, HTTPRoutes and OpenShift's Routes say
// of Services, and which of it is right for a candidate. It is pure, and nothing in it is ever requested.
package links

import (
	"slices"

	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/validation"

	"kubernaut.io/dynamic-toolset/internal/backend"
)

// Kind of the objects that lead people to Services.
type Kind struct {
	Name     string // in links.from
	Resource string // in the API
	schema.GroupVersionKind
	read func(decode Decode) ([]way, error)
}

// Kinds are those that the configuration names.
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

// GVR names the resource in the API.
func (k Kind) GVR() schema.GroupVersionResource { return k.GroupVersion().WithResource(k.Resource) }

// From says which objects are read, and where links may lead.
type From struct {
	Kinds  []Kind
	Allows func(namespace, host string) bool
}

// way is how people get to a Service.
type way struct {
	namespace string // "" for the object's; what is in others is left out
	service   string
	backend.Exposure
}

// maxWays is how many ways of one object are kept, and as many that give no link.
const maxWays = 100

// Decode writes what is known of an object into a struct of its kind.
type Decode func(into any) error

// Unstructured decodes an object as the API server sends it.
func Unstructured(object map[string]any) Decode {
	return func(into any) error { return runtime.DefaultUnstructuredConverter.FromUnstructured(object, into) }
}

// Read is what an object of this kind and namespace says, by the name of the Service. A host where links of the
// namespace may not lead, one that stands for several, and what does not reach the Service as it is asked give no
// link: of those the first is kept for each Service, with the reason. An error says what is no valid object.
func (f From) Read(k Kind, namespace string, decode Decode) (map[string][]backend.Exposure, error) {
	ways, err := k.read(decode)
	if err != nil {
		return nil, err
	}
	found, links, others := map[string][]backend.Exposure{}, 0, 0
	for _, w := range ways {
		isHost := len(validation.IsDNS1123Subdomain(w.Host)) == 0
		switch {
		case w.Not != "":
		case !isHost:
			w.Not = backend.NoLinkHost
		case !f.Allows(namespace, w.Host):
			w.Not = backend.NoLinkNotAllowed
		}
		if !isHost && len(validation.IsWildcardDNS1123Subdomain(w.Host)) > 0 {
			w.Host = "" // any text
		}
		known := slices.ContainsFunc(found[w.service],
			func(e backend.Exposure) bool { return e == w.Exposure || e.Not != "" && w.Not != "" })
		room := &links
		if w.Not != "" {
			room = &others
		}
		if known || *room == maxWays || w.namespace != "" && w.namespace != namespace ||
			len(validation.IsDNS1123Label(w.service)) > 0 {
			continue
		}
		found[w.service] = append(found[w.service], w.Exposure)
		*room++
	}
	return found, nil
}

func scheme(tls bool) string {
	if tls {
		return "https"
	}
	return "http"
}
