package backend

import (
	"net"
	"net/url"
	"strconv"
)

// Types that no catalog entry describes: they exist by annotation only.
const (
	TypeCustom = "custom" // an HTTP toolset under custom/; also every other type name of the user's own
	TypeMCP    = "mcp"    // an MCP server under mcp/
)

// Strength says how much the evidence for a candidate is worth.
type Strength int

const (
	Weak     Strength = iota // publish only if the identity probe confirms it
	Strong                   // a chart, an operator or several agreeing weak signs say so
	Explicit                 // the Service's owner says so by annotation
)

func (s Strength) String() string {
	return [...]string{"weak", "strong", "explicit"}[s]
}

// TierFront is the tier of a proxy that may stand before a backend of its type, such as vmauth.
const TierFront = -1

// Candidate is one port of a Service that a catalog entry, or an annotation, takes for a backend.
type Candidate struct {
	Service  *Service
	Type     string // the catalog's name, "mcp", "custom", or a type name of the user's own
	Instance string // how the documents name it: <namespace>/<service> unless annotated
	Custom   bool   // written as a generic HTTP toolset under custom/

	Port       Port  // the Service port that was chosen
	PortNumber int32 // the number to use with Host: the Service's port, for a headless Service the pods'
	// PortGuessed: a headless Service whose named target port no EndpointSlice resolves. PortNumber is the Service's
	// own then, which is often right and proves nothing.
	PortGuessed bool
	Host        string
	FullName    string // the Service's in the cluster's DNS, the only one of its names that is ever looked up
	Scheme      string // http or https
	Path        string // base path without a trailing slash: "" or "/prometheus"
	// FixedScheme and FixedPath: an annotation says so, the probe must not look for another.
	FixedScheme, FixedPath bool
	// ForeignHost: the endpoint annotation names an allowed host that is not the Service's own, so that its ClusterIP
	// and its endpoints say nothing about it.
	ForeignHost bool
	// FixedHost: Host is the one of the Service's own names that the endpoint annotation gives, and stays.
	FixedHost bool

	Strength   Strength
	Signs      []Sign   // what matched, strongest first
	PortReason Reason   // why this port
	Stem       string   // its name without the word for a node, the same for all nodes of an installation; "" = unknown
	Tier       int      // preference between Services in front of one backend: lower is preferred, TierFront most
	HealthPath string   // from the annotation, absolute path; "" = as the type says
	Unproven   bool     // health-endpoint "none": publish without a probe, and say so
	Tenants    []string // from the annotation, each once and fit for a header and a path; nil = none named
	Tenant     string   // the one of them that this candidate is about; "" = none
	// Spread are tenants for each of which it stands, so that it is none itself (detect.PerTenant); nil = one
	// candidate.
	Spread []string
	// TenantHeader names the tenant to the backend; "" where it is part of the path, which TenantPath says for any
	// tenant.
	TenantHeader, TenantPath string
	// Headers are sent with each request, by the probe and by HolmesGPT: no secrets. Only the configuration gives them.
	Headers map[string]string
	// Files are settings of HolmesGPT's toolset that name files in its pod, as of a client certificate. Only the
	// configuration gives them.
	Files map[string]string
	// WantsTenant: it has an API for each tenant, and nobody has said which to use.
	WantsTenant bool
	Bundled     string // what a product brings along for itself alone: whose it is, for people; "" = of general use
	Primary     bool   // its owner, in a trusted namespace, wants it as the primary of its type
	Description string // the owner's note
	Link        string // the URL at which people reach it, as its owner or the configuration says; "" = not told
	Wants       []Want // of its clients, as is known before it was asked

	// Detected is the type that detection took it for, where a probe has shown it to be a relative of that; else "".
	Detected string
}

// As is the candidate as the relative that a probe has shown it to be: with its strength, port and annotations.
func (c *Candidate) As(typ string) *Candidate {
	relative := *c
	relative.Detected, relative.Type = c.Type, typ
	return &relative
}

// Evaluation is what one type of the catalog has to say about a Service.
type Evaluation struct {
	Type      string
	Signs     []Sign     // what spoke for it, strongest first
	Rejected  Reason     // what spoke against it
	Candidate *Candidate // nil where it was rejected or too little speaks for it
}

// Key tells candidates apart: a Service may front several backends, of several types, and one for several tenants.
type Key struct {
	Ref
	Type   string
	Tenant string // "" where there are none
}

// Key of this candidate. There is at most one candidate of a type, and a tenant, per Service.
func (c *Candidate) Key() Key { return Key{c.Service.Ref, c.Type, c.Tenant} }

// Endpoint is the base URL, without a trailing slash, the port always written.
func (c *Candidate) Endpoint() string { return c.EndpointAt(c.Scheme, c.Path) }

// EndpointAt is Endpoint with another scheme and base path, as a probe may have found them.
func (c *Candidate) EndpointAt(scheme, path string) string {
	return endpoint(scheme, c.Host, c.PortNumber, path)
}

func endpoint(scheme, host string, port int32, path string) string {
	u := url.URL{Scheme: scheme, Host: net.JoinHostPort(host, strconv.Itoa(int(port))), Path: path}
	return u.String()
}
