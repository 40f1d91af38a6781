package toolset

import (
	"slices"
	"strings"

	"kubernaut.io/dynamic-toolset/internal/yamlfile"
)

// mayBeCredential reports whether a setting at the top of a toolset's config may be a credential, or make HolmesGPT
// fetch one. Every setting may, except those known to hold no credential: a list of credential names would never be
// complete for all products and later versions of HolmesGPT.
func mayBeCredential(key string, v any) bool {
	return v != nil && !isPlainSetting(key) && !hasPlainHeaders(key, v) || refersToSecret(v, isReference)
}

// holdsCredential reports whether a value, or one in it, has the name of a secret, is a header that may be a secret,
// or is a reference. It serves warnings if the admin has decided who gets the credential.
func holdsCredential(key string, v any) bool {
	return soundsSecret(key, v) || refersToSecret(v, isReference)
}

// holdsCompactCredential does what holdsCredential does, for the compact form: its readers and settings are unknown,
// and its references have another syntax.
func holdsCompactCredential(key string, v any) bool {
	return holdsCredential(key, v) || refersToSecret(v, func(s string) bool { return strings.Contains(s, "${") })
}

func isReference(s string) bool { return len(references(s)) > 0 }

// isPlainSetting reports whether key is a setting of HolmesGPT 0.45 that holds no secret and chooses no login method
// (aws_region and azure_use_managed_id do choose one). It covers toolsets with instances, with their former names.
func isPlainSetting(key string) bool {
	switch key {
	case "url", "verify_ssl", "timeout_seconds", "timeout", "max_retries", "external_url",
		"grafana_datasource_uid", "labels",
		"enable_rendering", "default_render_width", "default_render_height",
		"additional_labels", "tool_calls_return_data", "rules_cache_duration_seconds", "query_response_size_limit_pct",
		"discover_metrics_from_last_hours", "query_timeout_seconds_default", "query_timeout_seconds_hard_max",
		"metadata_timeout_seconds_default", "metadata_timeout_seconds_hard_max", "refresh_interval_seconds",
		"default_metadata_time_window_hrs", "default_query_timeout_seconds", "max_query_timeout_seconds",
		"default_metadata_timeout_seconds", "max_metadata_timeout_seconds", "metrics_labels_time_window_hrs",
		"prometheus_ssl_enabled", "metrics_labels_cache_duration_hrs", "fetch_labels_with_labels_api",
		"fetch_metadata_with_series_api", "ca_cert", "block_internal_ips":
		return true
	}
	return false
}

// hasPlainHeaders reports whether a setting holds headers and none of them is a credential.
func hasPlainHeaders(key string, v any) bool {
	headers, ok := v.(map[string]any)
	if !ok || !namesHeaders(key) {
		return false
	}
	for name, value := range headers {
		if value != nil && !isPlainHeader(name) {
			return false
		}
	}
	return true
}

func namesHeaders(key string) bool { return strings.HasSuffix(strings.ToLower(key), "headers") }

// isPlainHeader reports whether name is a header that is never a credential: HTTP's content and client headers, and
// the tenant headers of Mimir, Loki, Tempo, Thanos, VictoriaLogs and Grafana.
func isPlainHeader(name string) bool {
	return slices.Contains([]string{
		"accept", "accept-charset", "accept-encoding", "accept-language", "cache-control",
		"connection", "content-type", "user-agent",
		"x-scope-orgid", "thanos-tenant", "accountid", "projectid", "x-grafana-org-id",
	}, strings.ToLower(name))
}

// soundsSecret reports whether a value, or one in it, has the name of a secret or is a header that may be a secret.
func soundsSecret(key string, v any) bool {
	switch t := v.(type) {
	case map[string]any:
		if namesHeaders(key) {
			return !hasPlainHeaders(key, v)
		}
		for k, e := range t {
			if soundsSecret(k, e) {
				return true
			}
		}
	case []any:
		return slices.ContainsFunc(t, func(e any) bool { return soundsSecret(key, e) })
	case string:
		return yamlfile.SecretName(key)
	}
	return false
}

// refersToSecret reports whether a value contains a text that is a reference.
func refersToSecret(v any, refers func(string) bool) (found bool) {
	walkStrings("", map[string]any{"": v}, func(_, s string) { found = found || refers(s) })
	return found
}
