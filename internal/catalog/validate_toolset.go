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
	v.each("toolset.headers", t.Headers, fieldName.MatchString, "a field's name such as additional_headers")
	v.each("toolset.files", t.Files, fieldName.MatchString, "a field's name such as additional_headers")
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
		v.f.Check(path+".name", false, "a toolset's name such as prometheus/metrics, without dots", e.Name)
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
	v.f.Check(path+".verifySSL", e.VerifySSL == "" || fieldName.MatchString(e.VerifySSL),
		"a field's name such as verify_ssl", e.VerifySSL)
}

func (v validator) http(path string, h *HTTP) {
	if len(h.Paths) == 0 {
		v.f.At(path+".paths", `expected the paths that may be asked for, e.g. ["/api/*"], found none`)
	}
	v.each(path+".paths", h.Paths, isAbsolute, "a path that begins with /")
	v.f.Check(path+".health", h.Health == "" || isAbsolute(h.Health), "a path that begins with /", h.Health)
}

func (v validator) credential(path string, c *Credential, web bool) {
	v.f.Check(path+".field", fieldName.MatchString(c.Field), "a field's name such as api_key", c.Field)
	v.f.Check(path+".variable", c.Variable == "" || variableName.MatchString(c.Variable),
		"the name of an environment variable (capitals, digits and _)", c.Variable)
	v.f.Check(path+".compact", c.Compact == "" || fieldName.MatchString(c.Compact), "a field's name such as apiKey",
		c.Compact)
	v.each(path+".path", c.Path, func(key string) bool { return !isDotted(key) },
		"a key without dots, or HolmesGPT refuses the whole document")
	v.text(path+".prefix", c.Prefix)
	if c.Value != "" {
		v.line(path+".value", c.Value, "what the variable must hold")
	}
	v.f.Check(path+".kind", slices.Contains([]string{"", "basic", "bearer", "api-key", "tenant"}, c.Kind),
		"basic, bearer, api-key or tenant", c.Kind)
	switch {
	case web && !slices.Contains([]string{"bearer", "basic", "digest", "header"}, c.Auth):
		v.f.Check(path+".auth", false, "bearer, basic, digest or header, since the toolset is an http one", c.Auth)
	case !web:
		v.f.Check(path+".auth", c.Auth == "", "nothing, since only http toolsets have it", c.Auth)
	case c.Auth == "header":
		v.f.Check(path+".header", headerName.MatchString(c.Header), "the header's name, which auth header needs",
			c.Header)
	default:
		v.f.Check(path+".header", c.Header == "", "nothing, since auth is not header", c.Header)
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
