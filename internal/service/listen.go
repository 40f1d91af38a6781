package service

import (
	"net/http"

	"kubernaut.io/dynamic-toolset/internal/lifecycle"
	"kubernaut.io/dynamic-toolset/internal/metrics"
)

// listen prepares what is served: the API, the page and the probes at one address, the metrics at another.
func (s *service) listen(meter *metrics.Metrics) error {
	c := s.options.Config
	api, scrape := http.NewServeMux(), http.NewServeMux()
	s.probes.Register(api)
	scrape.Handle("/metrics", meter.Handler(s.log))
	s.servers = []*lifecycle.Server{
		{Name: "api", Key: "server.address", Addr: c.Listen(c.Server.Address), Handler: api, Log: s.log},
		{Name: "metrics", Key: "metrics.address", Addr: c.Listen(c.Metrics.Address), Handler: scrape, Log: s.log},
	}
	return nil
}
