//go:build holmes

package holmes

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"kubernaut.io/dynamic-toolset/test/standin"
)

// service is a Service of an example cluster with the stand-in that answers at its ClusterIP.
type service struct {
	namespace, name string
	labels          map[string]string
	annotations     map[string]string
	port            string // its name
	target          int    // what the pods listen on: the software's own number
	created         string // a day, for the primary; "" is "2026-01-01"
	kind            standin.Kind
	opts            standin.Options
	tls             bool
	backend         *standin.Backend // the stand-in, for who looks at what it was asked; nil makes one
}

// cluster starts a stand-in for each Service and writes the Services as kubectl shows them. The ClusterIPs are loopback
// addresses, so that the unmodified binary reaches them; hosts leads HolmesGPT from their names to the same places.
func cluster(t *testing.T, services ...service) (file string, hosts map[string]string) {
	t.Helper()
	hosts = map[string]string{}
	items := []any{map[string]any{
		"apiVersion": "v1", "kind": "Service",
		"metadata": map[string]any{"name": "kubernetes", "namespace": "default"},
		"spec":     map[string]any{"clusterIP": "10.96.0.1", "ports": []any{map[string]any{"name": "https", "port": 443}}},
	}}
	for _, s := range services {
		name := s.name + "." + s.namespace + ".svc.cluster.local"
		var addr string
		switch {
		case s.backend != nil:
			addr = startBackend(t, s.backend)
		case s.tls:
			addr = startTLS(t, s.kind, s.opts, name).Addr
		default:
			addr = start(t, s.kind, s.opts)
		}
		ip, number, _ := strings.Cut(addr, ":")
		port, err := strconv.Atoi(number)
		must(t, err)
		hosts[name+":"+number] = addr
		day := s.created
		if day == "" {
			day = "2026-01-01"
		}
		items = append(items, map[string]any{
			"apiVersion": "v1", "kind": "Service",
			"metadata": map[string]any{
				"name": s.name, "namespace": s.namespace, "labels": s.labels, "annotations": s.annotations,
				"creationTimestamp": day + "T00:00:00Z",
			},
			"spec": map[string]any{
				"clusterIP": ip, "selector": map[string]any{"pod": s.name},
				"ports": []any{map[string]any{"name": s.port, "port": port, "targetPort": s.target}},
			},
		})
	}
	data, err := json.Marshal(map[string]any{"apiVersion": "v1", "kind": "List", "items": items})
	must(t, err)
	file = filepath.Join(t.TempDir(), "cluster.json")
	must(t, os.WriteFile(file, data, 0o600))
	return file, hosts
}

// generate runs the binary as a user would and returns the document and what it said on standard error.
func generate(t *testing.T, binary, file string, args ...string) (document []byte, said string) {
	t.Helper()
	args = append([]string{"generate", "-f", file, "--key", "custom_toolset.yaml"}, args...)
	cmd := exec.CommandContext(t.Context(), binary, args...)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		t.Fatalf("dynamic-toolset %s: %v\n%s", strings.Join(args, " "), err, stderr.String())
	}
	return stdout.Bytes(), stderr.String()
}

// app is the label that charts set.
func app(name string, pairs ...string) map[string]string {
	m := map[string]string{"app.kubernetes.io/name": name}
	for i := 0; i < len(pairs); i += 2 {
		m[pairs[i]] = pairs[i+1]
	}
	return m
}
