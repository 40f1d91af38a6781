package view

import (
	"fmt"
	"strings"
)

// Rule of a Role or ClusterRole that the API server asks for.
type Rule struct {
	Group, Resource string
	Name            string // "": any
	Verbs           string // separated by commas
}

func (r Rule) String() string {
	rule := fmt.Sprintf("apiGroups: [%q], resources: [%s]", r.Group, r.Resource)
	if r.Name != "" {
		rule += ", resourceNames: [" + r.Name + "]"
	}
	return fmt.Sprintf("{%s, verbs: [%s]}", rule, r.Verbs)
}

// OwnRule is what this service needs of a resource in all: with one verb alone the next would be missing. ok is false
// for a resource that it reads for its user only.
func OwnRule(resource string) (r Rule, ok bool) {
	switch resource {
	case "services":
		return Rule{Resource: resource, Verbs: "get, list, watch"}, true
	case "endpointslices":
		return Rule{Group: "discovery.k8s.io", Resource: resource, Verbs: "list, watch"}, true
	case "configmaps":
		return Rule{Resource: resource, Verbs: "get, list, watch, create, patch"}, true
	case "leases":
		return Rule{Group: "coordination.k8s.io", Resource: resource, Verbs: "get, create, patch, update"}, true
	case "ingresses":
		return Rule{Group: "networking.k8s.io", Resource: resource, Verbs: "list, watch"}, true
	case "httproutes":
		return Rule{Group: "gateway.networking.k8s.io", Resource: resource, Verbs: "list, watch"}, true
	case "routes":
		return Rule{Group: "route.openshift.io", Resource: resource, Verbs: "list, watch"}, true
	case "events":
		return Rule{Group: "events.k8s.io", Resource: resource, Verbs: "create, patch"}, true
	}
	return r, false
}

// WatchRules is what lets this service watch a namespace.
func WatchRules() string {
	services, _ := OwnRule("services")
	slices, _ := OwnRule("endpointslices")
	return fmt.Sprintf("%s and %s", services, slices)
}

// proxyRight is what a user needs to ask backends through the API server; the namespaces follow.
const proxyRight = "get on services/proxy in "

// NeedsProxy says where a user needs the right to ask through the API server, and the command that shows whether it is
// there. In kubectl's words services/proxy would be the Service named proxy. There is at least one namespace.
func NeedsProxy(namespaces []string) (right, check string) {
	const named = 5
	where := "namespace " + namespaces[0]
	if n := len(namespaces); n > named {
		where = fmt.Sprintf("namespaces %s and %d more", strings.Join(namespaces[:named], ", "), n-named)
	} else if n > 1 {
		where = "namespaces " + strings.Join(namespaces, ", ")
	}
	return proxyRight + where, "kubectl auth can-i get services --subresource=proxy -n " + namespaces[0]
}
