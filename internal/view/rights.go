package view

import (
	"fmt"
	"strings"
)

// Rule is a rule of a Role or ClusterRole.
type Rule struct {
	Group, Resource string
	Name            string // "" for any
	Verbs           string // separated by commas
}

func (r Rule) String() string {
	rule := fmt.Sprintf("apiGroups: [%q], resources: [%s]", r.Group, r.Resource)
	if r.Name != "" {
		rule += ", resourceNames: [" + r.Name + "]"
	}
	return fmt.Sprintf("{%s, verbs: [%s]}", rule, r.Verbs)
}

// OwnRule returns the rule with all verbs that this service needs for a resource. A rule with one missing verb would
// only lead to the next missing verb. ok is false for a resource that only the user of a command reads.
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

// WatchRules returns the rules that let this service watch a namespace.
func WatchRules() string {
	services, _ := OwnRule("services")
	slices, _ := OwnRule("endpointslices")
	return fmt.Sprintf("%s and %s", services, slices)
}

// proxyRight is the right that a user needs to probe through the API server; the namespaces follow.
const proxyRight = "get on services/proxy in "

// NeedsProxy describes the right that a user needs to probe through the API server, and returns the command that checks
// it. namespaces must not be empty. The command uses --subresource, because kubectl reads services/proxy as the Service
// named proxy.
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
