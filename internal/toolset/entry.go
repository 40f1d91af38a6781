package toolset

import (
	"net/url"
	"slices"
	"strings"

	"kubernaut.io/dynamic-toolset/internal/backend"
	"kubernaut.io/dynamic-toolset/internal/catalog"
)

// instance returns the config of an instance of a built-in toolset, without its name.
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

// keepToken sets an Authorization header with an empty user and no password if the config has no Authorization. So
// HolmesGPT does not send the token of its own ServiceAccount. Prometheus and its relatives ignore the header.
func keepToken(config map[string]any) {
	headers, ok := config["additional_headers"].(map[string]any)
	if !ok {
		headers = map[string]any{}
		config["additional_headers"] = headers
	}
	for _, name := range sortedKeys(headers) { // HolmesGPT looks for exactly this name, with a value
		if !strings.EqualFold(name, authorization) {
			continue
		}
		if text, ok := headers[name].(string); ok && text != "" {
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

// endpoint returns the item's endpoint in an HTTP toolset. alone means that the toolset has no other endpoint.
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

// http returns an HTTP toolset for the item alone.
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

// server returns an entry of mcp_servers.
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

// healthURL returns the URL that HolmesGPT requests when it loads the toolset, "" for no request. With any status but
// 2xx the toolset does not load, and HolmesGPT shows the agent the beginning of the response or the target of the
// redirect. So HolmesGPT requests only backends that the configuration vouches for. This service probes the others
// alone, and withdraws them if they fail.
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

// unproven returns a note for the agent if no probe checks the item, "" otherwise.
func (it *item) unproven() string {
	if it.Candidate.Unproven {
		return unprovenNote
	}
	return ""
}

// splitURL splits a URL into scheme://host:port and the base path.
func splitURL(s string) (origin, path string) {
	u, err := url.Parse(s)
	if err != nil || u.Host == "" {
		return s, ""
	}
	return u.Scheme + "://" + u.Host, u.EscapedPath()
}

// unpatterned escapes the characters that are special in a pattern of Python's fnmatch.
var unpatterned = strings.NewReplacer("[", "[[]", "*", "[*]", "?", "[?]")

// patterns returns HolmesGPT's path patterns (Python's fnmatch), which include the base path.
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

// Types without a catalog entry come after all others.
const (
	customOrder = 1 << 20
	serverOrder = customOrder + 1
)

// Credentials returns the credentials that a backend of a type may have; t is nil for a type without a catalog entry.
func Credentials(typ string, t *catalog.Type) []catalog.Credential {
	switch {
	case t != nil:
	case typ == backend.TypeMCP:
		t = serverType()
	default:
		t = customType(typ)
	}
	return t.Toolset.Credentials
}

// customType returns the type of an annotated backend without a catalog entry.
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

// serverType returns the type of an annotated MCP server.
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
