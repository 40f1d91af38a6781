package view

import (
	"fmt"
	"slices"
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

// ownRules have all verbs that this service needs: a rule with one missing verb would only lead to the next missing
// verb.
var ownRules = []Rule{
	{Resource: "services", Verbs: "get, list, watch"},
	{Group: "discovery.k8s.io", Resource: "endpointslices", Verbs: "list, watch"},
	{Resource: "configmaps", Verbs: "get, list, watch, create, patch"},
	{Group: "coordination.k8s.io", Resource: "leases", Verbs: "get, create, patch, update"},
	{Group: "networking.k8s.io", Resource: "ingresses", Verbs: "list, watch"},
	{Group: "gateway.networking.k8s.io", Resource: "httproutes", Verbs: "list, watch"},
	{Group: "route.openshift.io", Resource: "routes", Verbs: "list, watch"},
	{Group: "events.k8s.io", Resource: "events", Verbs: "create, patch"},
}

// OwnRule returns the rule that this service needs for a resource. ok is false for a resource that only the user of a
// command reads.
func OwnRule(resource string) (r Rule, ok bool) {
	i := slices.IndexFunc(ownRules, func(r Rule) bool { return r.Resource == resource })
	if i < 0 {
		return r, false
	}
	return ownRules[i], true
}

// WatchRules returns the rules that let this service watch a namespace.
func WatchRules() string {
	return fmt.Sprintf("%s and %s", ownRules[0], ownRules[1])
}

// proxyRight is the right that a user needs to probe through the API server; the namespaces follow.
const proxyRight = "get on services/proxy in "

// NeedsProxy describes the right that a user needs to probe through the API server, and returns the command that checks
// it. namespaces must not be empty. The command uses --subresource, because kubectl reads services/proxy as the Service
// named proxy.
func NeedsProxy(namespaces []string) (right, check string) {
	where := "namespace "
	if len(namespaces) > 1 {
		where = "namespaces "
	}
	return proxyRight + where + few(namespaces, 5),
		"kubectl auth can-i get services --subresource=proxy -n " + namespaces[0]
}
