package catalog

import (
	"maps"
	"slices"
	"strings"
	"unicode"

	"k8s.io/apimachinery/pkg/util/validation"

	"kubernaut.io/dynamic-toolset/internal/backend"
	"kubernaut.io/dynamic-toolset/internal/safetext"
	"kubernaut.io/dynamic-toolset/internal/yamlfile"
)

// validate reports everything that decodes but makes no sense.
func (t *Type) validate(f *yamlfile.File) {
	v := validator{f}
	switch {
	case t.Type == "":
		v.f.At("type", "expected the type's name, found nothing")
	case len(validation.IsDNS1123Label(t.Type)) > 0:
		v.f.At("type", "expected a name of at most 63 lower-case letters, digits and dashes, found %s",
			yamlfile.Quote(t.Type))
	case Reserved(t.Type):
		v.f.At("type", "%s is reserved; expected a name of your own", yamlfile.Quote(t.Type))
	case t.tooLong():
		v.f.At("type",
			"expected a shorter name: models accept names of tools with %d characters at most, and its would have more",
			maxTool)
	}
	v.line("title", t.Title, "the name as people write it")
	v.line("summary", t.Summary, "one line on what it is good for")
	if t.Family != "" && len(validation.IsDNS1123Label(t.Family)) > 0 {
		v.f.At("family", "expected a name of lower-case letters, digits and dashes, found %s", yamlfile.Quote(t.Family))
	}
	v.detect(&t.Detect)
	v.ports(&t.Ports)
	v.probe(&t.Probe)
	v.toolset(&t.Toolset)
	v.tenants(&t.Tenants)
}

type validator struct{ f *yamlfile.File }

// line checks a text that is shown on one line.
func (v validator) line(path, s, expected string) {
	if strings.TrimSpace(s) == "" {
		v.f.At(path, "expected %s, found nothing", expected)
	} else if err := safetext.Check(s); err != nil {
		v.f.At(path, "expected %s; it %v", expected, err)
	}
}

func (v validator) detect(d *Detect) {
	if len(d.Strong) == 0 && len(d.Weak.Words) == 0 {
		v.f.At("detect",
			"expected a rule under strong or a word under weak.words, found neither: nothing could be of this type")
	}
	v.rules("detect.strong", d.Strong)
	v.rules("detect.bundled", d.Bundled)
	v.rules("detect.reject", d.Reject)
	v.rules("detect.fronts", d.Fronts)
	v.words("detect.nodes", d.Nodes)
	v.words("detect.weak.parts", d.Weak.Parts)
	v.words("detect.weak.prefixes", d.Weak.Prefixes)
	v.words("detect.weak.words", d.Weak.Words)
	v.words("detect.weak.suffixes", d.Weak.Suffixes)
	v.exact("detect.weak.portNames", d.Weak.PortNames)
	v.labels("detect.weak.labels", d.Weak.Labels)
	v.labels("detect.weak.selector", d.Weak.Selector)
}

func (v validator) rules(path string, rules []Rule) {
	for i := range rules {
		v.rule(yamlfile.Index(path, i), &rules[i])
	}
}

func (v validator) rule(path string, r *Rule) {
	if len(r.Labels)+len(r.Selector)+len(r.Annotations)+len(r.Names)+len(r.Ports) == 0 {
		v.f.At(path, "expected labels, selector, annotations, names or ports, found none: the rule would match nothing")
	}
	v.line(yamlfile.Key(path, "because"), r.Because, "the reason, for people")
	v.labels(path+".labels", r.Labels)
	v.labels(path+".selector", r.Selector)
	v.labels(path+".annotations", r.Annotations)
	v.patterns(path+".names", r.Names, false)
	v.patterns(path+".ports", r.Ports, false)
	v.scheme(path+".scheme", r.Scheme)
	if r.Path != "" {
		v.basePath(path+".path", r.Path)
	}
	if r.TenantPath != "" {
		v.basePath(path+".tenantPath", r.TenantPath)
		if strings.Count(r.TenantPath, PlaceholderTenant) != 1 {
			v.f.At(path+".tenantPath", "expected %s in it once, found %s", PlaceholderTenant,
				yamlfile.Quote(r.TenantPath))
		}
	}
	for i, name := range r.Tenants {
		at := yamlfile.Index(path+".tenants", i)
		if !backend.ValidTenant(name) {
			v.f.At(at, "expected a tenant's name, found %s", yamlfile.Quote(name))
		}
		if r.TenantPath == "" {
			v.f.At(at, "expected tenantPath beside it, found none")
		}
	}
}

// PlaceholderTenant stands for the tenant's name in Rule.TenantPath.
const PlaceholderTenant = "$(tenant)"

func (v validator) tenants(t *Tenants) {
	token := func(r rune) bool {
		return r != '-' && (r < '0' || r > '9') && (r < 'A' || r > 'Z') && (r < 'a' || r > 'z')
	}
	if strings.ContainsFunc(t.Header, token) {
		v.f.At("tenants.header", "expected the name of a header such as X-Scope-OrgID, found %s",
			yamlfile.Quote(t.Header))
	}
	if (t.Header == "") != (len(t.Path) == 0) {
		v.f.At("tenants", "expected header and path, found one of them")
	}
	for i, key := range t.Path {
		if key == "" || strings.Contains(key, ".") {
			v.f.At(yamlfile.Index("tenants.path", i), "expected a key without dots, found %s", yamlfile.Quote(key))
		}
	}
}

func (v validator) labels(path string, m map[string]Values) {
	for _, key := range slices.Sorted(maps.Keys(m)) {
		at := yamlfile.Key(path, key)
		if key == "" || strings.ContainsFunc(key, func(r rune) bool { return r == '*' || unicode.IsSpace(r) }) {
			v.f.At(at, "expected a whole key, found %s: only values may hold a *", yamlfile.Quote(key))
		}
		if len(m[key]) == 0 {
			v.f.At(at, "expected a value, found an empty list")
		}
		v.patterns(at, m[key], true)
	}
}

// patterns checks values in which a leading or trailing "*" matches any text.
func (v validator) patterns(path string, values Values, emptyToo bool) {
	for i, p := range values {
		at := yamlfile.Index(path, i)
		if !v.f.Has(at) {
			at = path // one value instead of a list
		}
		inner := strings.TrimSuffix(strings.TrimPrefix(p, "*"), "*")
		switch {
		case p == "" && !emptyToo:
			v.f.At(at, "expected a name, found an empty text")
		case strings.Contains(inner, "*"), len(p) > 1 && inner == "":
			v.f.At(at, "expected a * only as the first or the last character, found %s", yamlfile.Quote(p))
		}
	}
}

// words checks words that are compared in lower case.
func (v validator) words(path string, words []string) {
	for i, w := range words {
		plain := func(r rune) bool { return r == '-' || r >= 'a' && r <= 'z' || r >= '0' && r <= '9' }
		if strings.Trim(w, "-") == "" || strings.ContainsFunc(w, func(r rune) bool { return !plain(r) }) {
			v.f.At(yamlfile.Index(path, i), "expected lower-case letters, digits and dashes, found %s",
				yamlfile.Quote(w))
		}
	}
}

// exact checks names that are compared exactly.
func (v validator) exact(path string, names []string) {
	for i, n := range names {
		if n == "" || strings.Contains(n, "*") {
			v.f.At(yamlfile.Index(path, i), "expected a whole name without *, found %s", yamlfile.Quote(n))
		}
	}
}

func (v validator) ports(p *Ports) {
	v.exact("ports.names", p.Names)
	v.exact("ports.never", p.Never)
	for i, n := range p.Numbers {
		v.port(yamlfile.Index("ports.numbers", i), n)
	}
	for i, n := range p.Shared {
		at := yamlfile.Index("ports.shared", i)
		v.port(at, n)
		if !slices.Contains(p.Numbers, n) {
			v.f.At(at, "expected one of ports.numbers, found %d", n)
		}
	}
	v.scheme("ports.scheme", p.Scheme)
}

func (v validator) port(path string, n int32) {
	if n < 1 || n > 65535 {
		v.f.At(path, "expected a port from 1 to 65535, found %d", n)
	}
}

func (v validator) scheme(path, s string) {
	if s != "" && s != "http" && s != "https" {
		v.f.At(path, "expected http or https, found %s", yamlfile.Quote(s))
	}
}

// basePath checks a base path. Other paths are appended to it.
func (v validator) basePath(path, s string) {
	if !strings.HasPrefix(s, "/") || strings.HasSuffix(s, "/") {
		v.f.At(path, "expected a path that begins with / and does not end with one, found %s", yamlfile.Quote(s))
	}
}

func (v validator) absolute(path, s string) {
	if !strings.HasPrefix(s, "/") {
		v.f.At(path, "expected a path that begins with /, found %s", yamlfile.Quote(s))
	}
}
