package catalog

import "strings"

// Reserved reports that a name is not free for a type or a toolset of the user's own: keys of the documents, keys of
// the ConfigMap, words HolmesGPT gives a meaning, and the first parts of the names of its own toolsets (0.45), so
// that no toolset of ours can take the place of one of them. Types of the built-in catalog are not reserved, though
// some are such first parts: a user may replace them.
func Reserved(name string) bool {
	switch strings.ToLower(name) {
	case // Ours.
		"custom", "generation", "kubernetes", "mcp", "overrides", "state":
		return true
	case // Words of HolmesGPT's schema, and names that it treats in a way of its own.
		"built-in", "database", "http", "kubectl-run", "mongodb", "runbook", "toolsets", "mcp-servers":
		return true
	case // First parts of the names of its toolsets.
		"aks", "argocd", "bash", "cilium", "confluence", "connectivity_check", "coralogix", "core_investigation",
		"crossplane", "datadog", "docker", "helm", "hubble", "inspektor-gadget", "internet", "kafka", "kubevela",
		"mongodbatlas", "newrelic", "notion", "openshift", "rabbitmq", "robusta", "servicenow", "skills", "slab":
		return true
	}
	return false
}
