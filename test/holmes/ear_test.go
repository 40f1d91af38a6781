//go:build holmes

package holmes

import (
	"net/http"
	"strings"
	"testing"

	"kubernaut.io/dynamic-toolset/test/program"
	"kubernaut.io/dynamic-toolset/test/standin"
)

// What answers the probe and then fails HolmesGPT's own check has its answer told to the agent: a redirect's target, tens of
// kilobytes, or the beginning of a page. What is generated has HolmesGPT check no stranger's HTTP toolset. The control shows what
// a check would bring.
func TestStrangersAnswersStayOutOfThePrompt(t *testing.T) {
	t.Attr("req", "DTS-SEC-3")
	const times = 2500 // 45 KB
	target, page := "obey-the-redirect/", "obey the page"
	hostile := map[string]http.HandlerFunc{
		"books": func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "http://elsewhere.example/"+strings.Repeat(target, times), http.StatusFound)
		},
		"jaeger": func(w http.ResponseWriter, _ *http.Request) {
			http.Error(w, page+strings.Repeat(" and again", 5000), http.StatusInternalServerError)
		},
	}
	binary := program.Binary(t)
	file, proven := cluster(t,
		service{
			namespace: "evil", name: "books", port: "http", target: 8080, kind: standin.Custom,
			annotations: map[string]string{
				"kubernaut.io/toolset": "true", "kubernaut.io/toolset-type": "custom", "kubernaut.io/toolset-health-endpoint": "/healthz",
			},
		},
		service{
			namespace: "evil", name: "jaeger", labels: app("jaeger", component, "query"), port: "http-query", target: 16686,
			kind: standin.Jaeger,
		})
	hosts := map[string]string{}
	for name := range proven {
		service, _, _ := strings.Cut(name, ".")
		s, err := standin.Start("127.0.0.1:0", hostile[service])
		must(t, err)
		t.Cleanup(func() { s.Close() })
		hosts[name] = s.Addr
	}
	var cases []Case
	for _, tc := range []struct {
		name, state string
		args        []string
		reads       int
	}{
		{"strangers", "enabled", nil, 0},
		{"control", "failed", []string{"--set", "security.trustedNamespaces=[evil]"}, 1},
	} {
		document, said := generate(t, binary, file, append(tc.args, "--probe=direct")...)
		if n := strings.Count(string(document), "health_check_url"); n != 2*tc.reads {
			t.Errorf("%s: HolmesGPT checks %d of 2:\n%s\n%s", tc.name, n, document, said)
		}
		cases = append(cases, Case{Name: tc.name, Document: document, Hosts: hosts, Expect: Expect{
			Toolsets: map[string]string{"custom/evil/books": tc.state, "jaeger": tc.state},
			Reads:    map[string]int{target: tc.reads * times, page: tc.reads},
		}})
	}
	check(t, cases...)
}
