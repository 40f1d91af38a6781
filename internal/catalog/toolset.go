package catalog

import (
	"slices"
	"strconv"
)

// Toolset says what is written for a type. Strings in the trees may hold the placeholders $(url), $(instance),
// $(namespace) and $(service), and settings may be $(link), which are left out where no link is known; they are
// replaced inside the decoded tree, never in text. No key in them may hold a dot: HolmesGPT rejects a file with such
// a key.
type Toolset struct {
	// HolmesGPT entries: Elasticsearch has two.
	HolmesGPT []Entry `yaml:"holmesgpt"`
	// Compact is the config of the compact form, with the primary's url.
	Compact map[string]any `yaml:"compact"`
	// Credentials the backend may want: where they go and the environment variable's default name.
	Credentials []Credential `yaml:"credentials"`
	// Headers is the path, in the config of an instance, of headers that are sent with each request. Empty: there is
	// none.
	Headers []string `yaml:"headers"`
	// Files are settings of an instance that name files in HolmesGPT's pod and are given together: a client
	// certificate and its key.
	Files []string `yaml:"files"`
	// UsuallyWantsCredentials: written for the primary even where no probe has told.
	UsuallyWantsCredentials bool `yaml:"usuallyWantsCredentials"`
	// Recipes say where the credentials are found, the best first.
	Recipes []Recipe `yaml:"recipes"`
}

// Entry is one toolset of the HolmesGPT document, with all instances of the type: one of HolmesGPT's own, or an HTTP
// toolset.
type Entry struct {
	// Name as HolmesGPT knows it, e.g. prometheus/metrics. Empty for an HTTP toolset: it is named after the type.
	Name string `yaml:"name"`
	// Instance is the config of one instance, without its name, for toolsets that take `instances:`.
	Instance map[string]any `yaml:"instance"`
	// VerifySSL is the config field that switches certificate checks off. HTTP toolsets need not name theirs.
	VerifySSL string `yaml:"verifySSL"`
	// HTTP makes it a generic HTTP toolset.
	HTTP *HTTP `yaml:"http"`
	// Description is for people, and for the agent where the toolset does not work.
	Description string `yaml:"description"`
	// Instructions tell the agent which calls to make. HolmesGPT puts its own in place of those for a built-in
	// toolset that brings some: only elasticsearch/data and elasticsearch/cluster bring none. Those of an HTTP
	// toolset end in a list of the instances and their URLs.
	Instructions string `yaml:"instructions"`
	// Tokens is what it costs the agent. Default: not known; for an HTTP toolset the usual.
	Tokens Tokens `yaml:"tokens"`
}

// Tokens is what a toolset adds to each request to the agent's model, measured with HolmesGPT 0.45 (make
// test-holmes): the schemas of its tools and its instructions, some of which are repeated for each instance.
type Tokens struct {
	// Toolset is what it costs once, and Instance what each of its instances adds.
	Toolset  int `yaml:"toolset"`
	Instance int `yaml:"instance"`
}

// Of is what a toolset with so many instances costs.
func (t Tokens) Of(instances int) int { return t.Toolset + t.Instance*instances }

// Cost is what the entry costs the agent; zero where that is not known.
func (e *Entry) Cost() Tokens {
	if e.HTTP != nil && e.Tokens == (Tokens{}) {
		return HTTPTokens()
	}
	return e.Tokens
}

// HTTPTokens is what an HTTP toolset costs, without instructions of its own.
func HTTPTokens() Tokens { return Tokens{Toolset: 530, Instance: 65} }

// Read is what one more instance has the agent read, in tokens; first: it is the first of its toolset.
func (e *Entry) Read(first bool) int {
	switch {
	case e.HTTP == nil:
		return e.Tokens.Instance
	case first:
		return e.Cost().Of(1)
	}
	return e.Cost().Instance
}

// Baseline is what toolsets of HolmesGPT's cost that are written whatever is found.
func Baseline() map[string]Tokens {
	return map[string]Tokens{"kubernetes/core": {Toolset: 1600}, "kubernetes/logs": {Toolset: 450}}
}

// EntryName is the name of the i-th toolset of a type in the HolmesGPT document. An HTTP toolset is named after its
// type. HolmesGPT verifies the certificates of all endpoints of one, or of none, so that there is another one for
// those instances whose certificates must not be verified.
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
	// Paths, "*" being any text, slashes included.
	Paths []string `yaml:"paths"`
	// Health is a path that answers 2xx when the backend works; HolmesGPT calls it when it loads the toolset of a
	// backend that the configuration vouches for.
	Health string `yaml:"health"`
}

// Credential is one secret value that HolmesGPT takes from its environment.
type Credential struct {
	// Field is its name in the config key credentials.
	Field string `yaml:"field"`
	// Kind of credential that it belongs to: basic, bearer, api-key or tenant; a backend that asks for that kind gets
	// the fields of it, one that names none those of the kind that comes first. Default: what auth says, else bearer.
	Kind string `yaml:"kind"`
	// Value says for people what the variable must hold, where that is not the secret as it is.
	Value string `yaml:"value"`
	// Path in the instance's config, for an HTTP toolset in the endpoint's auth; default: the field itself.
	Path []string `yaml:"path"`
	// Variable is the environment variable that the primary uses without further configuration. Empty: this field is
	// one that an admin may name instead (config key credentials).
	Variable string `yaml:"variable"`
	// Prefix is put before the reference, e.g. "Bearer ".
	Prefix string `yaml:"prefix"`
	// Auth is the kind of auth that the field belongs to, for HTTP toolsets: bearer, basic, digest or header.
	Auth string `yaml:"auth"`
	// Header is the header's name where Auth is header.
	Header string `yaml:"header"`
	// Compact is the field's name in the compact form; empty: not written there.
	Compact string `yaml:"compact"`
}

// Is the kind of credential that the field belongs to, as in backend.Kind.
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

// Usual is the kind that backends of the type want where they name none; "" if the toolset has no place for any.
func (t *Toolset) Usual() string {
	if len(t.Credentials) == 0 {
		return ""
	}
	return t.Credentials[0].Is()
}
