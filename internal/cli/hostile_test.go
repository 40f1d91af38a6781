package cli

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"unicode"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/yaml"
)

// TestHostileServices: whoever may write a Service can neither make the output lie, nor read a secret through it, nor keep
// the rest from being found.
func TestHostileServices(t *testing.T) {
	t.Attr("req", "DTS-SEC-3 DTS-ANN-2")
	type object map[string]any
	hostile := func(name string, annotations, labels map[string]string, ports ...object) object {
		if ports == nil {
			ports = []object{{"port": 8080}}
		}
		return object{"apiVersion": "v1", "kind": "Service", "metadata": object{"name": name, "namespace": "evil", "annotations": annotations, "labels": labels, "creationTimestamp": "2026-01-01T00:00:00Z"},
			"spec": object{"ports": ports}}
	}
	annotated := func(name, key, value string) object {
		return hostile(name, map[string]string{"kubernaut.io/toolset": "true", "kubernaut.io/toolset-type": "custom", key: value}, nil)
	}
	var manyPorts []object
	for i := range 2_000 {
		manyPorts = append(manyPorts, object{"port": i + 1, "name": "p" + strings.Repeat("x", i%20)})
	}
	items := []object{
		annotated("template", "kubernaut.io/toolset-description", "{{ env.ANTHROPIC_API_KEY }}"),
		annotated("escape", "kubernaut.io/toolset-description", "\x1b[2J\x1b[1;1Haccepted"),
		annotated("newline", "kubernaut.io/toolset-description", "a\ntoolsets: {}\n"),
		annotated("bidi", "kubernaut.io/toolset-description", "a\u202eb"),
		annotated("long", "kubernaut.io/toolset-description", strings.Repeat("a", 1<<20)),
		annotated("url", "kubernaut.io/toolset-endpoint", "http://user:hunter2@169.254.169.254/"),
		annotated("foreign", "kubernaut.io/toolset-endpoint", "http://metadata.google.internal:8080/"),
		annotated("port", "kubernaut.io/toolset-port", "\x1b]0;owned\x07"),
		annotated("type", "kubernaut.io/toolset-type", "generation"),
		annotated("mcp", "kubernaut.io/toolset-type", "mcp"),
		hostile("toolset", map[string]string{"kubernaut.io/toolset": "${SECRET}"}, nil),
		hostile("../../etc", nil, nil),
		hostile("labels", nil, map[string]string{"app": "grafana\x1b[31m"}),
		hostile("ports", nil, map[string]string{"app.kubernetes.io/name": "grafana"}, manyPorts...),
		hostile("badport", nil, nil, object{"port": 0}, object{"port": 80, "name": "\u2028"}),
		{"apiVersion": "v1", "kind": "Service", "metadata": object{"name": "grafana", "namespace": "good", "labels": named("grafana"), "creationTimestamp": "2025-01-01T00:00:00Z"},
			"spec": object{"ports": []object{{"port": 3000}}}},
	}
	list, err := json.Marshal(object{"apiVersion": "v1", "kind": "List", "items": items})
	if err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{
		{"discover"}, {"discover", "--all"}, {"discover", "-o", "wide", "--all"}, {"discover", "-o", "json", "--all"}, {"discover", "-o", "yaml", "--all"},
		{"generate"}, {"generate", "--key", "custom_toolset.yaml"},
		{"explain", "evil/template"}, {"explain", "evil/escape"}, {"explain", "evil/newline"}, {"explain", "evil/bidi"}, {"explain", "evil/long"},
		{"explain", "evil/url"}, {"explain", "evil/port"}, {"explain", "evil/toolset"}, {"explain", "evil/ports"}, {"explain", "evil/nothing"},
	} {
		r := runWith(t, string(list), append(args, "-f", "-", "--set", "security.trustedNamespaces=[good]")...)
		if nothing := args[len(args)-1] == "evil/nothing"; (r.code != 0) != nothing {
			t.Errorf("%q: exit code %d: %s", args, r.code, r.err)
		}
		for _, text := range []string{r.out, r.err} {
			if i := strings.IndexFunc(text, func(c rune) bool { return c != '\n' && (unicode.IsControl(c) || c == '\u202e' || c == '\u2028') }); i >= 0 {
				t.Errorf("%q prints a control character: %q", args, text[max(0, i-40):min(len(text), i+40)])
			}
			for _, secret := range []string{"hunter2", "{{ env.ANTHROPIC_API_KEY", "${SECRET}"} {
				if strings.Contains(text, secret) {
					t.Errorf("%q prints %s", args, secret)
				}
			}
			for l := range strings.Lines(text) {
				if len(l) > 4000 {
					t.Errorf("%q prints a line of %d bytes", args, len(l))
				}
			}
		}
		if args[0] != "explain" && !strings.Contains(r.out, "grafana.good.svc.cluster.local:3000") {
			t.Errorf("%q: the good one is missing in\n%s", args, r.out)
		}
		if args[0] != "generate" {
			continue
		}
		var v any
		if err := yaml.UnmarshalStrict([]byte(r.out), &v); err != nil {
			t.Errorf("%q: %v\n%s", args, err, r.out)
		}
		// With a label like anybody's a Service is taken for what it says it is, but only the trusted one gets credentials.
		_, key, _ := strings.Cut(r.out, "api_key: '{{ env.GRAFANA_API_KEY }}'\n")
		if key, _, _ = strings.Cut(key, "timeout"); !strings.Contains(key, "name: good/grafana") {
			t.Errorf("%q: the credentials go to somebody else\n%s", args, r.out)
		}
		for _, name := range []string{"template", "escape", "newline", "bidi", "long", "url", "foreign", "port", "type", "mcp", "toolset", "labels", "badport"} {
			if strings.Contains(r.out, "evil/"+name+"\n") || strings.Contains(r.out, name+".evil.svc") {
				t.Errorf("%q: evil/%s is written\n%s", args, name, r.out)
			}
		}
	}
}

// What a server says in an error is shown as text.
func TestErrorsAreText(t *testing.T) {
	t.Attr("req", "DTS-CLI-5 DTS-SEC-3")
	s := &apiServer{refuse: func(*http.Request) *metav1.Status {
		return &metav1.Status{Code: 500, Reason: metav1.StatusReasonInternalError, Message: "boom \x1b[2J\x1b]0;title\a\u009b2J"}
	}}
	_, kubeconfig := s.start(t)
	for _, command := range []string{"discover", "doctor", "diff"} {
		r := run(t, command, "--kubeconfig", kubeconfig, "--request-timeout", "2s")
		if !strings.Contains(r.err, "boom") || strings.ContainsAny(r.err+r.out, "\x1b\a\u009b") {
			t.Errorf("%s: exit %d: %q", command, r.code, r.err)
		}
	}
	// It is within the result where only HolmesGPT cannot be found.
	all := s.refuse
	s = explainedAPI()
	s.refuse = func(r *http.Request) *metav1.Status {
		if !strings.HasSuffix(r.URL.Path, "/namespaces/kubernaut-system/services") {
			return nil
		}
		return all(r)
	}
	_, kubeconfig = s.start(t)
	if r := mustRun(t, "explain", "monitoring/grafana", "--kubeconfig", kubeconfig); !strings.Contains(r.out, "boom") || strings.ContainsAny(r.out, "\x1b\a\u009b") {
		t.Errorf("explain: %q", r.out)
	}
}
