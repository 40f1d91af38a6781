package cli

import (
	"cmp"
	"net/url"
	"slices"
	"strings"

	"kubernaut.io/dynamic-toolset/internal/backend"
	"kubernaut.io/dynamic-toolset/internal/catalog"
	"kubernaut.io/dynamic-toolset/internal/cluster"
	"kubernaut.io/dynamic-toolset/internal/config"
	"kubernaut.io/dynamic-toolset/internal/detect"
	"kubernaut.io/dynamic-toolset/internal/inventory"
	"kubernaut.io/dynamic-toolset/internal/links"
	"kubernaut.io/dynamic-toolset/internal/probe"
	"kubernaut.io/dynamic-toolset/internal/toolset"
)

// newDetector returns a detector for the catalog. The configuration limits which annotations it accepts.
func newDetector(c *config.Config, types *catalog.Catalog) (*detect.Detector, error) {
	return detect.New(types, detect.Options{
		ClusterDomain:        cmp.Or(c.ClusterDomain, cluster.Domain(cluster.ResolvConf)),
		TrustedNamespaces:    c.Security.TrustedNamespaces,
		OnlyTrusted:          c.Security.Annotations == config.AnnotationsTrusted,
		AllowedEndpointHosts: c.Security.AllowedEndpointHosts,
		AllowedLinkHosts:     c.Security.AllowedLinkHosts,
		Outside:              outside(c),
		Tenants:              byService(c.Tenants),
	})
}

// outside returns the configuration's backends outside the cluster. Their URLs were checked when it was loaded.
func outside(c *config.Config) (list []detect.Outside) {
	for i := range c.Backends {
		b := &c.Backends[i]
		if u, err := url.Parse(b.URL); err == nil {
			list = append(list, detect.Outside{
				Name: b.Name, Type: b.Type, URL: u, Link: b.Link, Headers: b.Headers, Files: b.Files,
			})
		}
	}
	return list
}

// linksFrom returns the kinds of objects that are read for links, and the rule for allowed hosts.
func linksFrom(c *config.Config, d *detect.Detector) links.From {
	return links.From{Kinds: links.Kinds(c.Links.From), Allows: d.AllowsLink}
}

// useOutside adds the configuration's outside backends to its trusted namespaces and credentials, under the namespace
// name that stands for outside. leftOut keeps Services of a real namespace of that name out.
func useOutside(c *config.Config) {
	if len(c.Backends) == 0 {
		return
	}
	c.Security.TrustedNamespaces = append(c.Security.TrustedNamespaces, backend.OutsideNamespace)
	for i := range c.Backends {
		b := &c.Backends[i]
		if len(b.Credentials) == 0 {
			continue
		}
		if c.Credentials == nil {
			c.Credentials = config.Credentials{}
		}
		if c.Credentials[b.Type] == nil {
			c.Credentials[b.Type] = map[string]map[string]string{}
		}
		c.Credentials[b.Type][backend.OutsideNamespace+"/"+b.Name] = b.Credentials
	}
}

// leftOut returns the namespaces that are not read.
func leftOut(c *config.Config, exclude []string) []string {
	if len(c.Backends) > 0 {
		exclude = append(slices.Clone(exclude), backend.OutsideNamespace)
	}
	return exclude
}

// probeOptions returns the configuration's options for the probe.
func probeOptions(c *config.Config) (probe.Options, error) {
	roots, err := authorities(c.TLS.CAFile)
	if err != nil {
		return probe.Options{}, err
	}
	unchecked := refSet(c.TLS.InsecureSkipVerify)
	return probe.Options{
		Timeout: c.Health.Timeout, Tries: c.Health.Tries, Concurrency: c.Health.Concurrency,
		DenyCIDRs: c.Security.DenyCIDRs, RootCAs: roots,
		Insecure: func(r backend.Ref) bool { return unchecked[r] },
	}, nil
}

// inventoryOptions returns the configuration's options for the inventory. OpenShift stays nil if the configuration does
// not set it.
func inventoryOptions(c *config.Config) inventory.Options {
	o := inventory.Options{
		Primary: refs(c.Primary), Credentials: byService(c.Credentials),
		TrustedNamespaces: c.Security.TrustedNamespaces, MaxPerNamespace: c.Security.MaxInstancesPerNamespace,
	}
	if c.HolmesGPT.OpenShift != config.OpenShiftAuto {
		o.OpenShift = func([]*backend.Finding) bool { return c.HolmesGPT.OpenShift == config.OpenShiftTrue }
	}
	return o
}

// toolsetOptions returns the configuration's options for the document.
func toolsetOptions(c *config.Config, types *catalog.Catalog) toolset.Options {
	return toolset.Options{
		Types: types.Types, Baseline: c.HolmesGPT.Baseline,
		GenerationMarker: c.HolmesGPT.GenerationMarker, Formats: c.Output.Formats,
		TrustedNamespaces: c.Security.TrustedNamespaces, Own: c.Output.Keys,
	}
}

// refs parses the NAMESPACE/NAME values of m. They were checked when the configuration was loaded.
func refs(m map[string]string) map[string]backend.Ref {
	out := make(map[string]backend.Ref, len(m))
	for k, v := range m {
		out[k] = ref(v)
	}
	return out
}

// byService parses the NAMESPACE/NAME keys below each type of m.
func byService[V any](m map[string]map[string]V) map[string]map[backend.Ref]V {
	out := make(map[string]map[backend.Ref]V, len(m))
	for typ, instances := range m {
		out[typ] = map[backend.Ref]V{}
		for name, v := range instances {
			out[typ][ref(name)] = v
		}
	}
	return out
}

func refSet(list []string) map[backend.Ref]bool {
	set := make(map[backend.Ref]bool, len(list))
	for _, v := range list {
		set[ref(v)] = true
	}
	return set
}

func ref(v string) backend.Ref {
	namespace, name, _ := strings.Cut(v, "/")
	return backend.Ref{Namespace: namespace, Name: name}
}
