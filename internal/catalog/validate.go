package catalog

import (
	"maps"
	"slices"
	"strconv"
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
	case !isLabel(t.Type):
		v.f.Check("type", false, "a name of at most 63 lower-case letters, digits and dashes", t.Type)
	case Reserved(t.Type):
		v.f.At("type", "%s is reserved; expected a name of your own", yamlfile.Quote(t.Type))
	case t.tooLong():
		v.f.At("type",
			"expected a shorter name: models accept names of tools with %d characters at most, and its would have more",
			maxTool)
	}
	v.line("title", t.Title, "the name as people write it")
	v.line("summary", t.Summary, "one line on what it is good for")
	v.f.Check("family", t.Family == "" || isLabel(t.Family), "a name of lower-case letters, digits and dashes",
		t.Family)
	v.detect(&t.Detect)
	v.ports(&t.Ports)
	v.probe(&t.Probe)
	v.toolset(&t.Toolset)
	v.tenants(&t.Tenants)
}

type validator struct{ f *yamlfile.File }

func isLabel(s string) bool { return len(validation.IsDNS1123Label(s)) == 0 }

// each checks each item of a list.
func (v validator) each(path string, items []string, ok func(string) bool, expected string) {
	for i, s := range items {
		v.f.Check(yamlfile.Index(path, i), ok(s), expected, s)
	}
}

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
	w := &d.Weak
	for path, words := range map[string][]string{
		"detect.nodes": d.Nodes, "detect.weak.parts": w.Parts, "detect.weak.prefixes": w.Prefixes,
		"detect.weak.words": w.Words, "detect.weak.suffixes": w.Suffixes,
	} {
		v.each(path, words, isWord, "lower-case letters, digits and dashes")
	}
	v.each("detect.weak.portNames", w.PortNames, isExact, "a whole name without *")
	v.labels("detect.weak.labels", w.Labels)
	v.labels("detect.weak.selector", w.Selector)
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
	v.basePath(path+".path", r.Path)
	v.basePath(path+".tenantPath", r.TenantPath)
	if r.TenantPath != "" {
		v.f.Check(path+".tenantPath", strings.Count(r.TenantPath, PlaceholderTenant) == 1,
			PlaceholderTenant+" in it once", r.TenantPath)
	}
	v.each(path+".tenants", r.Tenants, backend.ValidTenant, "a tenant's name")
	if len(r.Tenants) > 0 && r.TenantPath == "" {
		v.f.At(path+".tenants", "expected tenantPath beside it, found none")
	}
}

// PlaceholderTenant stands for the tenant's name in Rule.TenantPath.
const PlaceholderTenant = "$(tenant)"

func (v validator) tenants(t *Tenants) {
	v.f.Check("tenants.header", t.Header == "" || headerName.MatchString(t.Header),
		"the name of a header such as X-Scope-OrgID", t.Header)
	if (t.Header == "") != (len(t.Path) == 0) {
		v.f.At("tenants", "expected header and path, found one of them")
	}
	v.each("tenants.path", t.Path, func(key string) bool { return !isDotted(key) }, "a key without dots")
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

// isWord accepts words that are compared in lower case.
func isWord(w string) bool {
	return strings.Trim(w, "-") != "" && strings.Trim(w, "abcdefghijklmnopqrstuvwxyz0123456789-") == ""
}

// isExact accepts names that are compared exactly.
func isExact(name string) bool { return name != "" && !strings.Contains(name, "*") }

func (v validator) ports(p *Ports) {
	v.each("ports.names", p.Names, isExact, "a whole name without *")
	v.each("ports.never", p.Never, isExact, "a whole name without *")
	for i, n := range p.Numbers {
		v.port(yamlfile.Index("ports.numbers", i), n)
	}
	for i, n := range p.Shared {
		at := yamlfile.Index("ports.shared", i)
		v.port(at, n)
		v.f.Check(at, slices.Contains(p.Numbers, n), "one of ports.numbers", strconv.Itoa(int(n)))
	}
	v.scheme("ports.scheme", p.Scheme)
	v.basePath("ports.path", p.Path)
}

func (v validator) port(path string, n int32) {
	v.f.Check(path, n >= 1 && n <= 65535, "a port from 1 to 65535", strconv.Itoa(int(n)))
}

func (v validator) scheme(path, s string) {
	v.f.Check(path, s == "" || s == "http" || s == "https", "http or https", s)
}

// basePath checks a base path, which may be missing. Other paths are appended to it.
func (v validator) basePath(path, s string) {
	v.f.Check(path, s == "" || isBasePath(s), "a path that begins with / and does not end with one", s)
}

func isBasePath(s string) bool { return isAbsolute(s) && !strings.HasSuffix(s, "/") }

func isAbsolute(path string) bool { return strings.HasPrefix(path, "/") }
