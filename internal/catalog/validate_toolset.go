package catalog

import (
	"maps"
	"regexp"
	"slices"
	"strings"

	"kubernaut.io/dynamic-toolset/internal/yamlfile"
)

var (
	toolsetName  = regexp.MustCompile(`^[A-Za-z0-9_-]+(/[A-Za-z0-9_-]+)*$`)
	fieldName    = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)
	variableName = regexp.MustCompile(`^[A-Z_][A-Z0-9_]*$`)
	headerName   = regexp.MustCompile(`^[A-Za-z0-9-]+$`)
	placeholder  = regexp.MustCompile(`\$\([^)]*\)?`)
)

func (v validator) toolset(t *Toolset) {
	if len(t.HolmesGPT) == 0 {
		v.f.At("toolset.holmesgpt", "expected at least one entry, found none")
	}
	web := false
	for i := range t.HolmesGPT {
		v.entry(yamlfile.Index("toolset.holmesgpt", i), &t.HolmesGPT[i])
		web = web || t.HolmesGPT[i].HTTP != nil
	}
	v.tree("toolset.compact", t.Compact)
	for _, list := range []struct {
		at    string
		names []string
	}{{"toolset.headers", t.Headers}, {"toolset.files", t.Files}} {
		for i, name := range list.names {
			if !fieldName.MatchString(name) {
				v.f.At(yamlfile.Index(list.at, i), "expected a field's name such as additional_headers, found %s",
					yamlfile.Quote(name))
			}
		}
	}
	seen := map[string]bool{}
	for i := range t.Credentials {
		c, at := &t.Credentials[i], yamlfile.Index("toolset.credentials", i)
		if seen[c.Field] {
			v.f.At(at+".field", "%s is in the list twice", yamlfile.Quote(c.Field))
		}
		seen[c.Field] = true
		v.credential(at, c, web)
	}
	for i := range t.Recipes {
		v.recipe(yamlfile.Index("toolset.recipes", i), &t.Recipes[i], t)
	}
}

func (v validator) entry(path string, e *Entry) {
	builtin := e.Name != "" || len(e.Instance) > 0
	switch {
	case builtin && e.HTTP != nil:
		v.f.At(path, "expected either name and instance (a toolset of HolmesGPT's) or http, found both")
	case e.HTTP != nil:
		v.http(path+".http", e.HTTP)
		v.line(path+".description", e.Description, "what it is good for, since HolmesGPT knows nothing of it")
	case e.Name == "":
		v.f.At(path+".name", "expected the name of a toolset of HolmesGPT's, or http instead, found nothing")
	case !toolsetName.MatchString(e.Name):
		v.f.At(path+".name", "expected a toolset's name such as prometheus/metrics, without dots, found %s",
			yamlfile.Quote(e.Name))
	case len(e.Instance) == 0:
		v.f.At(path+".instance", "expected the config of an instance, e.g. {api_url: $(url)}, found nothing")
	case !mentions(e.Instance, "$(url)"):
		v.f.At(path+".instance", "expected $(url) in it, or the toolset never learns where the backend is")
	}
	v.tree(path+".instance", e.Instance)
	v.text(path+".description", e.Description)
	v.text(path+".instructions", e.Instructions)
	if e.Tokens.Toolset < 0 || e.Tokens.Instance < 0 {
		v.f.At(path+".tokens", "expected numbers of tokens such as {toolset: 800, instance: 70}, none below 0")
	}
	if e.VerifySSL != "" && !fieldName.MatchString(e.VerifySSL) {
		v.f.At(path+".verifySSL", "expected a field's name such as verify_ssl, found %s", yamlfile.Quote(e.VerifySSL))
	}
}

func (v validator) http(path string, h *HTTP) {
	if len(h.Paths) == 0 {
		v.f.At(path+".paths", `expected the paths that may be asked for, e.g. ["/api/*"], found none`)
	}
	for i, p := range h.Paths {
		v.absolute(yamlfile.Index(path+".paths", i), p)
	}
	if h.Health != "" {
		v.absolute(path+".health", h.Health)
	}
}

func (v validator) credential(path string, c *Credential, web bool) {
	if !fieldName.MatchString(c.Field) {
		v.f.At(path+".field", "expected a field's name such as api_key, found %s", yamlfile.Quote(c.Field))
	}
	if c.Variable != "" && !variableName.MatchString(c.Variable) {
		v.f.At(path+".variable", "expected the name of an environment variable (capitals, digits and _), found %s",
			yamlfile.Quote(c.Variable))
	}
	if c.Compact != "" && !fieldName.MatchString(c.Compact) {
		v.f.At(path+".compact", "expected a field's name such as apiKey, found %s", yamlfile.Quote(c.Compact))
	}
	for i, key := range c.Path {
		if isDotted(key) {
			v.f.At(yamlfile.Index(path+".path", i),
				"expected a key without dots, found %s: HolmesGPT would refuse the whole document", yamlfile.Quote(key))
		}
	}
	v.text(path+".prefix", c.Prefix)
	if c.Value != "" {
		v.line(path+".value", c.Value, "what the variable must hold")
	}
	if c.Kind != "" && !slices.Contains([]string{"basic", "bearer", "api-key", "tenant"}, c.Kind) {
		v.f.At(path+".kind", "expected basic, bearer, api-key or tenant, found %s", yamlfile.Quote(c.Kind))
	}
	kinds := []string{"bearer", "basic", "digest", "header"}
	switch {
	case web && !slices.Contains(kinds, c.Auth):
		v.f.At(path+".auth", "expected bearer, basic, digest or header, since the toolset is an http one, found %s",
			yamlfile.Quote(c.Auth))
	case !web && c.Auth != "":
		v.f.At(path+".auth", "expected nothing, since only http toolsets have it, found %s", yamlfile.Quote(c.Auth))
	case c.Auth == "header" && !headerName.MatchString(c.Header):
		v.f.At(path+".header", "expected the header's name, which auth header needs, found %s",
			yamlfile.Quote(c.Header))
	case c.Auth != "header" && c.Header != "":
		v.f.At(path+".header", "expected nothing, since auth is not header, found %s", yamlfile.Quote(c.Header))
	}
}

// tree checks a tree that is copied into the documents: its keys and the placeholders in its texts.
func (v validator) tree(path string, tree any) {
	switch t := tree.(type) {
	case string:
		v.text(path, t)
	case map[string]any:
		for _, k := range slices.Sorted(maps.Keys(t)) {
			if isDotted(k) {
				v.f.At(yamlfile.Key(path, k), "expected a key without dots: HolmesGPT would refuse the whole document")
			}
			if t[k] != "$(link)" {
				v.tree(yamlfile.Key(path, k), t[k])
			}
		}
	case []any:
		for i := range t {
			v.tree(yamlfile.Index(path, i), t[i])
		}
	}
}

// isDotted reports whether HolmesGPT would reject a document with this key, at any depth.
func isDotted(k string) bool { return k == "" || strings.Contains(k, ".") }

func (v validator) text(path, s string) {
	for _, p := range placeholder.FindAllString(s, -1) {
		switch p {
		case "$(url)", "$(instance)", "$(namespace)", "$(service)":
		default:
			v.f.At(path, "expected $(url), $(instance), $(namespace) or $(service), found %s", yamlfile.Quote(p))
		}
	}
}

// mentions reports whether a text in the tree contains s.
func mentions(tree any, s string) bool {
	switch t := tree.(type) {
	case string:
		return strings.Contains(t, s)
	case map[string]any:
		return slices.ContainsFunc(slices.Collect(maps.Values(t)), func(v any) bool { return mentions(v, s) })
	case []any:
		return slices.ContainsFunc(t, func(v any) bool { return mentions(v, s) })
	}
	return false
}
