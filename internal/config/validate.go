package config

import (
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"kubernaut.io/dynamic-toolset/internal/yamlfile"
)

// validate reports every value that decodes but makes no sense.
func (c *Config) validate(f *yamlfile.File) {
	v := validator{f}
	v.f.Check("clusterDomain", c.ClusterDomain == "" || isDomain(c.ClusterDomain), "a DNS name such as cluster.local",
		c.ClusterDomain)
	v.discovery(&c.Discovery)
	v.health(&c.Health)
	v.output(&c.Output)
	v.each("holmesgpt.baseline", c.HolmesGPT.Baseline, isToolset, "a toolset's name such as kubernetes/core, without "+
		"dots")
	v.oneOf("holmesgpt.openshift", c.HolmesGPT.OpenShift, OpenShiftAuto, OpenShiftTrue, OpenShiftFalse)
	v.agent(&c.HolmesGPT)
	v.eachOf("links.from", c.Links.From, LinkIngress, LinkHTTPRoute, LinkRoute)
	v.primary(c.Primary)
	v.credentials(c.Credentials)
	v.tenants(c.Tenants)
	v.types(c)
	v.typeSettings(c.Types)
	v.backends(c)
	v.each("tls.insecureSkipVerify", c.TLS.InsecureSkipVerify, isRef, "namespace/name of a Service")
	v.security(&c.Security)
	v.server(c)
	v.oneOf("auth.mode", c.Auth.Mode, AuthKubernetes, AuthNone)
	v.leaderElection(&c.LeaderElection)
	v.notNegative("shutdown.delay", c.Shutdown.Delay)
	v.positive("shutdown.timeout", c.Shutdown.Timeout)
	v.oneOf("log.level", c.Log.Level, "debug", "info", "warn", "error")
	v.oneOf("log.format", c.Log.Format, "json", "text")
}

type validator struct{ f *yamlfile.File }

func (v validator) discovery(d *Discovery) {
	v.each("discovery.namespaces", d.Namespaces, isLabel, "a namespace's name")
	v.each("discovery.excludeNamespaces", d.ExcludeNamespaces, isLabel, "a namespace's name")
	for i, n := range d.ExcludeNamespaces {
		if slices.Contains(d.Namespaces, n) {
			v.f.At(yamlfile.Index("discovery.excludeNamespaces", i), "%s is in discovery.namespaces too; expected it "+
				"in one of them",
				yamlfile.Quote(n))
		}
	}
	v.positive("discovery.interval", d.Interval)
	v.notNegative("discovery.settle", d.Settle)
}

func (v validator) health(h *Health) {
	v.positive("health.interval", h.Interval)
	v.positive("health.timeout", h.Timeout)
	v.atLeastOne("health.tries", h.Tries)
	v.atLeastOne("health.failureThreshold", h.FailureThreshold)
	v.atLeastOne("health.concurrency", h.Concurrency)
}

func (v validator) output(o *Output) {
	v.f.Check("output.namespace", isLabel(o.Namespace), "a namespace's name", o.Namespace)
	v.f.Check("output.configMap", isDomain(o.ConfigMap), "a ConfigMap's name", o.ConfigMap)
	if len(o.Formats) == 0 {
		v.f.At("output.formats", "expected holmesgpt, compact or both, found an empty list")
	}
	v.eachOf("output.formats", o.Formats, FormatHolmesGPT, FormatCompact)
	v.positive("output.resync", o.Resync)
}

func (v validator) agent(h *HolmesGPT) {
	v.f.Check("holmesgpt.service", h.Service == ServiceAuto || h.Service == ServiceOff || isServicePort(h.Service),
		"auto, off, namespace/name or namespace/name:port", h.Service)
	v.f.Check("holmesgpt.url", h.URL == "" || isOrigin(h.URL), "scheme://host:port without a path, such as "+
		"http://127.0.0.1:5050", h.URL)
	if h.URL != "" && h.Service != ServiceAuto {
		v.f.At("holmesgpt.url", "expected nothing, since holmesgpt.service is %s; one of the two says where "+
			"HolmesGPT is", yamlfile.Quote(h.Service))
	}
}

// isServicePort accepts namespace/name of a Service, with or without one of its ports.
func isServicePort(s string) bool {
	ref, port, has := strings.Cut(s, ":")
	return isRef(ref) && (!has || isPort(port))
}

func isPort(s string) bool {
	number, err := strconv.ParseUint(s, 10, 16)
	return err == nil && number > 0
}

// isOrigin accepts a URL with only scheme, host and port.
func isOrigin(s string) bool {
	u, ok := parseURL(s)
	return ok && strings.Trim(u.Path, "/") == ""
}

func (v validator) primary(p Primary) {
	for _, typ := range sorted(p) {
		path := yamlfile.Key("primary", typ)
		v.f.Check(path, isLabel(typ), "a backend type's name as the key", typ)
		v.f.Check(path, isRef(p[typ]), "namespace/name of a Service", p[typ])
	}
}

func (v validator) credentials(c Credentials) {
	for _, typ := range sorted(c) {
		byType := yamlfile.Key("credentials", typ)
		v.f.Check(byType, isLabel(typ), "a backend type's name as the key", typ)
		for _, ref := range sorted(c[typ]) {
			byRef := yamlfile.Key(byType, ref)
			v.f.Check(byRef, isRef(ref), "namespace/name of a Service as the key", ref)
			if len(c[typ][ref]) == 0 {
				v.f.At(byRef, "expected field: VARIABLE, e.g. api_key: GRAFANA_API_KEY, found nothing")
			}
			v.variables(byRef, c[typ][ref])
		}
	}
}

// variables checks the variables of credentials by field.
func (v validator) variables(at string, byField map[string]string) {
	for _, field := range sorted(byField) {
		path := yamlfile.Key(at, field)
		v.f.Check(path, isField(field), "a field's name such as api_key as the key", field)
		v.f.Check(path, isVariable(byField[field]),
			"the name of an environment variable (capitals, digits and _), not its value", byField[field])
	}
}

func (v validator) security(s *Security) {
	v.each("security.allowedEndpointHosts", s.AllowedEndpointHosts, isHost,
		"a host name or an address, without scheme and port")
	v.each("security.allowedLinkHosts", s.AllowedLinkHosts, isLinkHost,
		"a host name or an address without scheme, with a port only if it is neither 443 nor 80")
	v.each("security.trustedNamespaces", s.TrustedNamespaces, isLabel, "a namespace's name")
	v.oneOf("security.annotations", s.Annotations, AnnotationsAll, AnnotationsTrusted)
	v.atLeastOne("security.maxInstancesPerNamespace", s.MaxInstancesPerNamespace)
	for i, p := range s.DenyCIDRs {
		at := yamlfile.Index("security.denyCIDRs", i)
		if p.IsValid() && p != p.Masked() { // an invalid one did not decode, which is reported
			v.f.At(at, "expected a network, found an address in one; %s is the network", p.Masked())
		}
	}
}

func (v validator) server(c *Config) {
	const expected = "host:port or :port"
	v.f.Check("server.address", isAddress(c.Server.Address), expected, c.Server.Address)
	v.f.Check("metrics.address", isAddress(c.Metrics.Address), expected, c.Metrics.Address)
	if _, port, err := net.SplitHostPort(c.Server.Address); err == nil && port != "0" &&
		c.Server.Address == c.Metrics.Address {
		v.f.At("metrics.address", "expected another address than server.address, found %s for both",
			yamlfile.Quote(c.Metrics.Address))
	}
	t := &c.Server.TLS
	v.oneOf("server.tls.mode", t.Mode, TLSOff, TLSSelfSigned, TLSFiles)
	v.each("server.tls.names", t.Names, isHost, "a host name or an address, without scheme and port")
	if t.Mode != TLSSelfSigned && len(t.Names) > 0 {
		v.f.At("server.tls.names", "expected nothing, since server.tls.mode is %s; it is for mode self-signed",
			yamlfile.Quote(t.Mode))
	}
	files := []struct{ path, value string }{{"server.tls.certFile", t.CertFile}, {"server.tls.keyFile", t.KeyFile}}
	for _, file := range files {
		switch {
		case t.Mode == TLSFiles && file.value == "":
			v.f.At(file.path, "expected a PEM file, which mode files needs, found nothing")
		case t.Mode != TLSFiles && file.value != "":
			v.f.At(file.path, "expected nothing, since server.tls.mode is %s; it is for mode files",
				yamlfile.Quote(t.Mode))
		}
	}
}

func (v validator) leaderElection(l *LeaderElection) {
	v.f.Check("leaderElection.leaseName", isDomain(l.LeaseName), "a Lease's name", l.LeaseName)
	v.positive("leaderElection.renewDeadline", l.RenewDeadline)
	v.positive("leaderElection.retryPeriod", l.RetryPeriod)
	const shortest, longest = 2 * time.Second, 24 * time.Hour
	lease := l.LeaseDuration.Truncate(time.Second)
	// The leader renews after up to 1.2 retry periods, and stops leading a second before the end of its lease.
	term := min(l.RenewDeadline, lease-time.Second)
	switch {
	case lease < shortest || lease > longest:
		v.f.At("leaderElection.leaseDuration", "expected a duration from 2s to 24h, found %s", l.LeaseDuration)
	case l.RenewDeadline >= lease:
		v.f.At("leaderElection.renewDeadline", "expected less than leaseDuration (%s), found %s", lease,
			l.RenewDeadline)
	case term > 0 && l.RetryPeriod*6/5 >= term:
		v.f.At("leaderElection.retryPeriod",
			"expected less than %s (five sixths of renewDeadline, and of leaseDuration less a second), found %s",
			(term * 5 / 6).Truncate(time.Millisecond), l.RetryPeriod)
	}
}

// each checks each item of a list, and that the list has no item twice.
func (v validator) each(path string, items []string, ok func(string) bool, expected string) {
	seen := map[string]bool{}
	for i, s := range items {
		at := yamlfile.Index(path, i)
		v.f.Check(at, ok(s), expected, s)
		if seen[s] {
			v.f.At(at, "%s is in the list twice", yamlfile.Quote(s))
		}
		seen[s] = true
	}
}

// eachOf checks that the items of a list are known.
func (v validator) eachOf(path string, items []string, known ...string) {
	v.each(path, items, func(s string) bool { return slices.Contains(known, s) }, alternatives(known))
}

func (v validator) oneOf(path, found string, known ...string) {
	v.f.Check(path, slices.Contains(known, found), alternatives(known), found)
}

func alternatives(known []string) string {
	last := len(known) - 1
	return strings.Join(known[:last], ", ") + " or " + known[last]
}

func (v validator) positive(path string, d time.Duration) {
	v.f.Check(path, d > 0, "a duration above 0s", d.String())
}

func (v validator) notNegative(path string, d time.Duration) {
	v.f.Check(path, d >= 0, "0s or more", d.String())
}

func (v validator) atLeastOne(path string, n int) {
	v.f.Check(path, n >= 1, "1 or more", strconv.Itoa(n))
}

// isLinkHost accepts host and host:port.
func isLinkHost(s string) bool {
	host, port, err := net.SplitHostPort(s)
	return isHost(s) || err == nil && isHost(host) && isPort(port) && port != "443" && port != "80"
}

// isAddress accepts host:port and :port, with port 0 for any free port.
func isAddress(s string) bool {
	host, port, err := net.SplitHostPort(s)
	return err == nil && (port == "0" || isPort(port)) && (host == "" || isHost(host))
}

func isHost(s string) bool {
	_, err := netip.ParseAddr(s)
	return err == nil || isDomain(s)
}
