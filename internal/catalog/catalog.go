// Package catalog is what this service knows about the software it looks for: one YAML file per backend type, in
// types/, in the same schema that users write their own in (config catalog.dir). It holds data and its validation;
// what the rules mean is carried out by detect, probe and toolset.
package catalog

import "slices"

// Type is one backend type: how to recognise it, where to reach it, how to prove it and what to write for HolmesGPT.
type Type struct {
	// Type is its name: a DNS label, the key in the documents and the value of the toolset-type annotation.
	Type string `yaml:"type"`
	// Title is its name as people write it.
	Title string `yaml:"title"`
	// Summary is one line: what it is good for.
	Summary string `yaml:"summary"`
	// Order sorts the types, lower first; of several types that fit one port with equal evidence the lower one is tried
	// first. Default 100.
	Order int `yaml:"order"`
	// FirstClass types keep their place longest where a document must be made smaller. Default false.
	FirstClass bool `yaml:"firstClass"`
	// Family: types of one family are relatives, which answer the same queries, so that one may run behind a Service
	// that looks like another. Default "": no relatives.
	Family string `yaml:"family"`

	Detect  Detect  `yaml:"detect"`
	Ports   Ports   `yaml:"ports"`
	Probe   Probe   `yaml:"probe"`
	Toolset Toolset `yaml:"toolset"`
	Tenants Tenants `yaml:"tenants"`

	// File is where it was read from.
	File string `yaml:"-"`
	// Tuning is what the configuration says about it.
	Tuning Tuning `yaml:"-"`

	text      []byte // of the file, as it was read
	builtin   bool
	relatives []*Type
}

// Relatives are the other types of its family, in the catalog's order; not to be changed.
func (t *Type) Relatives() []*Type { return t.relatives }

// Relative is the type of that name, if it is of the same family; else nil.
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

// Tenants says how a backend that keeps each tenant's data apart is told whose to read.
type Tenants struct {
	// Header of a request, with the tenant's name.
	Header string `yaml:"header"`
	// Path of the header in the config of an instance.
	Path []string `yaml:"path"`
	// Compact is the field's name in the compact form; empty: not written there.
	Compact string `yaml:"compact"`
}

// HasTenants reports whether backends of the type may keep each tenant's data apart.
func (t *Type) HasTenants() bool {
	return t.Tenants.Header != "" ||
		slices.ContainsFunc(t.Detect.Strong, func(r Rule) bool { return r.TenantPath != "" })
}

// Tenanted is the type itself, or else its first relative, whose backends may keep each tenant's data apart; nil for
// none.
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
	// Strong rules: any one makes a candidate. Labels that a chart or an operator sets.
	Strong []Rule `yaml:"strong"`
	// Weak signs need another kind of sign beside them, or a probe.
	Weak Weak `yaml:"weak"`
	// Bundled rules: what a product brings along for itself alone, which is a primary only where there is no other.
	Bundled []Rule `yaml:"bundled"`
	// Reject rules: any one rules the type out, with its reason.
	Reject []Rule `yaml:"reject"`
	// Fronts are rules for proxies that may stand before it: they make a candidate that only a probe can confirm.
	Fronts []Rule `yaml:"fronts"`
	// Nodes are words for parts of an installation at the end of a Service's name, the best first: of Services whose
	// names differ by these alone, and of which one may have none, one is used.
	Nodes []string `yaml:"nodes"`
}

// Rule matches a Service when everything it names matches.
type Rule struct {
	// Labels, Selector and Annotations: key -> accepted values. A value may start or end with "*"; "*" alone is any.
	Labels      map[string]Values `yaml:"labels"`
	Selector    map[string]Values `yaml:"selector"`
	Annotations map[string]Values `yaml:"annotations"`
	// Names are patterns for the Service's name, with "*" as above.
	Names Values `yaml:"names"`
	// Ports are names of Service ports, one of which must exist.
	Ports Values `yaml:"ports"`
	// Because is the reason, for people: what in the world sets this.
	Because string `yaml:"because"`
	// Tier is the preference between Services of one installation, lower first: a gateway before the querier behind it.
	Tier int `yaml:"tier"`
	// Scheme and Path of Services that match, where they differ from the type's.
	Scheme string `yaml:"scheme"`
	Path   string `yaml:"path"`
	// TenantPath is the base path of a gateway that has an API for each tenant, with $(tenant) in it, and Tenants are
	// those that every installation has.
	TenantPath string   `yaml:"tenantPath"`
	Tenants    []string `yaml:"tenants"`
	// Despite: what otherwise speaks against the type does not. For software that another maker's operator runs under
	// that maker's names.
	Despite bool `yaml:"despite"`
}

// Weak lists signs that prove nothing alone.
type Weak struct {
	// Words are product names as they end a Service name or the value of an app-like label: "grafana" fits "grafana",
	// "monitoring-grafana" and "grafana-svc" (neutral endings are listed in lookalikes.yaml).
	Words []string `yaml:"words"`
	// Suffixes are further endings that still mean the query API: "query" in "jaeger-query".
	Suffixes []string `yaml:"suffixes"`
	// Parts are endings that do not name the product but its part that answers queries: "query" in "metrics-query".
	// They are a sign only beside one of the type's own ports.
	Parts []string `yaml:"parts"`
	// Prefixes are beginnings of names, of operators that put the product before a name of the user's own:
	// "elasticsearch" in "elasticsearch-shop". They are a sign only beside one of the type's own ports.
	Prefixes []string `yaml:"prefixes"`
	// PortNames are names of ports that only this product uses.
	PortNames []string `yaml:"portNames"`
	// Labels and Selector: keys and values that hint at it.
	Labels   map[string]Values `yaml:"labels"`
	Selector map[string]Values `yaml:"selector"`
}

// Ports says which port serves the query API.
type Ports struct {
	// Names of the Service port, or of its target port, best first.
	Names []string `yaml:"names"`
	// Numbers the software listens on, best first; looked for in the target port, then in the Service port.
	Numbers []int32 `yaml:"numbers"`
	// Shared are those of Numbers that so much other software uses that they are no sign of this type.
	Shared []int32 `yaml:"shared"`
	// Never are names, or numbers as text, of ports that something else in the same pods or Service uses.
	Never []string `yaml:"never"`
	// Scheme the type speaks unless something says otherwise. Default http.
	Scheme string `yaml:"scheme"`
}

// Values is one string or a list of them.
type Values []string

// UnmarshalYAML accepts a scalar for a list of one.
func (v *Values) UnmarshalYAML(unmarshal func(any) error) error {
	var one string
	if err := unmarshal(&one); err == nil {
		*v = Values{one}
		return nil
	}
	var many []string
	if err := unmarshal(&many); err != nil {
		return err
	}
	*v = many
	return nil
}
