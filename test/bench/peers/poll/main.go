// Command poll does the service's job the way such services are usually written: at an interval it lists all Services, checks
// one after the other, probes those that look like a backend one after the other, and updates the ConfigMap.
package main

import (
	"context"
	"flag"
	"fmt"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"

	"kubernaut.io/dynamic-toolset/test/bench/peers/connect"
)

func main() { os.Exit(connect.Main(run)) } //nolint:forbidigo // this is main

// poller is what a cycle needs.
type poller struct {
	client          *kubernetes.Clientset
	http            *http.Client
	namespace, name string
}

func run(ctx context.Context) error {
	kubeconfig := connect.Kubeconfig()
	namespace := flag.String("namespace", "", "of the ConfigMap")
	name := flag.String("name", "", "of the ConfigMap")
	interval := flag.Duration("interval", 30*time.Second, "between two cycles")
	flag.Parse()
	client, err := connect.Client(*kubeconfig)
	if err != nil {
		return err
	}
	p := &poller{client: client, http: &http.Client{Timeout: 5 * time.Second}, namespace: *namespace, name: *name}
	tick := time.NewTicker(*interval)
	defer tick.Stop()
	for {
		if err := p.cycle(ctx); err != nil && ctx.Err() == nil {
			fmt.Fprintln(os.Stderr, err) // and tries again, as they do
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
	}
}

func (p *poller) cycle(ctx context.Context) error {
	list, err := p.client.CoreV1().Services("").List(ctx, metav1.ListOptions{})
	if err != nil {
		return fmt.Errorf("listing Services: %w", err)
	}
	toolsets := map[string]*strings.Builder{}
	for i := range list.Items {
		s := &list.Items[i]
		for _, d := range detectors() {
			port, ok := d.matches(s)
			if !ok || !p.healthy(ctx, s, port, d.health) {
				continue
			}
			if toolsets[d.name] == nil {
				toolsets[d.name] = new(strings.Builder)
				fmt.Fprintf(toolsets[d.name], "toolset: %s\nenabled: true\nconfig:\n  instances:\n", d.name)
			}
			fmt.Fprintf(toolsets[d.name], "  - {name: %s/%s, url: \"http://%s.%s.svc.cluster.local:%d\"}\n", s.Namespace, s.Name, s.Name, s.Namespace, port)
			break
		}
	}
	data := map[string]string{}
	for name, text := range toolsets {
		data[name+"-toolset.yaml"] = text.String()
	}
	return p.update(ctx, data)
}

// detector is how a kind of backend is recognised.
type detector struct {
	name, label string
	port        int32
	health      string
}

func detectors() []detector {
	return []detector{
		{"prometheus", "prometheus", 9090, "/-/healthy"},
		{"grafana", "grafana", 3000, "/api/health"},
		{"jaeger", "jaeger", 16686, "/"},
		{"elasticsearch", "elasticsearch", 9200, "/_cluster/health"},
	}
}

func (d *detector) matches(s *corev1.Service) (port int32, ok bool) {
	if len(s.Spec.Ports) == 0 {
		return 0, false
	}
	port = s.Spec.Ports[0].Port
	if s.Labels["app"] == d.label || s.Labels["app.kubernetes.io/name"] == d.label || strings.Contains(strings.ToLower(s.Name), d.label) {
		return port, true
	}
	for _, p := range s.Spec.Ports {
		if p.Port == d.port {
			return p.Port, true
		}
	}
	return 0, false
}

func (p *poller) healthy(ctx context.Context, s *corev1.Service, port int32, path string) bool {
	url := "http://" + net.JoinHostPort(s.Spec.ClusterIP, strconv.Itoa(int(port))) + path
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
	if err != nil {
		return false
	}
	answer, err := p.http.Do(r)
	if err != nil {
		return false
	}
	defer func() { _ = answer.Body.Close() }()
	return answer.StatusCode == http.StatusOK
}

// update writes whether or not anything has changed.
func (p *poller) update(ctx context.Context, data map[string]string) error {
	maps := p.client.CoreV1().ConfigMaps(p.namespace)
	cm, err := maps.Get(ctx, p.name, metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		_, err = maps.Create(ctx, &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: p.name}, Data: data}, metav1.CreateOptions{})
	} else if err == nil {
		cm.Data = data
		cm.Annotations = map[string]string{"last-updated": time.Now().Format(time.RFC3339Nano)}
		_, err = maps.Update(ctx, cm, metav1.UpdateOptions{})
	}
	if err != nil {
		return fmt.Errorf("writing the ConfigMap: %w", err)
	}
	connect.Say("written")
	return nil
}
