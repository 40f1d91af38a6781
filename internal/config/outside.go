package config

import (
	"net/url"
	"slices"
	"strings"

	"kubernaut.io/dynamic-toolset/internal/backend"
	"kubernaut.io/dynamic-toolset/internal/catalog"
	"kubernaut.io/dynamic-toolset/internal/safetext"
	"kubernaut.io/dynamic-toolset/internal/toolset"
	"kubernaut.io/dynamic-toolset/internal/yamlfile"
)

// Outside is a backend that is no Service of this cluster.
type Outside struct {
	// Name of the backend: small letters, digits and dashes.
	Name string `yaml:"name"`
	// Type in the catalog.
	Type string `yaml:"type"`
	// URL of the backend, with its base path: https://prometheus.example.com/prometheus.
	URL string `yaml:"url"`
	// Link is the URL at which people reach it. It is never requested. Default "".
	Link string `yaml:"link,omitempty"`
	// Credentials that it takes from HolmesGPT's environment: field of the toolset's configuration, name of the
	// variable. Default {}.
	Credentials map[string]string `yaml:"credentials,omitempty" secret:"true"`
	// Headers sent with each request, by the probes and by HolmesGPT: no secrets. Default {}.
	Headers map[string]string `yaml:"headers,omitempty"`
	// Files in HolmesGPT's pod: client_cert and client_key for an Elasticsearch that requires a client
	// certificate. Default {}.
	Files map[string]string `yaml:"files,omitempty"`
}

// backends checks the outside backends, except what depends on the catalog.
func (v validator) backends(c *Config) {
	seen := map[string]bool{}
	for i := range c.Backends {
		b, at := &c.Backends[i], yamlfile.Index("backends", i)
		v.f.Check(at+".name", isLabel(b.Name), "a name of small letters, digits and dashes", b.Name)
		if seen[b.Name] {
			v.f.At(at+".name", "%s is in the list twice", yamlfile.Quote(b.Name))
		}
		seen[b.Name] = true
		v.f.Check(at+".type", isLabel(b.Type), "a type of the catalog", b.Type)
		if !isBackendURL(b.URL) { // it is not shown, because it may hold a secret
			v.f.At(at+".url", "expected the scheme (http or https), host, port and base path where it answers, "+
				"such as https://prometheus.example.com/prometheus, without user, query and fragment: use "+
				"credentials and headers for those")
		}
		if b.Link != "" && !isBackendURL(b.Link) {
			v.f.At(at+".link", "expected the URL at which people reach it, such as https://prometheus.example.com, "+
				"without user, query and fragment")
		}
		v.variables(at+".credentials", b.Credentials)
		for _, name := range sorted(b.Headers) {
			path := yamlfile.Key(at+".headers", name)
			v.f.Check(path, isHeader(name), "the name of a header that holds no secret; credentials are for those",
				name)
			if !isHeaderValue(b.Headers[name]) { // not shown, like the URL
				v.f.At(path, "expected a header's value in one line of plain text")
			}
		}
		for _, field := range sorted(b.Files) {
			v.f.Check(yamlfile.Key(at+".files", field), strings.HasPrefix(b.Files[field], "/") &&
				safetext.Check(b.Files[field]) == nil,
				"the absolute path of a file in HolmesGPT's pod", b.Files[field])
		}
	}
	if len(c.Backends) > 0 && slices.Contains(c.Discovery.Namespaces, backend.OutsideNamespace) {
		v.f.At("discovery.namespaces", "%s is the namespace of the entries of backends; expected other namespaces",
			backend.OutsideNamespace)
	}
}

// backendType checks an outside backend against its type, which is nil if it is not in the catalog.
func (v validator) backendType(at string, b *Outside, t *catalog.Type) {
	if v.f.Check(at+".type", t != nil, catalogType, b.Type); t == nil {
		return
	}
	v.credentialFields(at+".credentials", b.Credentials, toolset.Credentials(b.Type, t),
		"a credential that the type has")
	if len(b.Headers) > 0 && len(t.Toolset.Headers) == 0 {
		v.f.At(at+".headers", "expected none, since HolmesGPT's toolset for %s has no place for them", b.Type)
	}
	has := t.Toolset.Files
	switch {
	case len(b.Files) > 0 && len(has) == 0:
		v.f.At(at+".files", "expected none, since HolmesGPT's toolset for %s has no place for them", b.Type)
	case len(b.Files) > 0 && !slices.Equal(sorted(b.Files), slices.Sorted(slices.Values(has))):
		v.f.At(at+".files", "expected both %s, because neither works alone", strings.Join(has, " and "))
	}
}

// parseURL parses a URL that HolmesGPT can use: http or https with a host, without user, query and fragment.
func parseURL(s string) (u *url.URL, ok bool) {
	u, err := url.Parse(s)
	return u, err == nil && (u.Scheme == "http" || u.Scheme == "https") && isHost(u.Hostname()) && u.User == nil &&
		u.RawQuery == "" && u.Fragment == "" && (u.Port() == "" || isPort(u.Port()))
}

// isBackendURL accepts the URL of a backend, with a base path or without.
func isBackendURL(s string) bool {
	u, ok := parseURL(s)
	if !ok || strings.Contains(u.Path, "//") {
		return false
	}
	_, ok = safetext.BasePath(u.EscapedPath())
	return ok || u.Path == ""
}

// isHeader accepts a header that the document may contain and that holds no secret.
func isHeader(name string) bool {
	return matches(`^[A-Za-z0-9][A-Za-z0-9-]*$`, name) && !slices.Contains(
		[]string{"authorization", "proxy-authorization", "cookie", "host", "content-length", "transfer-encoding",
			"connection"}, strings.ToLower(name)) &&
		!yamlfile.SecretName(name)
}

func isHeaderValue(s string) bool { return s != "" && len(s) <= 500 && safetext.Check(s) == nil }
