package files

import (
	"path/filepath"
	"strings"
	"testing"

	"kubernaut.io/dynamic-toolset/internal/backend"
	"kubernaut.io/dynamic-toolset/internal/links"
	"kubernaut.io/dynamic-toolset/internal/store"
	"kubernaut.io/dynamic-toolset/internal/view"
)

// TestExposersRefused: what leads people to Services and cannot be read is refused as a Service is, with its place and its fault.
func TestExposersRefused(t *testing.T) {
	t.Attr("req", "DTS-OUT-13 DTS-CLI-5")
	const (
		ingress = "apiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata: {namespace: mon, name: a.b}\nspec: "
		route   = "apiVersion: route.openshift.io/v1\nkind: Route\nmetadata: {namespace: mon, name: a}\nspec: "
		http    = "apiVersion: gateway.networking.k8s.io/v1\nkind: HTTPRoute\nmetadata: {namespace: mon, name: a}\nspec: "
		place   = "standard input: document 1 (line 1): "
	)
	for name, tt := range map[string]struct{ in, want string }{
		"rules no list":       {ingress + "{rules: {host: a}}", place + "Ingress mon/a.b: spec.rules: this object is not valid here"},
		"a path no text":      {ingress + "{rules: [{http: {paths: [{path: 1}]}}]}", place + "Ingress mon/a.b: spec.rules[0].http.paths[0].path: this number is not valid here"},
		"of an older version": {ingress + "{rules: [{http: {paths: [{backend: {serviceName: a, servicePort: 1}}]}}]}", place + "Ingress mon/a.b: spec.rules[0].http.paths[0].backend: it names no service, as one of networking.k8s.io/v1 does"},
		"a host no text":      {route + "{host: [a]}", place + "Route mon/a: spec.host: this list is not valid here"},
		"hosts no list":       {http + "{hostnames: a}", place + "HTTPRoute mon/a: spec.hostnames: this string is not valid here"},
		"no name":             {"kind: Route\nspec: {}", place + "Route: metadata.name is missing"},
		"no such name":        {"kind: Route\nmetadata: {name: \"a\\e[1m\"}", place + `Route: metadata.name: "a\x1b[1m" is no DNS name (lower-case letters, digits, - and .)`},
		"a name no text":      {"kind: Ingress\nmetadata: {name: 7}", place + "Ingress: metadata.name: this number is not valid here"},
	} {
		opts := ReadOptions{Links: links.From{
			Kinds: links.Kinds([]string{"ingress", "httproute", "route"}), Allows: func(string, string) bool { return true },
		}}
		report, err := Read(t.Context(), []string{Stdin}, strings.NewReader(tt.in+"\n---\n"+svcYAML("a")), new(recorder), opts)
		if err != nil || report.Refused != 1 || len(report.Warnings) != 1 || view.InputWarning(&report.Warnings[0]) != tt.want {
			t.Errorf("%s: %v, refused %d:\n%v\nwant\n%s", name, err, report.Refused, report.Warnings, tt.want)
		}
	}
}

// TestRefusedExposerKeepsItsLinks: one that became invalid leads where it led before, as all of its file does.
func TestRefusedExposerKeepsItsLinks(t *testing.T) {
	t.Attr("req", "DTS-OUT-13")
	const service = "kind: Service\nmetadata: {namespace: mon, name: a}\n"
	const good = "kind: Route\nmetadata: {namespace: mon, name: a}\nspec: {host: a.example.com, to: {kind: Service, name: a}}\n---\n" +
		service
	opts := SourceOptions{Store: store.Options{Relevant: func(*backend.Service) bool { return true }}, ReadOptions: ReadOptions{Links: links.From{
		Kinds: links.Kinds([]string{"route"}), Allows: func(string, string) bool { return true },
	}}}
	path := filepath.Join(t.TempDir(), "services.yaml")
	write(t, path, good)
	source := NewSource([]string{path}, opts)
	must(t, source.Load(t.Context()))
	ref := backend.Ref{Namespace: "mon", Name: "a"}
	for _, c := range []struct {
		text string
		want int
	}{
		{strings.Replace(good, "host: a.example.com", "host: [a]", 1), 1},
		{strings.Replace(good, "name: a}\nspec", "name: b}\nspec", 1), 1},
		{service, 0},
	} {
		write(t, path, c.text)
		for source.files[0].read = nil; source.files[0].read == nil; {
			source.look(t.Context())
		}
		if got := source.Exposures(ref); len(got) != c.want {
			t.Errorf("%d links, want %d, of\n%s", len(got), c.want, c.text)
		}
	}
}
