package toolset

import (
	"net/url"
	"slices"
	"strings"

	"kubernaut.io/dynamic-toolset/internal/backend"
	"kubernaut.io/dynamic-toolset/internal/catalog"
)

// instance is the config of one instance of a built-in toolset, without its name.
func (it *item) instance(e catalog.Entry, warn func(Warning)) map[string]any {
	config := map[string]any{}
	if tree, ok := it.expand(e.Instance).(map[string]any); ok {
		config = tree
	}
	for name, value := range it.Candidate.Headers {
		put(config, append(slices.Clone(it.typ.Toolset.Headers), name), value)
	}
	for name, file := range it.Candidate.Files {
		put(config, []string{name}, file)
	}
	it.putTenant(config)
	it.putCredentials(config, warn)
	if it.KeepToken {
		keepToken(config)
	}
	if it.Observation.SkipVerify && e.VerifySSL != "" {
		config[e.VerifySSL] = false
	}
	return config
}

// keepToken names an Authorization that says nothing, an empty user without a password, where none is named, so that
// HolmesGPT does not send the token of its own ServiceAccount. Prometheus and its relatives ignore it.
func keepToken(config map[string]any) {
	headers, ok := config["additional_headers"].(map[string]any)
	if !ok {
		headers = map[string]any{}
		config["additional_headers"] = headers
	}
	for name, value := range headers { // HolmesGPT looks for this very name, and for a value
		if !strings.EqualFold(name, authorization) {
			continue
		}
		if text, ok := value.(string); ok && text != "" {
			delete(headers, name)
			headers[authorization] = text
			return
		}
		delete(headers, name)
	}
	headers[authorization] = emptyCredential
}

const (
	authorization   = "Authorization"
	emptyCredential = "Basic Og==" //nolint:gosec // an empty user without a password
)

// endpoint is the item's endpoint in an HTTP toolset; alone: it is the only one there.
func (it *item) endpoint(e catalog.Entry, alone bool, warn func(Warning)) map[string]any {
	origin, base := splitURL(it.url)
	endpoint := map[string]any{
		// HolmesGPT drops a path here, and shows the agent hosts and paths side by side.
		"hosts":   []any{origin},
		"paths":   patterns(base, e.HTTP.Paths),
		"methods": []any{"GET"},
	}
	if health := it.healthURL(origin, e.HTTP.Health); alone && health != "" {
		endpoint["health_check_url"] = health
	}
	if auth := it.auth(warn); auth != nil {
		endpoint["auth"] = auth
	}
	return endpoint
}

// http is an HTTP toolset of the item alone.
func (it *item) http(e catalog.Entry, warn func(Warning)) map[string]any {
	config := map[string]any{"endpoints": []any{it.endpoint(e, true, warn)}}
	if it.Observation.SkipVerify {
		config["verify_ssl"] = false
	}
	return map[string]any{
		"type":             "http",
		"enabled":          true,
		"description":      it.text(e.Description),
		"llm_instructions": join("\n", it.text(e.Instructions), it.unproven()),
		"config":           config,
	}
}

// server is an entry of mcp_servers.
func (it *item) server(warn func(Warning)) map[string]any {
	// HolmesGPT's default mode is the older SSE.
	config := map[string]any{"url": it.url, "mode": "streamable-http"}
	it.putCredentials(config, warn)
	if it.Observation.SkipVerify {
		config["verify_ssl"] = false
	}
	tree := map[string]any{
		"enabled":     true,
		"description": "MCP server of Service " + it.Ref.String() + ".",
		"config":      config,
	}
	if text := it.unproven(); text != "" {
		tree["llm_instructions"] = text
	}
	return tree
}

// healthURL is what HolmesGPT calls when it loads the toolset; anything but 2xx keeps the toolset out, and HolmesGPT
// then tells the agent the beginning of the answer, or where it redirects to. So only those are called that the
// configuration vouches for; the others are proven by this service alone, and withdrawn when they fail.
func (it *item) healthURL(origin, health string) string {
	switch {
	case it.Candidate.Unproven, !it.Vouched:
		return ""
	case it.Candidate.HealthPath != "":
		return origin + it.Candidate.HealthPath
	case health != "":
		return it.url + health
	}
	return ""
}

// unproven is what the agent must know of an entry that nobody has checked; empty for any other.
func (it *item) unproven() string {
	if it.Candidate.Unproven {
		return unprovenNote
	}
	return ""
}

// splitURL parts scheme://host:port from the base path.
func splitURL(s string) (origin, path string) {
	u, err := url.Parse(s)
	if err != nil || u.Host == "" {
		return s, ""
	}
	return u.Scheme + "://" + u.Host, u.EscapedPath()
}

// unpatterned keeps what Python's fnmatch would take for a pattern from being one.
var unpatterned = strings.NewReplacer("[", "[[]", "*", "[*]", "?", "[?]")

// patterns are HolmesGPT's path patterns (Python's fnmatch), base path included.
func patterns(base string, paths []string) []any {
	literal := unpatterned.Replace(base)
	var out []any
	for _, p := range paths {
		if p == "/*" && base != "" {
			out = append(out, literal)
		}
		out = append(out, literal+p)
	}
	return out
}

func join(sep string, parts ...string) string {
	return strings.Join(slices.DeleteFunc(parts, func(s string) bool { return s == "" }), sep)
}

// Orders of the types that no catalog entry describes: after all others.
const (
	customOrder = 1 << 20
	serverOrder = customOrder + 1
)

// customType is how an annotated backend without a catalog entry is written.
func customType(name string) *catalog.Type {
	return &catalog.Type{
		Type:  name,
		Title: "HTTP API",
		Order: customOrder,
		Toolset: catalog.Toolset{
			HolmesGPT: []catalog.Entry{{
				HTTP:         &catalog.HTTP{Paths: []string{"/*"}},
				Description:  "HTTP API of Service $(namespace)/$(service).",
				Instructions: "HTTP API of Service $(namespace)/$(service). GET only, base URL $(url)",
			}},
			Credentials: []catalog.Credential{
				{Field: "token", Auth: "bearer"},
				{Field: "username", Auth: "basic"},
				{Field: "password", Auth: "basic"},
			},
		},
	}
}

// serverType is how an annotated MCP server is written.
func serverType() *catalog.Type {
	return &catalog.Type{
		Type:  backend.TypeMCP,
		Title: "MCP server",
		Order: serverOrder,
		Toolset: catalog.Toolset{
			Credentials: []catalog.Credential{
				{Field: "token", Path: []string{"headers", "Authorization"}, Prefix: "Bearer "},
			},
		},
	}
}
