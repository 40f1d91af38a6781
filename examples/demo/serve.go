package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"time"

	"github.com/aymanbagabas/go-udiff"

	"kubernaut.io/dynamic-toolset/test/standin"
)

// demo is one run.
type demo struct {
	mu               sync.Mutex // of out
	out              io.Writer
	dir              string
	services, output string // the file with the Services, the folder with the documents
	page             string // host:port
	holmes           string // URL of what stands for HolmesGPT
	outside          string // URL of a Prometheus that is no Service
}

const document = "custom_toolset.yaml"

func (d *demo) say(format string, args ...any) {
	d.mu.Lock()
	defer d.mu.Unlock()
	_, _ = fmt.Fprintf(d.out, format+"\n", args...)
}

// introduce tells what there is to see.
func (d *demo) introduce() {
	d.say("A cluster of stand-ins: these answer on this machine as the real products do.")
	d.say("")
	for _, w := range workloads() {
		d.say("  %-36s %-16s %s", w.namespace+"/"+w.name, w.kind, w.story)
	}
	d.say("  %-36s %-16s %s", "outside/managed", standin.Prometheus, "no Service: a backend outside the cluster, which the configuration names")
	d.say("")
	d.say("The page is at   http://%s/", d.page)
	d.say("                 its head shows which document HolmesGPT (here a stand-in) has, and why it cannot use Grafana")
	d.say("The Services     %s", d.services)
	d.say("What is written  %s", d.output)
	d.say("")
	d.say("Try, in another terminal:")
	d.say("  curl -s 'http://%s/api/v1/services?verdict=rejected'", d.page)
	d.say("  curl -s 'http://%s/api/v1/services/team-b/web'            # why was it not chosen?", d.page)
	d.say("  curl -s 'http://%s/api/v1/agent'                             # what has HolmesGPT loaded?", d.page)
	d.say("  cat %s        # the same inventory for Grafana", filepath.Join(d.output, "grafana-datasources.yaml"))
	d.say("  rm %s                                  # it is back at once", filepath.Join(d.output, document))
	d.say("  echo 'toolsets: {kubernetes/logs: null}' > %s   # your overrides win", filepath.Join(d.output, "overrides.yaml"))
	d.say("  $EDITOR %s                                # take a Service out, or annotate one", d.services)
	d.say("")
	d.say("Ctrl-C ends all of it.")
}

// serve runs the program and shows what it writes, until ctx ends. The error is about the program.
func (d *demo) serve(ctx context.Context, binary string) error {
	log, err := os.Create(filepath.Join(d.dir, "log"))
	if err != nil {
		return fmt.Errorf("a file for the log: %w", err)
	}
	defer log.Close()
	cmd := exec.CommandContext(ctx, binary, "serve", "-f", d.services, "--out", d.output, //nolint:gosec // the person's own choice
		"--set", "server.address="+d.page, "--set", "metrics.address=127.0.0.1:0", "--set", "log.format=text",
		"--set", "health.interval=2s", "--set", "health.tries=1", "--set", "holmesgpt.url="+d.holmes,
		"--set", "backends=[{name: managed, type: prometheus, url: "+d.outside+"}]", "--set", "security.allowedLinkHosts=["+linkHost+"]",
		"--set", "primary={prometheus: monitoring/prometheus-server}",
		// What Grafana reads of the same inventory is written beside HolmesGPT's document.
		"--set", "output.keys={grafana-datasources.yaml: {apiVersion: 1, datasources: "+
			"[{for: prometheus, name: Prometheus $(name), type: prometheus, access: proxy, url: $(url)}]}}",
		// These get their keys because the configuration says so, and no other Grafana does.
		"--set", "credentials.grafana={monitoring/grafana: {api_key: GRAFANA_API_KEY}}",
		"--set", "credentials.elasticsearch={logging/elasticsearch-master: {api_key: ELASTICSEARCH_API_KEY}}")
	cmd.Stdout, cmd.Stderr = log, log
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // Ctrl-C would reach it too, and a second signal ends it at once
	cmd.WaitDelay = 20 * time.Second
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("%s: %w; make build makes it", binary, err)
	}
	watching, stop := context.WithCancel(ctx)
	var shown sync.WaitGroup
	shown.Go(func() { d.follow(watching) })
	shown.Go(func() { d.show(watching) })
	err = cmd.Wait()
	stop()
	shown.Wait()
	switch {
	case ctx.Err() != nil && (err == nil || errors.Is(err, ctx.Err())):
		d.say("\nStopped.")
		return nil
	case err == nil:
		err = errors.New("it ended by itself")
	}
	text, _ := os.ReadFile(log.Name()) // what there is of it
	return fmt.Errorf("%s: %w; its log:\n%s", binary, err, text)
}

// show prints the document when it changes: in full at first, then what is different.
func (d *demo) show(ctx context.Context) {
	const settled = time.Second // what is found at the start is one document, not ten
	tick := time.NewTicker(200 * time.Millisecond)
	defer tick.Stop()
	var last, pending string
	var since time.Time
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		text, err := os.ReadFile(filepath.Join(d.output, document))
		if err != nil {
			continue // not written yet, or somebody tries what happens when it is deleted
		}
		now := string(text)
		if now != pending {
			pending, since = now, time.Now()
		}
		if now == last || time.Since(since) < settled {
			continue
		}
		if last == "" {
			d.say("\n%s  %s is written:\n\n%s", time.Now().Format(time.TimeOnly), document, now)
		} else {
			d.say("\n%s  %s is written anew:\n\n%s", time.Now().Format(time.TimeOnly), document, udiff.Unified("before", "now", last, now))
		}
		last = now
	}
}
