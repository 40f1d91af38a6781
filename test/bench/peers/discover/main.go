// Command discover runs only Prometheus's own Kubernetes service discovery for Services, which is how a Prometheus finds the
// same Services. It neither probes nor writes.
package main

import (
	"context"
	"flag"
	"fmt"
	"log/slog"
	"os"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/common/config"
	"github.com/prometheus/prometheus/discovery"
	"github.com/prometheus/prometheus/discovery/kubernetes"
	"github.com/prometheus/prometheus/discovery/targetgroup"

	"kubernaut.io/dynamic-toolset/test/bench/peers/connect"
)

func main() { os.Exit(connect.Main(run)) } //nolint:forbidigo // this is main

func run(ctx context.Context) error {
	kubeconfig := connect.Kubeconfig()
	wanted := flag.Int("services", 0, "how many there are: it says so when it knows them all")
	flag.Parse()
	sd := kubernetes.DefaultSDConfig
	sd.Role, sd.KubeConfig, sd.HTTPClientConfig = kubernetes.RoleService, *kubeconfig, config.DefaultHTTPClientConfig
	registry := prometheus.NewRegistry()
	refresh := discovery.NewRefreshMetrics(registry)
	metrics := sd.NewDiscovererMetrics(registry, refresh)
	if err := metrics.Register(); err != nil {
		return fmt.Errorf("metrics: %w", err)
	}
	d, err := sd.NewDiscoverer(discovery.DiscovererOptions{
		Logger: slog.New(slog.NewTextHandler(os.Stderr, nil)), Metrics: metrics, SetName: "services",
	})
	if err != nil {
		return fmt.Errorf("service discovery: %w", err)
	}
	updates := make(chan []*targetgroup.Group)
	go d.Run(ctx, updates)
	known := map[string]*targetgroup.Group{} // as the manager of a Prometheus keeps them
	for said := false; ; {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case groups := <-updates:
			for _, g := range groups {
				if g != nil {
					known[g.Source] = g
				}
			}
			if !said && len(known) >= *wanted {
				said = true
				connect.Say("knows %d", len(known))
			}
		}
	}
}
