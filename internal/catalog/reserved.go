package catalog

import "strings"

// Reserved reports whether a name is not available for a user's own type or toolset. Reserved are keys of the documents
// and of the ConfigMap, words with a meaning in HolmesGPT, and the first parts of the names of its own toolsets (0.45),
// so that a user's toolset cannot replace one of those. Types of the built-in catalog are not reserved, although some
// are such first parts: a user may replace them.
func Reserved(name string) bool {
	switch strings.ToLower(name) {
	case // Ours.
		"custom", "generation", "kubernetes", "mcp", "overrides", "state":
		return true
	case // Words of HolmesGPT's schema, and names that it handles specially.
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
