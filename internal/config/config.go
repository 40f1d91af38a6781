// Package config holds this service's configuration: one struct and its defaults. It reads a file and --set flags
// strictly, and validates every key.
package config

import (
	"net/netip"
	"strings"
	"time"

	"kubernaut.io/dynamic-toolset/internal/probe"
	"kubernaut.io/dynamic-toolset/internal/toolset"
)

// Config is the whole configuration. Durations are Go durations with units: 250ms, 30s, 5m.
type Config struct {
	// ClusterDomain is the cluster's DNS domain, the end of every Service's full name. Default "": the domain in the
	// search line of the pod's /etc/resolv.conf, else cluster.local.
	ClusterDomain string `yaml:"clusterDomain"`

	Discovery Discovery `yaml:"discovery"`
	Health    Health    `yaml:"health"`
	Output    Output    `yaml:"output"`
	HolmesGPT HolmesGPT `yaml:"holmesgpt"`
	Catalog   Catalog   `yaml:"catalog"`
	Types     Types     `yaml:"types"`
	// Backends that are no Services of this cluster, such as managed ones and those of other clusters. They are proven,
	// watched and published like Services, under outside/NAME, and are trusted. Services of a namespace with the name
	// outside are ignored then. Default [].
	Backends       []Outside      `yaml:"backends"`
	Tenants        Tenants        `yaml:"tenants"`
	Links          Links          `yaml:"links"`
	Primary        Primary        `yaml:"primary"`
	Credentials    Credentials    `yaml:"credentials" secret:"true"`
	TLS            TLS            `yaml:"tls"`
	Security       Security       `yaml:"security"`
	Server         Server         `yaml:"server"`
	Metrics        Metrics        `yaml:"metrics"`
	Auth           Auth           `yaml:"auth"`
	LeaderElection LeaderElection `yaml:"leaderElection"`
	Shutdown       Shutdown       `yaml:"shutdown"`
	Log            Log            `yaml:"log"`
}

// Discovery says which Services are discovered, and when.
type Discovery struct {
	// Namespaces restricts the watch itself to these namespaces; empty means the whole cluster. Default [].
	Namespaces []string `yaml:"namespaces"`
	// ExcludeNamespaces are left out of a watch of the whole cluster. Default [].
	ExcludeNamespaces []string `yaml:"excludeNamespaces"`
	// Interval between full discoveries, a safety net beside the watch. Default 5m.
	Interval time.Duration `yaml:"interval"`
	// Settle is how long changes are collected before the service acts on them; 0s acts at once. Default 250ms.
	Settle time.Duration `yaml:"settle"`
}

// Health says how backends are probed.
type Health struct {
	// Interval between checks of one backend. Default 30s.
	Interval time.Duration `yaml:"interval"`
	// Timeout of one try. Default 5s.
	Timeout time.Duration `yaml:"timeout"`
	// Tries of one check, at least 1. The wait between them is 1s, then doubles to at most 10s. Default 3.
	Tries int `yaml:"tries"`
	// FailureThreshold is the number of failed checks in a row that withdraw a backend; at least 1. Default 3.
	FailureThreshold int `yaml:"failureThreshold"`
	// Concurrency is the number of backends that are probed at the same time; at least 1. Default 256.
	Concurrency int `yaml:"concurrency"`
}

// Output says which documents are written, and where.
type Output struct {
	// Namespace of the ConfigMap, the Lease and the API's permissions. Default kubernaut-system.
	Namespace string `yaml:"namespace"`
	// ConfigMap is its name. Default kubernaut-toolset-config.
	ConfigMap string `yaml:"configMap"`
	// Formats written: holmesgpt, compact or both. Default [holmesgpt, compact].
	Formats []string `yaml:"formats"`
	// Resync is the interval between checks that the ConfigMap is as it should be, beside the watch. Default 30s.
	Resync time.Duration `yaml:"resync"`
	// Keys of your own, for other readers of the same inventory: the key's name, and the YAML to write there. Texts may
	// contain $(primary.TYPE.FIELD). An item of a list with for: TYPE is written for each instance of the type, and its
	// texts may contain $(FIELD). See docs/keys.md. Default {}.
	Keys toolset.OwnKeys `yaml:"keys"`
}

// HolmesGPT is about the HolmesGPT document and where HolmesGPT is.
type HolmesGPT struct {
	// Baseline toolsets are always enabled, whatever is found. Default [kubernetes/core, kubernetes/logs].
	Baseline []string `yaml:"baseline"`
	// GenerationMarker adds a disabled entry named after the document's hash, which makes a running HolmesGPT notice a
	// changed URL. Default true.
	GenerationMarker bool `yaml:"generationMarker"`
	// OpenShift protects the agent's own token. On OpenShift HolmesGPT sends its ServiceAccount's token to each
	// Prometheus without a credential in the document, whoever owns it. With true, each Prometheus outside
	// openshift-monitoring and security.trustedNamespaces is written with an empty credential, so that HolmesGPT does
	// not. auto means true if the cluster serves route.openshift.io. Default auto.
	OpenShift string `yaml:"openshift"`
	// Service of HolmesGPT, NAMESPACE/NAME or NAMESPACE/NAME:PORT. After a publication each replica behind it is told
	// to reload, and is asked which document it has and which toolsets work. auto finds the Service in the ConfigMap's
	// namespace; off sends no requests to HolmesGPT. Default auto.
	Service string `yaml:"service"`
	// URL of HolmesGPT, scheme://host:port, if it has no Service. Default "": the address of the Service.
	URL string `yaml:"url"`
	// APIKeyFile is a file with the key that HolmesGPT requires (HOLMES_API_KEY there). Default "": none.
	APIKeyFile string `yaml:"apiKeyFile"`
}

// Catalog is about the backend types.
type Catalog struct {
	// Dir is a directory with YAML files of your own types. A type with a built-in type's name replaces that type.
	// Default "": none.
	Dir string `yaml:"dir"`
}

// Tenants that HolmesGPT reads, each as an instance of its own: type, namespace/name of the Service, tenants. For
// gateways that have an API for each tenant, and for Mimir, Loki and Tempo with tenants. Default {}: those that the
// toolset-tenant annotation names, and the ones that every LokiStack has.
type Tenants map[string]map[string][]string

// Links are the URLs at which people reach backends. HolmesGPT shows them. Those of the toolset-link annotation and of
// backends[].link are always known.
type Links struct {
	// From lists the kinds of objects to read links from: ingress, httproute, route. Each needs the right to list and
	// watch these objects. Outside trustedNamespaces only hosts in security.allowedLinkHosts count. Default [].
	From []string `yaml:"from"`
}

// Primary instance of a type, by type: namespace/name of its Service. Default {}: the recorded primary, else the
// oldest Service.
type Primary map[string]string

// Credentials that instances take from HolmesGPT's environment: type, namespace/name of the Service, field of the
// toolset's configuration, name of the variable. Default {}: the type's usual variables, only for a Service that
// primary names or for a primary in security.trustedNamespaces.
type Credentials map[string]map[string]map[string]string

// TLS towards backends.
type TLS struct {
	// CAFile is a PEM file with certificate authorities to trust beside the system's. It is read again when it changes.
	// Default "": none.
	CAFile string `yaml:"caFile"`
	// InsecureSkipVerify lists Services, namespace/name. Neither the probe nor HolmesGPT checks their certificates.
	// Default [].
	InsecureSkipVerify []string `yaml:"insecureSkipVerify"`
}

// Security limits what the owners of Services can do.
type Security struct {
	// AllowedEndpointHosts are hosts that the toolset-endpoint annotation may name, in addition to the Service's own
	// names. Default [].
	AllowedEndpointHosts []string `yaml:"allowedEndpointHosts"`
	// AllowedLinkHosts are hosts that links outside trustedNamespaces may lead to, as host:port if it is not the
	// scheme's own port. People trust the links that HolmesGPT shows. So list only hosts on which no stranger can
	// publish a page, for example by an Ingress. Default [].
	AllowedLinkHosts []string `yaml:"allowedLinkHosts"`
	// DenyCIDRs are networks that this service never connects to, not even by an IPv6 address that contains one of
	// their IPv4 addresses. A Service with an address there is rejected. A list given here replaces the default.
	// Default: 0.0.0.0/8, link-local networks and the clouds' metadata addresses.
	DenyCIDRs []netip.Prefix `yaml:"denyCIDRs"`
	// TrustedNamespaces are namespaces whose Services may declare MCP servers, choose the primary by annotation and
	// link to any host. A primary there gets its type's usual credentials. Default [].
	TrustedNamespaces []string `yaml:"trustedNamespaces"`
	// Annotations says whose annotations may give the agent more than proven backends: all, or trusted. With trusted,
	// Services outside trustedNamespaces may opt out and correct port, scheme and path of a proven backend. They may
	// not include custom APIs, publish unproven backends, or leave a note for the agent. Default all.
	Annotations string `yaml:"annotations"`
	// MaxInstancesPerNamespace limits the published backends of one namespace; the oldest Services come first. Trusted
	// namespaces have no limit. At least 1. Default 50.
	MaxInstancesPerNamespace int `yaml:"maxInstancesPerNamespace"`
}

// Server is the API, the page, /healthz and /readyz.
type Server struct {
	// Address to listen on, host:port. Without a host: all addresses, or 127.0.0.1 if auth.mode is none.
	// Default ":8080".
	Address string    `yaml:"address"`
	TLS     ServerTLS `yaml:"tls"`
}

// ServerTLS is the server's own certificate.
type ServerTLS struct {
	// Mode: off, self-signed (a certificate made at start) or files. Default off.
	Mode string `yaml:"mode"`
	// CertFile is a PEM file with the certificate and its chain; mode files only. Default "".
	CertFile string `yaml:"certFile"`
	// KeyFile is a PEM file with the private key; mode files only. Default "".
	KeyFile string `yaml:"keyFile"`
	// Names are DNS names and addresses of the server for the certificate, beside localhost and this machine's name;
	// mode self-signed only. The chart sets those of the Service. Default [].
	Names []string `yaml:"names"`
}

// Metrics is the listener for /metrics.
type Metrics struct {
	// Address to listen on, host:port. Default ":9090".
	Address string `yaml:"address"`
}

// Auth says who may use the API.
type Auth struct {
	// Mode: kubernetes (a token, checked by TokenReview and SubjectAccessReview) or none. Default kubernetes.
	Mode string `yaml:"mode"`
}

// LeaderElection among several replicas. LeaseDuration > RenewDeadline > RetryPeriod.
type LeaderElection struct {
	// Enabled elects a leader; use false for a single replica. Default true.
	Enabled bool `yaml:"enabled"`
	// LeaseName is the name of the Lease in output.namespace. Default dynamic-toolset.
	LeaseName string `yaml:"leaseName"`
	// LeaseDuration is how long others respect a lease that is not renewed, in whole seconds from 2s on. Default 15s.
	LeaseDuration time.Duration `yaml:"leaseDuration"`
	// RenewDeadline is how long the leader tries to renew its lease before it stops writing. Default 10s.
	RenewDeadline time.Duration `yaml:"renewDeadline"`
	// RetryPeriod is the wait between renewals of the lease, and before another try after a failure. A fifth more must
	// be less than renewDeadline, and than leaseDuration less a second. Default 2s.
	RetryPeriod time.Duration `yaml:"retryPeriod"`
}

// Shutdown says how the service stops.
type Shutdown struct {
	// Delay between "not ready" and closing the listeners, so that load balancers notice. Default 0s.
	Delay time.Duration `yaml:"delay"`
	// Timeout for requests that still run. Default 30s.
	Timeout time.Duration `yaml:"timeout"`
}

// Log says what is logged to standard error.
type Log struct {
	// Level: debug, info, warn or error. Default info.
	Level string `yaml:"level"`
	// Format: json or text. Default json.
	Format string `yaml:"format"`
}

// Values of keys that accept only these.
const (
	FormatHolmesGPT = "holmesgpt"
	FormatCompact   = "compact"

	TLSOff        = "off"
	TLSSelfSigned = "self-signed"
	TLSFiles      = "files"

	OpenShiftAuto  = "auto"
	OpenShiftTrue  = "true"
	OpenShiftFalse = "false"

	LinkIngress   = "ingress"
	LinkHTTPRoute = "httproute"
	LinkRoute     = "route"

	ServiceAuto = "auto"
	ServiceOff  = "off"

	AnnotationsAll     = "all"
	AnnotationsTrusted = "trusted"

	AuthKubernetes = "kubernetes"
	AuthNone       = "none"
)

// Default returns the configuration without a file.
func Default() *Config {
	return &Config{
		Discovery: Discovery{Interval: 5 * time.Minute, Settle: 250 * time.Millisecond},
		Health: Health{
			Interval: 30 * time.Second, Timeout: 5 * time.Second, Tries: 3, FailureThreshold: 3, Concurrency: 256,
		},
		Output: Output{
			Namespace: "kubernaut-system", ConfigMap: "kubernaut-toolset-config",
			Formats: []string{FormatHolmesGPT, FormatCompact}, Resync: 30 * time.Second,
		},
		HolmesGPT: HolmesGPT{
			Baseline: []string{"kubernetes/core", "kubernetes/logs"}, GenerationMarker: true, OpenShift: OpenShiftAuto,
			Service: ServiceAuto,
		},
		Security: Security{
			DenyCIDRs: probe.DefaultDenyCIDRs(), Annotations: AnnotationsAll, MaxInstancesPerNamespace: 50,
		},
		Server:  Server{Address: ":8080", TLS: ServerTLS{Mode: TLSOff}},
		Metrics: Metrics{Address: ":9090"},
		Auth:    Auth{Mode: AuthKubernetes},
		LeaderElection: LeaderElection{
			Enabled: true, LeaseName: "dynamic-toolset",
			LeaseDuration: 15 * time.Second, RenewDeadline: 10 * time.Second, RetryPeriod: 2 * time.Second,
		},
		Shutdown: Shutdown{Timeout: 30 * time.Second},
		Log:      Log{Level: "info", Format: "json"},
	}
}

// Listen returns the address to listen on for a configured address. Without authentication, an address without a host
// becomes one that only this machine can reach.
func (c *Config) Listen(address string) string {
	if c.Auth.Mode == AuthNone && strings.HasPrefix(address, ":") {
		return "127.0.0.1" + address
	}
	return address
}
