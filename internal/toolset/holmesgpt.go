package toolset

import (
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// What HolmesGPT 0.45 knows, read off its loader.

// isBuiltin says that a name is one of HolmesGPT's own toolsets, which need nothing but enabled and config.
func isBuiltin(name string) bool {
	switch name {
	case "MongoDBAtlas", "aks/core", "aks/node-health", "argocd/core", "bash", "cilium/core", "confluence",
		"connectivity_check", "coralogix", "coralogix/logs", "core_investigation", "crossplane/core", "database/sql",
		"datadog/general", "datadog/logs", "datadog/metrics", "datadog/traces", "docker/core",
		"elasticsearch/cluster", "elasticsearch/data", "grafana/dashboards", "grafana/loki", "grafana/tempo",
		"helm/core", "hubble/observability", "inspektor-gadget/node", "inspektor-gadget/tcpdump", "internet",
		"kafka/admin", "kubectl-run", "kubernetes/core", "kubernetes/kube-prometheus-stack",
		"kubernetes/live-metrics", "kubernetes/logs", "kubevela/core", "newrelic", "notion",
		"opensearch/query_assist", "openshift/core", "openshift/live-metrics", "openshift/logs",
		"openshift/security", "prometheus/metrics", "prometheus/multi-tenant-metrics", "rabbitmq/core",
		"robusta", "runbook", "servicenow/tables", "skills", "slab", "victorialogs":
		return true
	}
	return false
}

// isField says that an entry may hold the field; HolmesGPT fails a toolset with any other.
func isField(name string) bool {
	switch name {
	case "approval_required_tools", "config", "description", "docs_url", "enabled", "error", "experimental",
		"expose_remotely", "icon_url", "installation_instructions", "llm_instructions", "meta", "path",
		"prerequisites", "restricted_tools", "status", "status_refresh_interval_seconds", "subtype", "tags", "tools",
		"transformers", "type", "url":
		return true
	}
	return false
}

// isTaken says that HolmesGPT sets the field itself in a toolset of that type, and fails if it is given too.
func isTaken(typ, field string) bool {
	switch field {
	case "tools", "prerequisites", "icon_url", "docs_url":
		return typ == "http" || typ == "database" || typ == "mongodb"
	case "tags":
		return typ == "database" || typ == "mongodb"
	case "url":
		return typ != "mcp"
	}
	return false
}

// atomicGroups are keys that an instance inherits together or not at all: one that has any of a group inherits none
// of it.
func atomicGroups() [][]string {
	return [][]string{{"api_key", "username", "password", "bearer_token"}, {"client_cert", "client_key"}}
}

// isType says that it is a kind of toolset.
func isType(name string) bool {
	switch name {
	case "built-in", "custom", "mcp", "http", "database", "mongodb":
		return true
	}
	return false
}

// authNeeds are the fields that each kind of auth of an HTTP endpoint needs.
func authNeeds(kind string) (fields []string, known bool) {
	switch kind {
	case "none":
		return nil, true
	case "basic", "digest":
		return []string{"username", "password"}, true
	case "bearer":
		return []string{"token"}, true
	case "header":
		return []string{"name", "value"}, true
	}
	return nil, false
}

// host is one of an HTTP endpoint's, or a leading wildcard, with or without scheme and port. HolmesGPT fails the
// whole toolset for any other.
var host = regexp.MustCompile(`^(?i:(https?)://)?(\[[^\]]+\]|(?:\*\.)?[^*:/?#@\[\]\s]+)(?::(\*|[0-9]+))?(?:[/?#].*)?$`)

func isHostPattern(s string) bool {
	m := host.FindStringSubmatch(strings.TrimSpace(s))
	if m == nil {
		return false
	}
	port, err := strconv.Atoi(m[3])
	return m[3] == "" || m[3] == "*" || err == nil && port >= 1 && port <= 65535
}

// isOrigin reports whether s is a scheme, a host and a port, and nothing that HolmesGPT would understand otherwise.
func isOrigin(s string) bool {
	u, err := url.Parse(s)
	return err == nil && (u.Scheme == "http" || u.Scheme == "https") && u.Scheme+"://"+u.Host == s && isHostPattern(s) &&
		!strings.Contains(s, "*")
}

// isEndpointField lists the settings of an HTTP endpoint.
func isEndpointField(name string) bool {
	return slices.Contains([]string{"hosts", "paths", "methods", "auth", "health_check_url"}, name)
}

func isMethod(name string) bool {
	return slices.Contains([]string{"GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"}, strings.ToUpper(name))
}
