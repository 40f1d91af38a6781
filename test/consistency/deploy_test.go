package consistency

import (
	"cmp"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	yaml "go.yaml.in/yaml/v3"

	"kubernaut.io/dynamic-toolset/internal/config"
	"kubernaut.io/dynamic-toolset/internal/server"
	"kubernaut.io/dynamic-toolset/internal/toolset"
)

// complain collects what is wrong.
type complain func(format string, args ...any)

// expect compares two names that must be the same.
func expect[T comparable](bad complain, what string, got, want T) {
	if got != want {
		bad("%s is %v, expected %v", what, got, want)
	}
}

// checkManifests compares rendered manifests with the configuration in them, and that with the program's defaults.
func checkManifests(list []object, bad complain) {
	c := configurationOf(list, bad)
	if c == nil {
		bad("no ConfigMap with a config.yaml")
		return
	}
	api, scrape := port(c.Server.Address), port(c.Metrics.Address)
	ports := map[string]string{} // of the container, by name
	for _, o := range list {
		if o.text("kind") == "Deployment" {
			checkPod(o, api, scrape, ports, bad)
		}
	}
	for _, o := range list {
		what := o.text("kind") + " " + o.text("metadata", "name")
		expect(bad, what+": its label app.kubernetes.io/name", cmp.Or(o.text("metadata", "labels", "app.kubernetes.io/name"), "dynamic-toolset"), "dynamic-toolset")
		for key := range annotationsOf(o) {
			if strings.Contains(key, "kubernaut.io/") {
				expect(bad, what+": the annotation "+key+" as one that is read", readsAnnotation(key), true)
			}
		}
		switch o.text("kind") {
		case "Service":
			for _, p := range o.list("spec", "ports") {
				name := p.text("targetPort")
				expect(bad, what+": port "+p.text("port"), p.text("port"), ports[name])
			}
		case "ServiceMonitor":
			expect(bad, what+": a port", ports[o.text("spec", "endpoints", 0, "port")], scrape)
			expect(bad, what+": its path", o.text("spec", "endpoints", 0, "path"), "/metrics")
		case "NetworkPolicy":
			checkPolicy(what, o, c, ports, bad)
		case "Role", "ClusterRole":
			checkRules(what, o, c, bad)
		}
	}
}

func annotationsOf(o object) map[string]any {
	m, _ := o.get("metadata", "annotations").(map[string]any)
	if m == nil {
		if other, ok := o.get("metadata", "annotations").(object); ok {
			m = other
		}
	}
	return m
}

func readsAnnotation(key string) bool {
	page, err := os.ReadFile(filepath.Join(root, "docs", "reference", "annotations.md"))
	return err == nil && strings.Contains(string(page), "| `"+key+"` |")
}

// configurationOf is the configuration that the pods read.
func configurationOf(list []object, bad complain) *config.Config {
	for _, o := range list {
		text := o.text("data", "config.yaml")
		if o.text("kind") != "ConfigMap" || text == "" {
			continue
		}
		c, err := config.Parse("config.yaml", []byte(text))
		if err != nil {
			bad("the configuration: %v", err)
		}
		return c
	}
	return nil
}

func port(address string) string {
	_, p, _ := net.SplitHostPort(address)
	return p
}

// checkPod checks the ports and the probes of the Deployment, and that its arguments are the program's.
func checkPod(o object, api, scrape string, ports map[string]string, bad complain) {
	for _, c := range o.list("spec", "template", "spec", "containers") {
		for _, p := range c.list("ports") {
			ports[p.text("name")] = p.text("containerPort")
		}
		expect(bad, "the container's port api", ports["api"], api)
		expect(bad, "the container's port metrics", ports["metrics"], scrape)
		var args []string
		words, _ := c.get("args").([]any)
		for _, a := range words {
			args = append(args, fmt.Sprint(a))
		}
		if err := checkCommand(args); err != nil {
			bad("the container's arguments %q: %v", args, err)
		}
		for name, paths := range map[string][]string{
			"startupProbe": {"/healthz", "/readyz"}, "livenessProbe": {"/healthz"}, "readinessProbe": {"/readyz"},
		} {
			path := c.text(name, "httpGet", "path")
			if !slices.Contains(paths, path) || !served(path) {
				bad("the %s asks for %q, expected %s", name, path, strings.Join(paths, " or "))
			}
			if p := c.text(name, "httpGet", "port"); ports[p] != api && p != api {
				bad("the %s asks port %q, expected that of the API", name, p)
			}
		}
	}
}

// served says that the program answers at a path of the probes.
func served(path string) bool {
	mux := http.NewServeMux()
	server.NewProbes(time.Minute).Register(mux)
	w := httptest.NewRecorder()
	mux.ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, http.NoBody))
	return w.Code == http.StatusOK
}

// checkPolicy: whoever may connect at all reaches both ports, and egress leaves out what the prober denies.
func checkPolicy(what string, o object, c *config.Config, ports map[string]string, bad complain) {
	for _, rule := range o.list("spec", "ingress") {
		for _, p := range rule.list("ports") {
			name := p.text("port")
			if ports[name] == "" && name != ports["api"] && name != ports["metrics"] {
				bad("%s lets connections in to %s, which is no port of the pod", what, name)
			}
		}
	}
	var got, want []string
	for _, rule := range o.list("spec", "egress") {
		for _, to := range rule.list("to") {
			excepts, _ := to.get("ipBlock", "except").([]any)
			for _, e := range excepts {
				got = append(got, fmt.Sprint(e))
			}
		}
	}
	for _, p := range c.Security.DenyCIDRs {
		want = append(want, p.String())
	}
	slices.Sort(got)
	slices.Sort(want)
	expect(bad, what+": the networks that it leaves out", strings.Join(got, " "), strings.Join(want, " "))
}

// checkRules: what is written is limited to the names in the configuration, and the API's group is the one that is asked for.
func checkRules(what string, o object, c *config.Config, bad complain) {
	for _, rule := range o.list("rules") {
		resources, _ := rule.get("resources").([]any)
		for _, r := range resources {
			switch fmt.Sprint(r) {
			case "configmaps":
				expect(bad, what+": the ConfigMap", rule.text("resourceNames", 0), c.Output.ConfigMap)
				expect(bad, what+": its namespace", o.text("metadata", "namespace"), c.Output.Namespace)
			case "leases":
				expect(bad, what+": the Lease", rule.text("resourceNames", 0), c.LeaderElection.LeaseName)
				expect(bad, what+": its namespace", o.text("metadata", "namespace"), c.Output.Namespace)
			case server.ResourceToolsets, server.ResourceDiscoveries:
				expect(bad, what+": the API group of "+fmt.Sprint(r), rule.text("apiGroups", 0), server.APIGroup)
			}
		}
	}
}

func TestManifests(t *testing.T) {
	t.Attr("req", "DTS-PKG-1")
	checked := 0
	for name, text := range files(t, "deploy", ".yaml") {
		list, err := objects(text)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if !slices.ContainsFunc(list, func(o object) bool { return o.text("kind") == "Deployment" }) {
			continue // values, or a part
		}
		checked++
		checkManifests(list, func(format string, args ...any) { t.Errorf(name+": "+format, args...) })
		d := config.Default()
		if c := configurationOf(list, t.Errorf); c != nil {
			expect(t.Errorf, name+": output.namespace", c.Output.Namespace, d.Output.Namespace)
			expect(t.Errorf, name+": output.configMap", c.Output.ConfigMap, d.Output.ConfigMap)
			expect(t.Errorf, name+": leaderElection.leaseName", c.LeaderElection.LeaseName, d.LeaderElection.LeaseName)
			expect(t.Errorf, name+": the port of server.address", port(c.Server.Address), port(d.Server.Address))
			expect(t.Errorf, name+": the port of metrics.address", port(c.Metrics.Address), port(d.Metrics.Address))
		}
	}
	if checked == 0 {
		t.Error("no manifests with a Deployment in deploy")
	}
}

// What HolmesGPT is given in several places is one and the same, and what is mounted is what is written.
func TestHolmesGPT(t *testing.T) {
	t.Attr("req", "DTS-PKG-1 DTS-DOC-1")
	example := ""
	for name, text := range files(t, "examples/holmesgpt", "values.yaml") {
		if strings.HasSuffix(name, "/values.yaml") {
			example = text
		}
	}
	want := holmesValues(t, example)
	found := 0
	for name, d := range documents(t) {
		for _, b := range d.blocks {
			if b.language == "yaml" && strings.Contains(b.text, "CUSTOM_TOOLSET_LOCATION") {
				found++
				got := holmesValues(t, b.text)
				if example != "" {
					expect(t.Errorf, name+": the values for HolmesGPT", got, want)
				}
				checkHolmes(name, b.text, t.Errorf)
			}
		}
	}
	if found == 0 {
		t.Error("no document has the values for HolmesGPT")
	}
}

// holmesValues are values in one form, without comments.
func holmesValues(t *testing.T, text string) string {
	t.Helper()
	var tree any
	fatal(t, yaml.Unmarshal([]byte(text), &tree))
	if m, ok := tree.(map[string]any); ok && m["holmes"] != nil { // Robusta's
		tree = m["holmes"]
	}
	out, err := yaml.Marshal(tree)
	fatal(t, err)
	return string(out)
}

// checkHolmes: the ConfigMap that is written is mounted as a directory, and its key is what is loaded.
func checkHolmes(name, text string, bad complain) {
	var o object
	if err := yaml.Unmarshal([]byte(text), &o); err != nil {
		bad("%s: %v", name, err)
		return
	}
	if o["holmes"] != nil {
		o, _ = o["holmes"].(object)
	}
	mount := o.text("additionalVolumeMounts", 0, "mountPath")
	expect(bad, name+": the ConfigMap", o.text("additionalVolumes", 0, "configMap", "name"), config.Default().Output.ConfigMap)
	expect(bad, name+": the volume", o.text("additionalVolumeMounts", 0, "name"), o.text("additionalVolumes", 0, "name"))
	expect(bad, name+": subPath", o.text("additionalVolumeMounts", 0, "subPath"), "")
	for _, e := range o.list("additionalEnvVars") {
		if e.text("name") == "CUSTOM_TOOLSET_LOCATION" {
			expect(bad, name+": CUSTOM_TOOLSET_LOCATION", e.text("value"), mount+"/"+toolset.KeyHolmesGPT)
		}
	}
}
