// Package config is this service's configuration: one struct, its defaults, the strict reading of a file and of --set
// flags, and the validation of every key.
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
	// ClusterDomain is the cluster's DNS domain, the end of every Service's name. Default "": the one that the pod's
	// /etc/resolv.conf names in its search line, else cluster.local.
	ClusterDomain string `yaml:"clusterDomain"`

	Discovery Discovery `yaml:"discovery"`
	Health    Health    `yaml:"health"`
	Output    Output    `yaml:"output"`
	HolmesGPT HolmesGPT `yaml:"holmesgpt"`
	Catalog   Catalog   `yaml:"catalog"`
	Types     Types     `yaml:"types"`
	// Backends are backends that are no Service, such as managed ones and those of other clusters. They are proven,
	// watched and published as Services are, under outside/NAME, and are trusted. Services of a namespace of that name
	// are not looked at then. Default [].
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

// Discovery says which Services are looked at, and when.
type Discovery struct {
	// Namespaces restricts the watch itself to these; empty is the whole cluster. Default [].
	Namespaces []string `yaml:"namespaces"`
	// ExcludeNamespaces are left out of a watch of the whole cluster. Default [].
	ExcludeNamespaces []string `yaml:"excludeNamespaces"`
	// Interval between full discoveries, which are a safety net beside the watch. Default 5m.
	Interval time.Duration `yaml:"interval"`
	// Settle is how long changes are gathered before they are acted on; 0s acts at once. Default 250ms.
	Settle time.Duration `yaml:"settle"`
}

// Health says how backends are probed.
type Health struct {
	// Interval between checks of one backend. Default 30s.
	Interval time.Duration `yaml:"interval"`
	// Timeout of one try. Default 5s.
	Timeout time.Duration `yaml:"timeout"`
	// Tries of one check, with waits of 1s, doubled to at most 10s, between them; at least 1. Default 3.
	Tries int `yaml:"tries"`
	// FailureThreshold is the number of failed checks in a row after which a backend is withdrawn; at least
	// 1. Default 3.
	FailureThreshold int `yaml:"failureThreshold"`
	// Concurrency is the number of backends probed side by side; at least 1. Default 256.
	Concurrency int `yaml:"concurrency"`
}

// Output says what is written, and where.
type Output struct {
	// Namespace of the ConfigMap, the Lease and the API's permissions. Default kubernaut-system.
	Namespace string `yaml:"namespace"`
	// ConfigMap is its name. Default kubernaut-toolset-config.
	ConfigMap string `yaml:"configMap"`
	// Formats written: holmesgpt, compact or both. Default [holmesgpt, compact].
	Formats []string `yaml:"formats"`
	// Resync is the interval between comparisons of the ConfigMap with what it should be, beside the watch.
	// Default 30s.
	Resync time.Duration `yaml:"resync"`
	// Keys of your own, for other readers of the same inventory: name of the key, and what is written there as YAML.
	// In its texts $(primary.TYPE.FIELD) is filled in, and in the items of a list with for: TYPE, which are written
	// for each instance of the type, $(FIELD). See docs/keys.md. Default {}.
	Keys toolset.OwnKeys `yaml:"keys"`
}

// HolmesGPT is about the HolmesGPT document.
type HolmesGPT struct {
	// Baseline toolsets are always enabled, whatever is found. Default [kubernetes/core, kubernetes/logs].
	Baseline []string `yaml:"baseline"`
	// GenerationMarker adds a disabled entry named after the document's hash, which makes a running HolmesGPT notice a
	// changed URL. Default true.
	GenerationMarker bool `yaml:"generationMarker"`
	// OpenShift keeps the agent's own token at home. On OpenShift HolmesGPT sends its ServiceAccount's token to each
	// Prometheus that names no credential, whoever owns it; with true those outside openshift-monitoring and
	// security.trustedNamespaces are written with an empty credential instead. auto does so where the cluster serves
	// route.openshift.io. Default auto.
	OpenShift string `yaml:"openshift"`
	// Service is HolmesGPT's own, NAMESPACE/NAME or NAMESPACE/NAME:PORT: each of its replicas is told to reload after a
	// publication, and asked what it made of the document. auto looks for it beside the ConfigMap; off asks nobody.
	// Default auto.
	Service string `yaml:"service"`
	// URL is where HolmesGPT answers, scheme://host:port, where it has no Service. Default "": service says.
	URL string `yaml:"url"`
	// APIKeyFile is a file with the key that HolmesGPT wants (HOLMES_API_KEY there). Default "": none.
	APIKeyFile string `yaml:"apiKeyFile"`
}

// Catalog is about the backend types.
type Catalog struct {
	// Dir is a directory with YAML files of the user's own types; a type of the same name replaces the built-in one.
	// Default "": none.
	Dir string `yaml:"dir"`
}

// Tenants that HolmesGPT reads, each as an instance of its own: type, namespace/name of the Service, tenants. For
// gateways that have an API for each tenant, and for Mimir, Loki and Tempo where they want one named. Default {}: those
// that the toolset-tenant annotation names, and the ones that every LokiStack has.
type Tenants map[string]map[string][]string

// Links are the URLs at which people reach backends, which HolmesGPT shows. Those of the toolset-link annotation, and
// of backends, are always known.
type Links struct {
	// From says which objects are read for them, of those that lead to the Services found: ingress, httproute, route.
	// Each needs the right to list and watch them. Outside trustedNamespaces only hosts in security.allowedLinkHosts
	// are taken. Default [].
	From []string `yaml:"from"`
}

// Primary instance of a type, by type: namespace/name of its Service. Default {}: the one recorded, else the
// oldest Service.
type Primary map[string]string

// Credentials that instances take from HolmesGPT's environment: type, namespace/name of the Service, field of the
// toolset's configuration, name of the variable. Default {}: the primary alone, with each type's default names.
type Credentials map[string]map[string]map[string]string

// TLS towards backends.
type TLS struct {
	// CAFile is a PEM file of certificate authorities trusted beside the system's, and read again when it changes.
	// Default "": none.
	CAFile string `yaml:"caFile"`
	// InsecureSkipVerify lists the Services, namespace/name, whose certificate is not checked, neither by the probe nor
	// by HolmesGPT. Default [].
	InsecureSkipVerify []string `yaml:"insecureSkipVerify"`
}

// Security limits what the owners of Services can bring about.
type Security struct {
	// AllowedEndpointHosts are hosts that the toolset-endpoint annotation may name beside the Service's
	// own. Default [].
	AllowedEndpointHosts []string `yaml:"allowedEndpointHosts"`
	// AllowedLinkHosts are hosts that links outside trustedNamespaces may lead to, host:port where it is not the
	// scheme's own port. People trust what HolmesGPT shows: name only hosts below which no stranger can put a page,
	// such as by an Ingress. Default [].
	AllowedLinkHosts []string `yaml:"allowedLinkHosts"`
	// DenyCIDRs are networks that are never connected to, nor through IPv6 addresses that stand for ones in them, and
	// a Service with an address there is rejected; a list given here replaces the default. Default: 0.0.0.0/8,
	// link-local networks and the clouds' metadata addresses.
	DenyCIDRs []netip.Prefix `yaml:"denyCIDRs"`
	// TrustedNamespaces are those whose Services may declare MCP servers, and whose primary may get a reference to a
	// credential. Default [].
	TrustedNamespaces []string `yaml:"trustedNamespaces"`
	// Annotations says whose annotations may add to what the agent is given: all, or trusted. With trusted, Services
	// outside trustedNamespaces may opt out and correct the port, scheme and path of what is proven, but not include
	// APIs of their own, publish anything unproven, or leave a note for the agent. Default all.
	Annotations string `yaml:"annotations"`
	// MaxInstancesPerNamespace is how many backends of one namespace are published, the oldest Services first; trusted
	// namespaces have no limit. At least 1. Default 50.
	MaxInstancesPerNamespace int `yaml:"maxInstancesPerNamespace"`
}

// Server is the API, the page, /healthz and /readyz.
type Server struct {
	// Address to listen on, host:port; without a host all addresses, with auth mode none 127.0.0.1. Default ":8080".
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
	// Names are what clients call the server, DNS names and addresses, beside localhost and this machine's name; mode
	// self-signed only. The chart gives those of the Service. Default [].
	Names []string `yaml:"names"`
}

// Metrics is the listener for /metrics.
type Metrics struct {
	// Address to listen on, host:port. Default ":9090".
	Address string `yaml:"address"`
}

// Auth says who may ask the API.
type Auth struct {
	// Mode: kubernetes (a token, checked by TokenReview and SubjectAccessReview) or none. Default kubernetes.
	Mode string `yaml:"mode"`
}

// LeaderElection among several replicas. LeaseDuration > RenewDeadline > RetryPeriod.
type LeaderElection struct {
	// Enabled: false is for a single replica. Default true.
	Enabled bool `yaml:"enabled"`
	// LeaseName is the name of the Lease in output.namespace. Default dynamic-toolset.
	LeaseName string `yaml:"leaseName"`
	// LeaseDuration is how long a lease that is not renewed is respected. Default 15s.
	LeaseDuration time.Duration `yaml:"leaseDuration"`
	// RenewDeadline is how long the leader tries to renew before it stops to write. Default 10s.
	RenewDeadline time.Duration `yaml:"renewDeadline"`
	// RetryPeriod is the wait between renewals of the lease, and before another try after a failure. Default 2s.
	RetryPeriod time.Duration `yaml:"retryPeriod"`
}

// Shutdown is how the service stops.
type Shutdown struct {
	// Delay between "not ready" and closing the listeners, for load balancers to notice. Default 0s.
	Delay time.Duration `yaml:"delay"`
	// Timeout for requests that still run. Default 30s.
	Timeout time.Duration `yaml:"timeout"`
}

// Log is what is logged, to standard error.
type Log struct {
	// Level: debug, info, warn or error. Default info.
	Level string `yaml:"level"`
	// Format: json or text. Default json.
	Format string `yaml:"format"`
}

// Values of keys that know only a few.
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

// Default is the configuration without a file.
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

// Listen is the address to listen on for one of the configuration: without authentication one that names no host is
// this machine's own alone.
func (c *Config) Listen(address string) string {
	if c.Auth.Mode == AuthNone && strings.HasPrefix(address, ":") {
		return "127.0.0.1" + address
	}
	return address
}
