//go:build holmes

package holmes

import (
	"strings"
	"testing"

	"kubernaut.io/dynamic-toolset/test/program"
	"kubernaut.io/dynamic-toolset/test/standin"
)

// TestOneToolsetPerType has several Jaegers in one HTTP toolset. One that is down takes nothing from the others; each is asked
// at its own paths, with its own credentials. What takes all of them down is a variable that is missing, which is why a
// reference is not written by default beside one that works without, and a host that HolmesGPT does not understand.
func TestOneToolsetPerType(t *testing.T) {
	t.Attr("req", "DTS-OUT-12 DTS-OUT-4")
	jaeger := func(namespace, day string, opts standin.Options) service {
		return service{
			namespace: namespace, name: "jaeger", labels: app("jaeger", component, "query"), port: "http-query", target: 16686,
			created: day, kind: standin.Jaeger, opts: opts,
		}
	}
	locked := standin.Options{Credentials: standin.Credentials{Bearer: "jaeger-token"}}
	file, hosts := cluster(t,
		jaeger("team-a", "2026-01-01", standin.Options{}), jaeger("team-b", "2026-01-02", standin.Options{BasePath: "/jaeger"}),
		jaeger("team-c", "2026-01-03", standin.Options{}), jaeger("team-d", "2026-01-04", locked))
	urls := map[string]string{}
	for host := range hosts {
		_, rest, _ := strings.Cut(host, ".")
		namespace, _, _ := strings.Cut(rest, ".")
		urls[namespace] = "http://" + host
		if namespace == "team-c" {
			hosts[host] = gone(t)
		}
	}
	binary := program.Binary(t)
	trusted := []string{"--probe=direct", "--set", "security.trustedNamespaces=[team-a, team-b, team-c, team-d]"}
	plain, said := generate(t, binary, file, trusted...)
	if strings.Contains(string(plain), "env.") || strings.Contains(string(plain), "team-d") {
		t.Errorf("a reference is written beside those that work without:\n%s\n%s", plain, said)
	}
	if strings.Contains(string(plain), "health_check_url") {
		t.Errorf("one of several is checked by HolmesGPT, and would take down the others:\n%s", plain)
	}
	full, said := generate(t, binary, file, append(trusted, "--set", "credentials.jaeger.team-d/jaeger.token=JAEGER_TOKEN")...)
	if !strings.Contains(said, "JAEGER_TOKEN") {
		t.Errorf("HolmesGPT needs a variable, and nobody is told: %s", said)
	}
	calls := map[string]string{
		urls["team-a"] + "/api/services":        "",
		urls["team-b"] + "/jaeger/api/services": "",
		urls["team-c"] + "/api/services":        "Connection error",
		urls["team-a"] + "/jaeger/api/services": "not in whitelist",
		urls["team-b"] + "/api/services":        "not in whitelist",
		urls["team-a"] + "/metrics":             "not in whitelist",
	}
	with := map[string]string{urls["team-d"] + "/api/services": ""}
	for url, want := range calls {
		with[url] = want
	}
	text, bad := string(full), string(plain)
	bad = strings.Replace(bad, "- "+urls["team-b"]+"\n", "- http://a*b\n", 1)
	check(t,
		Case{Name: "one-is-down", Document: plain, Hosts: hosts, Expect: Expect{Calls: map[string]map[string]string{"jaeger": calls}}},
		Case{Name: "one-with-a-token", Document: []byte(text), Hosts: hosts, Expect: Expect{
			Env: map[string]string{"JAEGER_TOKEN": "jaeger-token"}, Calls: map[string]map[string]string{"jaeger": with},
		}},
		Case{Name: "its-token-is-missing", Document: []byte(text), Hosts: hosts, Expect: Expect{Toolsets: map[string]string{"jaeger": "failed"}}},
		Case{Name: "a-host-it-does-not-understand", Document: []byte(bad), Hosts: hosts, Expect: Expect{Toolsets: map[string]string{"jaeger": "failed"}}},
	)
}
