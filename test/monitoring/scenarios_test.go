//go:build monitoring

package monitoring

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"kubernaut.io/dynamic-toolset/test/program"
)

// drives has an alert fire by one thing and clear by another.
func (b *bench) drives(t *testing.T, name string, fire, mend func()) {
	t.Helper()
	all, err := b.firing(t, first)
	check(t, err)
	if _, early := all[name]; early {
		t.Fatalf("%s fires before anything was done", name)
	}
	fire()
	b.fires(t, first, name)
	mend()
	b.clears(t, first, name)
	b.driven = append(b.driven, name)
}

// lint: promtool is the judge of names, units and help texts. Every name is fixed by contract; none needs an exception.
func (b *bench) lint(t *testing.T) {
	body, err := ask(t, "GET", "http://"+b.service.metrics+"/metrics", nil)
	check(t, err)
	if out := command(t, string(body), "promtool", "check", "metrics"); strings.TrimSpace(out) != "" {
		t.Errorf("%s", out)
	}
}

// quiet: a healthy service stays silent, for longer than the alerts wait here.
func (b *bench) quiet(t *testing.T) {
	program.Eventually(t, "all is quiet", func() error {
		all, err := b.firing(t, first)
		if err == nil && len(all) > 0 {
			err = fmt.Errorf("%v", all)
		}
		return err
	})
	end := time.After(5 * time.Second)
	tick := time.NewTicker(200 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-end:
			return
		case <-tick.C:
			if all, err := b.firing(t, first); err != nil || len(all) > 0 {
				t.Fatalf("firing: %v, %v", all, err)
			}
		}
	}
}

func (b *bench) backendUnavailable(t *testing.T) {
	b.drives(t, "DynamicToolsetBackendUnavailable", func() { b.jaeger.SetReady(false) }, func() { b.jaeger.SetReady(true) })
}

// agentToolsetFailed: a toolset wants a variable that HolmesGPT does not have, and then gets.
func (b *bench) agentToolsetFailed(t *testing.T) {
	mine := b.overrides(t, "toolsets:\n  mine: {type: http, enabled: true, description: \"{{ env.MINE }}\", config: {endpoints: [{hosts: [h], paths: [\"/\"], methods: [GET]}]}}\n")
	b.drives(t, "DynamicToolsetAgentToolsetFailed", mine, b.overrides(t, ""))
}

// agentStale: its mount keeps what it had.
func (b *bench) agentStale(t *testing.T) {
	b.drives(t, "DynamicToolsetAgentStale", func() {
		b.holmes.Freeze(true)
		b.overrides(t, "toolsets:\n  mine: {enabled: true}\n")()
	}, func() {
		b.holmes.Freeze(false)
		b.overrides(t, "")()
	})
}

func (b *bench) overrides(t *testing.T, text string) func() {
	t.Helper()
	return func() { write(t, filepath.Join(b.service.out, "overrides.yaml"), text) }
}

func (b *bench) overridesInvalid(t *testing.T) {
	b.drives(t, "DynamicToolsetOverridesInvalid", b.overrides(t, "toolsets: ["), b.overrides(t, ""))
}

func (b *bench) large(t *testing.T) {
	text := "toolsets:\n  mine: {enabled: true, description: " + strings.Repeat("long ", 50<<10) + "}\n"
	b.drives(t, "DynamicToolsetConfigMapLarge", b.overrides(t, text), b.overrides(t, ""))
}

// absent: the process is gone. What it left is taken over by the next one.
func (b *bench) absent(t *testing.T) {
	b.drives(t, "DynamicToolsetAbsent", b.service.Kill, func() { b.service.start(b.whole) })
}

// drift: a file is written over again each time that it is put right.
func (b *bench) drift(t *testing.T) {
	const document = "custom_toolset.yaml"
	path := filepath.Join(b.service.out, document)
	change := func() {
		for range 8 {
			program.Eventually(t, "it is right", func() error {
				text, err := os.ReadFile(path)
				if err == nil && !strings.Contains(string(text), "monitoring/prometheus") {
					err = errors.New(string(text))
				}
				return err
			})
			write(t, path, "theirs")
		}
	}
	b.drives(t, "DynamicToolsetDriftRepeated", change, func() {
		b.passes(t, 16*time.Minute, `dynamictoolset_configmap_drift_detected_total{namespace="`+first+`"}`)
	})
}

// publishFailing: a file stands where the directory was, which can then neither be written nor read.
func (b *bench) publishFailing(t *testing.T) {
	moved := b.service.out + ".moved"
	b.drives(t, "DynamicToolsetPublishFailing", func() {
		check(t, os.Rename(b.service.out, moved))
		write(t, b.service.out, "in the way")
		program.Eventually(t, "it fails", func() error {
			if !strings.Contains(b.service.Text(t), "ConfigMap not published") {
				return errors.New("it does not say so")
			}
			return nil
		})
		// The alert waits until the last success is five minutes ago.
		b.passes(t, 6*time.Minute, `dynamictoolset_configmap_reconcile_total{namespace="`+first+`"}`)
	}, func() {
		check(t, os.Remove(b.service.out))
		check(t, os.Rename(moved, b.service.out))
	})
	b.fires(t, first, "DynamicToolsetDiscoveryFailing")
	b.passes(t, 6*time.Minute, `dynamictoolset_reconciliation_errors_total{namespace="`+first+`"}`)
	b.clears(t, first, "DynamicToolsetDiscoveryFailing")
}

// noAPIServer: a replica that reaches none neither leads nor sees Services. Then one that works takes its place.
func (b *bench) noAPIServer(t *testing.T) {
	alerts := []string{"DynamicToolsetNoLeader", "DynamicToolsetDiscoveryFailing"}
	for _, name := range alerts {
		b.fires(t, second, name)
	}
	b.lost.Kill()
	b.other.start(b.whole)
	b.clears(t, second, "DynamicToolsetNoLeader")
	b.passes(t, 6*time.Minute, `dynamictoolset_reconciliation_errors_total{namespace="`+second+`"}`)
	b.clears(t, second, "DynamicToolsetDiscoveryFailing")
	b.driven = append(b.driven, alerts...)
}

// dashboard: each expression has had numbers, and what the service is asked is told by route.
func (b *bench) dashboard(t *testing.T) {
	api := b.service.api(t)
	bad := strings.Replace(b.services, "metadata: {", `metadata: {annotations: {kubernaut.io/toolset: "true", kubernaut.io/toolset-type: jaeger, kubernaut.io/toolset-port: none-such}, `, 1)
	write(t, b.service.services, bad)
	b.jaeger.SetReady(false)
	for _, p := range b.panels {
		for _, target := range p.Targets {
			t.Run(p.Title, func(t *testing.T) { b.panel(t, api, target.Expr) })
		}
	}
	b.jaeger.SetReady(true)
	write(t, b.service.services, b.services)
	program.Eventually(t, "requests are told by route", func() error {
		list, err := b.seen(t, expand(`sum by (endpoint, code) (rate(dynamictoolset_http_requests_total{namespace=~"$namespace"}[$__rate_interval]))`))
		if err == nil && !slices.ContainsFunc(list, func(s series) bool { return strings.Contains(s.Metric["endpoint"], "/api/") }) {
			err = fmt.Errorf("the series have the labels %v", labels(list))
		}
		return err
	})
}

func (b *bench) panel(t *testing.T, api, expression string) {
	t.Helper()
	program.Eventually(t, expression, func() error {
		if _, err := ask(t, "GET", api+"/api/v1/status", nil); err != nil {
			return err
		}
		list, err := b.seen(t, expand(expression))
		if err == nil && len(list) == 0 {
			err = errors.New("no data")
		}
		return err
	})
}

// expand puts in what Grafana does: all namespaces, and four scrapes as the interval of rates.
func expand(expression string) string {
	return strings.NewReplacer("$__rate_interval", "4s", "$namespace", ".*").Replace(expression)
}

func labels(list []series) []map[string]string {
	all := make([]map[string]string, len(list))
	for i, s := range list {
		all[i] = s.Metric
	}
	return all
}
