package cli

import (
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"strings"

	"kubernaut.io/dynamic-toolset/internal/config"
	"kubernaut.io/dynamic-toolset/internal/server"
	"kubernaut.io/dynamic-toolset/internal/toolset"
)

// listen prepares the listeners: one for the API, the page and the health endpoints, one for the metrics.
func (s *service) listen(meter *server.Metrics) error {
	o := &s.options
	who, err := authorizer(o, s.log)
	if err != nil {
		return err
	}
	answers, err := server.New(server.Options{
		State: s.controller, Services: s.runtime.source, SourceErr: s.runtime.source.Err, Overrides: s.overrides,
		Catalog: o.Catalog, Detector: o.Detector, History: s.history,
		Primary: o.Inventory.Primary, TrustedNamespaces: o.Inventory.TrustedNamespaces,
		Namespace:  o.Config.Output.Namespace,
		Authorizer: who, Metrics: meter, Log: s.log,
		Version: o.Version, Target: s.runtime.target, Standalone: o.Files != nil, Directory: o.Directory != nil,
		Stopping: s.probes.Stopping(), Agent: s.agent,
	})
	if err != nil {
		return fmt.Errorf("HTTP API: %w", err)
	}
	page, err := server.Page()
	if err != nil {
		return err
	}
	rest := http.NewServeMux()
	s.probes.Register(rest)
	rest.Handle("/", page)
	scrape := http.NewServeMux()
	scrape.Handle("/metrics", server.ByPath(who, meter.Handler(s.log)))

	c := o.Config
	s.servers = []*server.Listener{
		{
			Name: "api", Key: "server.address", Addr: c.Listen(c.Server.Address),
			Handler: ownHost(c, answers.Handler(rest)), Log: s.log,
		},
		{
			Name: "metrics", Key: "metrics.address", Addr: c.Listen(c.Metrics.Address),
			Handler: scrape, Log: s.log,
		},
	}
	shared, err := server.TLS(c.Server.TLS, s.log)
	if err != nil {
		return err
	}
	for _, l := range s.servers {
		l.TLS = shared.Clone() // each listener changes its own copy; nil stays nil
	}
	if c.Auth.Mode == config.AuthKubernetes && c.Server.TLS.Mode == config.TLSOff {
		s.log.Warn("tokens sent without TLS",
			"address", c.Server.Address, "advice", "set server.tls.mode to self-signed or files")
	}
	return nil
}

// overrides returns the admin's current overrides as text.
func (s *service) overrides() string {
	if live := s.runtime.output.Live(); live != nil {
		return live.Data[toolset.KeyOverrides]
	}
	return ""
}

// authorizer returns the rule that decides who may send requests.
func authorizer(o *serviceOptions, log *slog.Logger) (server.Authorizer, error) {
	if o.Config.Auth.Mode == config.AuthNone {
		return server.Anyone{}, nil
	}
	return server.ReviewerFor(o.Cluster, server.ReviewOptions{Namespace: o.Config.Output.Namespace, Log: log})
}

// ownHost refuses requests for another host if there is no authentication and the listener is on loopback. It prevents
// DNS rebinding, with which a page of another site could send requests here.
func ownHost(c *config.Config, next http.Handler) http.Handler {
	host, _, err := net.SplitHostPort(c.Listen(c.Server.Address))
	ip, parseErr := netip.ParseAddr(host)
	if c.Auth.Mode != config.AuthNone || err != nil || parseErr != nil || !ip.IsLoopback() {
		return next
	}
	return server.ByHost(func(name string) bool {
		if h, _, err := net.SplitHostPort(name); err == nil {
			name = h
		}
		_, err := netip.ParseAddr(strings.Trim(name, "[]"))
		return err == nil || name == "localhost"
	}, "this service has no authentication and serves only this machine: use localhost or an address as the host", next)
}
