package catalog

import (
	"slices"
	"strconv"
)

// Toolset says what is written for a type. Strings in the trees may contain $(url), $(instance), $(namespace) and
// $(service). A setting may be $(link) and is omitted if no link is known. Placeholders are replaced in the decoded
// tree, never in text. No key may contain a dot: HolmesGPT rejects a file with such a key.
type Toolset struct {
	// HolmesGPT are the toolsets in the HolmesGPT document. Elasticsearch has two.
	HolmesGPT []Entry `yaml:"holmesgpt"`
	// Compact is the config of the compact form, with the primary's URL.
	Compact map[string]any `yaml:"compact"`
	// Credentials the backend may require: their place and the default name of the environment variable.
	Credentials []Credential `yaml:"credentials"`
	// Headers is the path, in the config of an instance, of the headers that are sent with each request. Empty: the
	// toolset has no such setting.
	Headers []string `yaml:"headers"`
	// Files are settings of an instance that name files in HolmesGPT's pod and are given together: a client
	// certificate and its key.
	Files []string `yaml:"files"`
	// UsuallyWantsCredentials is true if references are written for the primary even if no probe has shown that it
	// requires credentials.
	UsuallyWantsCredentials bool `yaml:"usuallyWantsCredentials"`
	// Recipes say where the credentials are stored, the best first.
	Recipes []Recipe `yaml:"recipes"`
}

// Entry is one toolset of the HolmesGPT document with all instances of the type: a built-in toolset of HolmesGPT or an
// HTTP toolset.
type Entry struct {
	// Name is HolmesGPT's name for it, e.g. prometheus/metrics. Empty for an HTTP toolset, which is named after the
	// type.
	Name string `yaml:"name"`
	// Instance is the config of one instance, without its name, for toolsets that take `instances:`.
	Instance map[string]any `yaml:"instance"`
	// VerifySSL is the config field that disables certificate verification. HTTP toolsets need not name theirs.
	VerifySSL string `yaml:"verifySSL"`
	// HTTP makes it a generic HTTP toolset.
	HTTP *HTTP `yaml:"http"`
	// Description is for people, and for the agent if the toolset does not work.
	Description string `yaml:"description"`
	// Instructions say which calls the agent should make. HolmesGPT replaces them with its own for built-in toolsets
	// that have instructions: only elasticsearch/data and elasticsearch/cluster have none. For an HTTP toolset, a list
	// of the instances and their URLs follows them.
	Instructions string `yaml:"instructions"`
	// Tokens is what the toolset costs the agent. Default: unknown, or the usual cost for an HTTP toolset.
	Tokens Tokens `yaml:"tokens"`
}

// Tokens is what a toolset adds to each request to the agent's model, measured with HolmesGPT 0.45 (make test-holmes):
// the schemas of its tools and its instructions, some of which are repeated for each instance.
type Tokens struct {
	// Toolset is the cost of the toolset itself.
	Toolset int `yaml:"toolset"`
	// Instance is what each of its instances adds.
	Instance int `yaml:"instance"`
}

// Of returns the cost of a toolset with that many instances.
func (t Tokens) Of(instances int) int { return t.Toolset + t.Instance*instances }

// Cost returns what the entry costs the agent; zero if that is unknown.
func (e *Entry) Cost() Tokens {
	if e.HTTP != nil && e.Tokens == (Tokens{}) {
		return HTTPTokens()
	}
	return e.Tokens
}

// HTTPTokens returns the cost of an HTTP toolset without instructions.
func HTTPTokens() Tokens { return Tokens{Toolset: 530, Instance: 65} }

// Read returns how many tokens the agent reads for one more instance. With first it is the first instance of its
// toolset.
func (e *Entry) Read(first bool) int {
	switch {
	case e.HTTP == nil:
		return e.Tokens.Instance
	case first:
		return e.Cost().Of(1)
	}
	return e.Cost().Instance
}

// Baseline returns the cost of HolmesGPT's toolsets that are always written.
func Baseline() map[string]Tokens {
	return map[string]Tokens{"kubernetes/core": {Toolset: 1600}, "kubernetes/logs": {Toolset: 450}}
}

// EntryName returns the name of the i-th toolset of a type in the HolmesGPT document. An HTTP toolset is named after
// its type. HolmesGPT verifies the certificates of either all endpoints of a toolset or none, so a second toolset holds
// the instances whose certificates must not be verified.
func (t *Type) EntryName(i int, unverified bool) string {
	e := &t.Toolset.HolmesGPT[i]
	if e.HTTP == nil {
		return e.Name
	}
	name := t.Type
	if before := t.Toolset.HolmesGPT[:i]; slices.ContainsFunc(before, func(e Entry) bool { return e.HTTP != nil }) {
		name += "/" + strconv.Itoa(i+1)
	}
	if name == "victorialogs" { // HolmesGPT has a toolset of that name
		name += "/http"
	}
	if unverified {
		name += "/unverified"
	}
	return name
}

// HTTP is a generic HTTP toolset: which paths below the base URL the agent may GET.
type HTTP struct {
	// Paths may contain "*", which matches any text, slashes included.
	Paths []string `yaml:"paths"`
	// Health is a path that answers 2xx if the backend works. HolmesGPT requests it when it loads the toolset of a
	// backend that the configuration vouches for.
	Health string `yaml:"health"`
}

// Credential is one secret value that HolmesGPT takes from its environment.
type Credential struct {
	// Field is its name in the config key credentials.
	Field string `yaml:"field"`
	// Kind of credential that the field belongs to: basic, bearer, api-key or tenant. A backend that asks for one kind
	// gets the fields of that kind; a backend that names no kind gets those of the kind that comes first. Default: what
	// auth says, else bearer.
	Kind string `yaml:"kind"`
	// Value says for people what the variable must hold, if that is not the bare secret.
	Value string `yaml:"value"`
	// Path in the instance's config, or in the endpoint's auth for an HTTP toolset. Default: the field itself.
	Path []string `yaml:"path"`
	// Variable is the environment variable that the primary uses without further configuration. Empty: the field is
	// used only if an admin names it (config key credentials).
	Variable string `yaml:"variable"`
	// Prefix is put before the reference, e.g. "Bearer ".
	Prefix string `yaml:"prefix"`
	// Auth is the kind of auth that the field belongs to, for HTTP toolsets: bearer, basic, digest or header.
	Auth string `yaml:"auth"`
	// Header is the header's name, if auth is header.
	Header string `yaml:"header"`
	// Compact is the field's name in the compact form. Empty: the compact form does not have it.
	Compact string `yaml:"compact"`
}

// Is returns the kind of credential that the field belongs to, as in backend.Kind.
func (c *Credential) Is() string {
	switch {
	case c.Kind != "":
		return c.Kind
	case c.Auth == "basic":
		return "basic"
	case c.Auth == "header":
		return "api-key"
	case c.Auth == "digest":
		return "other"
	}
	return "bearer"
}

// Usual returns the kind that backends of the type require if they name no kind; "" if the toolset accepts no
// credential.
func (t *Toolset) Usual() string {
	if len(t.Credentials) == 0 {
		return ""
	}
	return t.Credentials[0].Is()
}
