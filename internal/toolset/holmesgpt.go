package toolset

import (
	"maps"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// What HolmesGPT 0.45 knows, read off its loader.

// isBuiltin reports whether name is one of HolmesGPT's own toolsets, which need only enabled and config.
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

// isField reports whether an entry may hold the field; HolmesGPT fails a toolset with any other field.
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

// isTaken reports whether HolmesGPT sets the field itself in a toolset of that type; it fails if the field is also
// given.
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

// atomicGroups returns the groups of keys that an instance inherits only as a whole: an instance that sets any key of
// a group inherits no key of it.
func atomicGroups() [][]string {
	return [][]string{{"api_key", "username", "password", "bearer_token"}, {"client_cert", "client_key"}}
}

// formerSettings returns the former names, with the present ones, of settings that generated instances have and that
// HolmesGPT still accepts. If an instance has or inherits both, HolmesGPT ignores the former one.
func formerSettings(toolset string) map[string]string {
	switch toolset {
	case "grafana/dashboards", "grafana/loki", "grafana/tempo":
		return map[string]string{"url": "api_url", "headers": "additional_headers"}
	case "elasticsearch/cluster", "elasticsearch/data":
		return map[string]string{"url": "api_url"}
	case "prometheus/metrics":
		return map[string]string{"headers": "additional_headers", "prometheus_ssl_enabled": "verify_ssl"}
	}
	return nil
}

// present returns the settings of an instance with their present names.
func present(toolset string, config map[string]any) map[string]any {
	out := maps.Clone(config)
	for former, name := range formerSettings(toolset) {
		if out[former] == nil {
			continue // a patch removes what no generated instance has
		}
		if out[name] == nil {
			out[name] = out[former]
		}
		delete(out, former)
	}
	return out
}

// isType reports whether name is a type of toolset.
func isType(name string) bool {
	switch name {
	case "built-in", "custom", "mcp", "http", "database", "mongodb":
		return true
	}
	return false
}

// authNeeds returns the fields that each kind of auth of an HTTP endpoint needs.
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

// missingIn returns the fields that an auth of a kind needs and does not have.
func missingIn(auth map[string]any, kind string) (missing []string) {
	needs, _ := authNeeds(kind)
	for _, field := range needs {
		if s, _ := auth[field].(string); s == "" {
			missing = append(missing, field)
		}
	}
	return missing
}

// host matches a host of an HTTP endpoint, or a leading wildcard, with or without scheme and port. HolmesGPT fails the
// whole toolset for any other host.
var host = regexp.MustCompile(`^(?i:(https?)://)?(\[[^\]]+\]|(?:\*\.)?[^*:/?#@\[\]\s]+)(?::(\*|[0-9]+))?(?:[/?#].*)?$`)

func isHostPattern(s string) bool {
	m := host.FindStringSubmatch(strings.TrimSpace(s))
	if m == nil {
		return false
	}
	port, err := strconv.Atoi(m[3])
	return m[3] == "" || m[3] == "*" || err == nil && port >= 1 && port <= 65535
}

// isOrigin reports whether s is only a scheme, a host and a port, and HolmesGPT reads it as such.
func isOrigin(s string) bool {
	u, err := url.Parse(s)
	return err == nil && (u.Scheme == "http" || u.Scheme == "https") && u.Scheme+"://"+u.Host == s &&
		isHostPattern(s) && !strings.Contains(s, "*")
}

// isEndpointField reports whether name is a setting of an HTTP endpoint.
func isEndpointField(name string) bool {
	return slices.Contains([]string{"hosts", "paths", "methods", "auth", "health_check_url"}, name)
}

func isMethod(name string) bool {
	return slices.Contains([]string{"GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"}, strings.ToUpper(name))
}
