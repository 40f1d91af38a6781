package backend

import (
	"cmp"
	"net"
	"net/url"
	"strconv"
	"strings"
)

// Types without a catalog entry: only an annotation can set them.
const (
	TypeCustom = "custom" // an HTTP toolset under custom/; the same holds for every type name of an owner's own
	TypeMCP    = "mcp"    // an MCP server under mcp/
)

// Strength is how much the evidence for a candidate is worth.
type Strength int

const (
	Weak     Strength = iota // publish only if the identity probe confirms it
	Strong                   // a chart or an operator marks it, or several weak signs agree
	Explicit                 // the Service's owner includes it by annotation
)

func (s Strength) String() string {
	return [...]string{"weak", "strong", "explicit"}[s]
}

// TierFront is the tier of a proxy, such as vmauth, that may stand in front of a backend of its type.
const TierFront = -1

// TierTwin is the tier of Services that an operator makes for its own use, beside those that people make.
const TierTwin = 9

// Candidate is one port of a Service that a catalog entry or an annotation identifies as a backend.
type Candidate struct {
	Service  *Service
	Type     string // the catalog's name, "mcp", "custom", or a type name of an owner's own
	Instance string // its name in the documents: <namespace>/<service> unless annotated
	Custom   bool   // written as a generic HTTP toolset under custom/

	Port       Port  // the Service port that detection chose
	PortNumber int32 // the number to use with Host: the Service's port, or the pods' port for a headless Service
	// PortGuessed: the Service is headless and no EndpointSlice resolves its named target port. PortNumber is then the
	// Service's own port, which is often right but is not proven.
	PortGuessed bool
	Host        string
	FullName    string // the Service's full name in the cluster's DNS, its only name that is ever resolved
	Scheme      string // http or https
	Path        string // base path without a trailing slash: "" or "/prometheus"
	// FixedScheme and FixedPath: an annotation sets them, so the probe must not try others.
	FixedScheme, FixedPath bool
	// SchemeTold: the Service's port, labels or annotations for others show its scheme. Otherwise the scheme is the
	// usual one of its type.
	SchemeTold bool
	// ForeignHost: the endpoint annotation names an allowed host that is not the Service's own. The Service's ClusterIP
	// and endpoints then say nothing about the backend.
	ForeignHost bool
	// FixedHost: Host is one of the Service's own names, set by the endpoint annotation. It must not change.
	FixedHost bool

	Strength   Strength
	Signs      []Sign   // what matched, strongest first
	PortReason Reason   // why this port
	Stem       string   // the Service's name without the word for a node: equal for all nodes of an installation
	Cluster    string   // the cluster that an operator's label or the selector names: equal for all its Services
	Tier       int      // rank of Services in front of one backend: the lowest is preferred, so TierFront wins
	HealthPath string   // absolute path from the annotation; "" = the type's health checks
	Unproven   bool     // health-endpoint "none": publish without a probe, and report that
	Tenants    []string // from the annotation, without repeats, safe in a header and in a path; nil = no annotation
	Tenant     string   // the tenant that this candidate serves; "" = no tenant
	// Spread lists the tenants for which detect.PerTenant makes one candidate each in place of this one; nil = no
	// split.
	Spread []string
	// TenantHeader is the header that names the tenant to the backend; "" if the tenant is part of the path. TenantPath
	// is that path with a placeholder for the tenant.
	TenantHeader, TenantPath string
	// Headers are sent with each request, by the probe and by HolmesGPT. They hold no secrets and come only from the
	// configuration.
	Headers map[string]string
	// Files are settings of HolmesGPT's toolset that name files in its pod, such as a client certificate. They come
	// only from the configuration.
	Files map[string]string
	// WantsTenant: the backend has an API for each tenant, and no tenant is set.
	WantsTenant bool
	Bundled     string // the product that brings it for its own use only, for people; "" = for general use
	Primary     bool   // its owner, in a trusted namespace, wants it to be the primary of its type
	Description string // the owner's note
	Link        string // the URL at which people reach it, from its owner or the configuration; "" = unknown
	Wants       []Want // what it is known to require of its clients before a probe

	// Detected is the type that detection chose, if a probe has found a relative of that type; else "".
	Detected string
}

// As returns the candidate as the relative that a probe found, with the same strength, port and annotations.
func (c *Candidate) As(typ string) *Candidate {
	relative := *c
	relative.Detected, relative.Type = c.Type, typ
	return &relative
}

// Evaluation is the result of one catalog type for a Service.
type Evaluation struct {
	Type      string
	Signs     []Sign     // evidence for the type, strongest first
	Rejected  Reason     // evidence against the type
	Candidate *Candidate // nil if the type is rejected or the evidence is too weak
}

// Key identifies a candidate. A Service may front backends of several types, and one type for several tenants.
type Key struct {
	Ref
	Type   string
	Tenant string // "" for no tenant
}

// Compare orders keys by Service, type and tenant.
func (k Key) Compare(o Key) int {
	return cmp.Or(k.Ref.Compare(o.Ref), strings.Compare(k.Type, o.Type), strings.Compare(k.Tenant, o.Tenant))
}

// Key returns the key of the candidate. A Service has at most one candidate per type and tenant.
func (c *Candidate) Key() Key { return Key{c.Service.Ref, c.Type, c.Tenant} }

// DetectedKey returns the key under which the candidate was detected and is probed. It differs from Key for a relative.
func (c *Candidate) DetectedKey() Key {
	return Key{c.Service.Ref, cmp.Or(c.Detected, c.Type), c.Tenant}
}

// Endpoint returns the base URL, always with its port and without a trailing slash.
func (c *Candidate) Endpoint() string { return c.EndpointAt(c.Scheme, c.Path) }

// EndpointAt returns the base URL with another scheme and base path, such as those that a probe found.
func (c *Candidate) EndpointAt(scheme, path string) string {
	return endpoint(scheme, c.Host, c.PortNumber, path)
}

func endpoint(scheme, host string, port int32, path string) string {
	u := url.URL{Scheme: scheme, Host: net.JoinHostPort(host, strconv.Itoa(int(port))), Path: path}
	return u.String()
}
