// Package catalog holds what this service knows about the software it looks for: one YAML file per backend type, in
// types/, in the same schema that users write their own types in (config catalog.dir). It holds data and its
// validation; detect, probe and toolset apply the rules. To add a type is to add a file to types/ and test cases:
// CONTRIBUTING.md has the steps.
package catalog

import "slices"

// Type is one backend type: how to recognise it, where to reach it, how to prove it and what to write for HolmesGPT.
type Type struct {
	// Type is its name: a DNS label, the key in the documents and the value of the toolset-type annotation.
	Type string `yaml:"type"`
	// Title is its name as the product writes it.
	Title string `yaml:"title"`
	// Summary is one line that says what the backend is good for.
	Summary string `yaml:"summary"`
	// Order sorts the types, lower first. If several types fit one port with equal evidence, the lower one is tried
	// first. Default 100.
	Order int `yaml:"order"`
	// FirstClass is true for a type whose backends keep their place longest if not all of a namespace can be published.
	// Default false.
	FirstClass bool `yaml:"firstClass"`
	// Family is the name of the types that answer the same queries, so that one may run behind a Service that looks
	// like another. Default "": no relatives.
	Family string `yaml:"family"`

	Detect  Detect  `yaml:"detect"`
	Ports   Ports   `yaml:"ports"`
	Probe   Probe   `yaml:"probe"`
	Toolset Toolset `yaml:"toolset"`
	Tenants Tenants `yaml:"tenants"`

	// File is the name of the file it was read from.
	File string `yaml:"-"`
	// Tuning is what the configuration changes about it.
	Tuning Tuning `yaml:"-"`

	text      []byte // of the file, as it was read
	builtin   bool
	relatives []*Type
}

// Relatives returns the other types of its family, in the catalog's order. The caller must not change the list.
func (t *Type) Relatives() []*Type { return t.relatives }

// Relative returns the type of that name if it is of the same family, else nil.
func (t *Type) Relative(name string) *Type {
	if name == t.Type {
		return t
	}
	for _, r := range t.relatives {
		if r.Type == name {
			return r
		}
	}
	return nil
}

// Tenants says how a request names the tenant to a backend that keeps each tenant's data apart.
type Tenants struct {
	// Header is the request header that holds the tenant's name.
	Header string `yaml:"header"`
	// Path is the header's path in the config of an instance.
	Path []string `yaml:"path"`
	// Compact is the field's name in the compact form. Empty: the compact form does not have it.
	Compact string `yaml:"compact"`
}

// HasTenants reports whether backends of the type may keep each tenant's data apart.
func (t *Type) HasTenants() bool {
	return t.Tenants.Header != "" ||
		slices.ContainsFunc(t.Detect.Strong, func(r Rule) bool { return r.TenantPath != "" })
}

// Tenanted returns the type itself, or else its first relative, whose backends may keep each tenant's data apart; nil
// if there is no such type.
func (t *Type) Tenanted() *Type {
	if t.HasTenants() {
		return t
	}
	if i := slices.IndexFunc(t.relatives, (*Type).HasTenants); i >= 0 {
		return t.relatives[i]
	}
	return nil
}

// Detect says how a Service of this type looks.
type Detect struct {
	// Strong are rules, one of which is enough for a candidate. They are about labels that a chart or an operator sets.
	Strong []Rule `yaml:"strong"`
	// Weak signs need a sign of another kind, or a probe, to count.
	Weak Weak `yaml:"weak"`
	// Bundled are rules for backends that a product brings for its own use only. Such a backend is the primary only if
	// there is no other.
	Bundled []Rule `yaml:"bundled"`
	// Reject are rules, one of which is enough to exclude the type, with the rule's reason.
	Reject []Rule `yaml:"reject"`
	// Fronts are rules for proxies that may be in front of a backend. They make a candidate that only a probe can
	// confirm.
	Fronts []Rule `yaml:"fronts"`
	// Nodes are words for parts of an installation, the best first: at the end of a Service's name, or anywhere in it
	// if a label or the selector ends in the word. Of Services whose names differ only by these words, or have no such
	// word, only one is used.
	Nodes []string `yaml:"nodes"`
}

// Rule matches a Service when everything it names matches.
type Rule struct {
	// Labels are the accepted values of each label. A value may start or end with "*"; "*" alone is any value. If a
	// Service has no label that names software, such as app.kubernetes.io/name, those of the rule are compared with its
	// selector.
	Labels map[string]Values `yaml:"labels"`
	// Selector is the same for the labels in the Service's selector.
	Selector map[string]Values `yaml:"selector"`
	// Annotations is the same for annotations.
	Annotations map[string]Values `yaml:"annotations"`
	// Names are patterns for the Service's name, with "*" as in a label's value.
	Names Values `yaml:"names"`
	// Ports are names of Service ports, one of which must exist.
	Ports Values `yaml:"ports"`
	// Because is the reason for people: which chart, operator or product sets this.
	Because string `yaml:"because"`
	// Tier is the rank among the Services of one installation, lower first: a gateway before the querier behind it.
	Tier int `yaml:"tier"`
	// Scheme of matching Services, if it differs from the type's.
	Scheme string `yaml:"scheme"`
	// Path is the base path of matching Services, if it differs from the type's.
	Path string `yaml:"path"`
	// TenantPath is the base path of a gateway with an API for each tenant; it contains $(tenant).
	TenantPath string `yaml:"tenantPath"`
	// Tenants are those that every installation of such a gateway has.
	Tenants []string `yaml:"tenants"`
	// Despite is true if evidence against the type does not count: for software that an operator runs under another
	// vendor's names, or under names that people choose.
	Despite bool `yaml:"despite"`
}

// Weak lists signs that prove nothing on their own.
type Weak struct {
	// Words are product names at the end of a Service name or of the value of an app-like label: "grafana" fits
	// "grafana", "monitoring-grafana" and "grafana-svc" (neutral endings are listed in lookalikes.yaml).
	Words []string `yaml:"words"`
	// Suffixes are words that may follow the product name and still mean the query API: "query" in "jaeger-query".
	Suffixes []string `yaml:"suffixes"`
	// Parts are endings that name the part that answers queries but not the product: "query" in "metrics-query". They
	// are a sign only with one of the type's own ports.
	Parts []string `yaml:"parts"`
	// Prefixes are beginnings of names, for operators that put the product before a name that the user chose:
	// "elasticsearch" in "elasticsearch-shop". They are a sign only with one of the type's own ports.
	Prefixes []string `yaml:"prefixes"`
	// PortNames are names of ports that only this product uses.
	PortNames []string `yaml:"portNames"`
	// Labels are values of labels that suggest the product.
	Labels map[string]Values `yaml:"labels"`
	// Selector is the same for the labels in the Service's selector.
	Selector map[string]Values `yaml:"selector"`
}

// Ports says which port serves the query API.
type Ports struct {
	// Names of the Service port, or of its target port, best first.
	Names []string `yaml:"names"`
	// Numbers the software listens on, best first. The target port is compared first, then the Service port.
	Numbers []int32 `yaml:"numbers"`
	// Shared are the numbers, of the list above, that much other software uses: they are no sign of this type.
	Shared []int32 `yaml:"shared"`
	// Never are names, or numbers as text, of ports that other software in the same pods or Service uses.
	Never []string `yaml:"never"`
	// Scheme of the type, unless a rule or an annotation sets another. Default http.
	Scheme string `yaml:"scheme"`
	// Path is the base path of the type, unless a rule or an annotation sets another. Default: none.
	Path string `yaml:"path"`
}

// Values is one string or a list of them.
type Values []string

// UnmarshalYAML accepts a scalar as a list with one value.
func (v *Values) UnmarshalYAML(unmarshal func(any) error) error {
	var one string
	if unmarshal(&one) == nil {
		*v = Values{one}
		return nil
	}
	return unmarshal((*[]string)(v))
}
