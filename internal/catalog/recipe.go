package catalog

import (
	"maps"
	"regexp"
	"slices"
	"strings"
	"unicode"

	"k8s.io/apimachinery/pkg/util/validation"

	"kubernaut.io/dynamic-toolset/internal/backend"
	"kubernaut.io/dynamic-toolset/internal/yamlfile"
)

// Recipe says where a chart or an operator stores the credentials of the backends that it installs, or how to create
// credentials if no Secret holds them. It is shown to people, and no Secret is ever read. A recipe without when applies
// to every backend of the type.
type Recipe struct {
	// By is the chart or the operator, for people.
	By string `yaml:"by"`
	// Source is where this is documented: repository and file.
	Source string `yaml:"source"`
	// When are signs, one of which must match the Service. Empty: the recipe always applies.
	When []Sign `yaml:"when"`
	// Secret is the Secret's name in the Service's namespace, and may contain $(service), $(namespace), $(label:KEY) or
	// $(selector:KEY). Of several recipes that apply the first is used. Empty: no Secret is known, and people create
	// one in HolmesGPT's namespace by the steps.
	Secret string `yaml:"secret"`
	// Keys are the keys of the Secret, by field of toolset.credentials.
	Keys map[string]string `yaml:"keys"`
	// Values that are not secret and the same in every installation, by field, such as the user's name.
	Values map[string]string `yaml:"values"`
	// AgentToken is true if the credential is the token of HolmesGPT's own ServiceAccount. The recipe applies only if
	// HolmesGPT sends that token.
	AgentToken bool `yaml:"agentToken"`
	// Steps come before the rest.
	Steps []Step `yaml:"steps"`
	// Note is further advice, such as what the credentials allow.
	Note string `yaml:"note"`
}

// Sign identifies a Service of a chart or an operator: everything given must match, as in a Rule.
type Sign struct {
	// Labels are the accepted values of each label, as in a rule.
	Labels map[string]Values `yaml:"labels"`
	// Selector is the same for the labels in the Service's selector.
	Selector map[string]Values `yaml:"selector"`
	// Names are patterns for the Service's name.
	Names Values `yaml:"names"`
	// Ports are names of Service ports, one of which must exist.
	Ports Values `yaml:"ports"`
	// Namespaces of the Service. If the credential gives access to more than this backend, list only namespaces that
	// strangers cannot create, because any owner may set labels.
	Namespaces Values `yaml:"namespaces"`
}

// Step is one action for a person.
type Step struct {
	// Text is what to do.
	Text string `yaml:"text"`
	// Command, or lines to add. It may contain $(service), $(namespace), $(holmesgpt) (HolmesGPT's namespace) and
	// $(copy) (the name of the Secret there).
	Command string `yaml:"command"`
}

// Applies reports whether the recipe applies to the Service.
func (r *Recipe) Applies(s *backend.Service) bool {
	return len(r.When) == 0 || slices.ContainsFunc(r.When, func(w Sign) bool { return w.fits(s) })
}

func (w *Sign) fits(s *backend.Service) bool {
	rule := Rule{Labels: w.Labels, Selector: w.Selector, Names: w.Names, Ports: w.Ports}
	return rule.Matches(s) && (len(w.Namespaces) == 0 || w.Namespaces.Match(s.Namespace))
}

// Matches reports whether everything that the rule names matches the Service.
func (r *Rule) Matches(s *backend.Service) bool {
	return matchAll(r.Labels, s.Labels) && matchAll(r.Selector, s.Selector) &&
		matchAll(r.Annotations, s.Annotations) && (len(r.Names) == 0 || r.Names.Match(s.Name)) &&
		(len(r.Ports) == 0 || slices.ContainsFunc(s.Ports, func(p backend.Port) bool { return r.Ports.Match(p.Name) }))
}

// FirstMatch returns the first rule that matches the Service, or nil.
func FirstMatch(rules []Rule, s *backend.Service) *Rule {
	for i := range rules {
		if rules[i].Matches(s) {
			return &rules[i]
		}
	}
	return nil
}

func matchAll(want map[string]Values, have map[string]string) bool {
	for k, values := range want {
		if v, ok := have[k]; !ok || !values.Match(v) {
			return false
		}
	}
	return true
}

// Match reports whether s fits one of the values.
func (v Values) Match(s string) bool {
	return slices.ContainsFunc(v, func(p string) bool { return Match(p, s) })
}

// Match reports whether s fits pattern, in which a leading and a trailing "*" match any text.
func Match(pattern, s string) bool {
	head, tail := strings.HasPrefix(pattern, "*"), strings.HasSuffix(pattern, "*")
	switch {
	case pattern == "*":
		return s != ""
	case head && tail:
		return strings.Contains(s, pattern[1:len(pattern)-1])
	case head:
		return strings.HasSuffix(s, pattern[1:])
	case tail:
		return strings.HasPrefix(s, pattern[:len(pattern)-1])
	}
	return pattern == s
}

// SecretOf returns the name of the Secret for a Service, "" if the result is not a valid Secret name: strangers may set
// the labels in it.
func (r *Recipe) SecretOf(s *backend.Service) string {
	missing := false
	name := secretPlaceholder.ReplaceAllStringFunc(r.Secret, func(p string) string {
		v := s.Namespace
		switch kind, key, _ := strings.Cut(p[2:len(p)-1], ":"); kind {
		case "service":
			v = s.Name
		case "label":
			v = s.Labels[key]
		case "selector":
			v = s.Selector[key]
		}
		missing = missing || v == ""
		return v
	})
	if missing || len(validation.IsDNS1123Subdomain(name)) > 0 {
		return ""
	}
	return name
}

var (
	secretPlaceholder = regexp.MustCompile(`\$\((service|namespace|(label|selector):[A-Za-z0-9./_-]+)\)`)
	secretTemplate    = regexp.MustCompile(`^([a-z0-9.-]|` + secretPlaceholder.String() + `)+$`)
	secretKey         = regexp.MustCompile(`^[A-Za-z0-9._-]+$`)
	plainValue        = regexp.MustCompile(`^[A-Za-z0-9._@-]+$`)
)

func (v validator) recipe(path string, r *Recipe, t *Toolset) {
	v.line(yamlfile.Key(path, "by"), r.By, "the chart or the operator, for people")
	v.line(yamlfile.Key(path, "source"), r.Source, "where it was looked up, such as a repository and a file")
	for i := range r.When {
		v.sign(yamlfile.Index(path+".when", i), &r.When[i])
	}
	v.f.Check(path+".secret", r.Secret == "" || secretTemplate.MatchString(r.Secret), "the name of a Secret, in which "+
		"$(service), $(namespace), $(label:KEY) and $(selector:KEY) may stand", r.Secret)
	for _, field := range slices.Sorted(maps.Keys(r.Keys)) {
		v.recipeField(path+".keys", field, t)
		v.f.Check(yamlfile.Key(path+".keys", field), secretKey.MatchString(r.Keys[field]), "a key of a Secret",
			r.Keys[field])
	}
	for _, field := range slices.Sorted(maps.Keys(r.Values)) {
		v.recipeField(path+".values", field, t)
		at := yamlfile.Key(path+".values", field)
		if _, twice := r.Keys[field]; twice {
			v.f.At(at, "expected a field that keys does not have")
		}
		v.f.Check(at, plainValue.MatchString(r.Values[field]), "a plain value such as elastic", r.Values[field])
	}
	switch {
	case r.AgentToken && len(r.Keys)+len(r.Values) > 0:
		v.f.At(path, "expected no keys and values beside agentToken")
	case !r.AgentToken && len(r.Keys) == 0:
		v.f.At(path+".keys", "expected the keys of the Secret by the fields of toolset.credentials, found none")
	case r.Secret == "" && len(r.Steps) == 0:
		v.f.At(path, "expected secret or steps, found neither")
	}
	for i, s := range r.Steps {
		v.step(yamlfile.Index(path+".steps", i), s)
	}
	if r.Note != "" {
		v.line(path+".note", r.Note, "what else to know")
	}
}

func (v validator) sign(path string, w *Sign) {
	if len(w.Labels)+len(w.Selector)+len(w.Names)+len(w.Ports)+len(w.Namespaces) == 0 {
		v.f.At(path, "expected labels, selector, names, ports or namespaces, found none: it would fit everything")
	}
	v.labels(path+".labels", w.Labels)
	v.labels(path+".selector", w.Selector)
	v.patterns(path+".names", w.Names, false)
	v.patterns(path+".ports", w.Ports, false)
	v.patterns(path+".namespaces", w.Namespaces, false)
}

func (v validator) recipeField(path, field string, t *Toolset) {
	if !slices.ContainsFunc(t.Credentials, func(c Credential) bool { return c.Field == field && c.Variable != "" }) {
		v.f.At(yamlfile.Key(path, field), "expected a field of toolset.credentials that has a variable")
	}
}

func (v validator) step(path string, s Step) {
	v.line(path+".text", s.Text, "what to do")
	if strings.ContainsFunc(s.Command, func(r rune) bool { return r != '\n' && !unicode.IsPrint(r) }) {
		v.f.At(path+".command", "expected a command or lines to add, found a character that is not shown")
	}
}

// Fill replaces the placeholders of a command.
func (s Step) Fill(svc backend.Ref, holmesgpt, secret string) string {
	return strings.NewReplacer("$(service)", svc.Name, "$(namespace)", svc.Namespace, "$(holmesgpt)", holmesgpt,
		"$(copy)", secret).Replace(s.Command)
}
