package toolset

import (
	"fmt"
	"strings"
	"testing"
)

// An admin may have put a secret itself into the overrides. What is said about them goes into an Event and to everybody who may
// read the API: it holds no such value, nor a key that may be one.
func TestOverridesSecretsAreNotShown(t *testing.T) {
	t.Attr("req", "DTS-OUT-6 DTS-LOG-1")
	secrets := []string{"Zq7", "zqkxvwjbfh", "eyJzq.kxVw.jBfH", "<<", "2024-11-30", ".inf", "90817263", "zqé∆kßxπ", strings.Repeat("zQkX", 100)}
	// Below a key whose value is a secret no key is told; below one that has secrets under names those are; any value is kept.
	single := []string{
		"toolsets: {grafana/loki: {enabled: true, config: {api_key: V, instances: [{name: a}, {name: b}]}}}",
		"toolsets: {prometheus/metrics: {config: {additional_headers: {Authorization: V}}}}",
		"toolsets: {my/api: {type: http, config: {endpoints: [{hosts: [http://x], auth: {type: bearer, token: V}}, {}]}}}",
		"instances: {prometheus: {team-a/prometheus: {password: V, name: monitoring/prometheus}}}",
		"mcp_servers: {other: {config: {headers: {Authorization: V}}}}",
		"compact: {jaeger: {config: {apiKey: V, apiKey: V}}, Up: {token: V}}",
	}
	several := []string{
		"instances: {prometheus: {team-a/prometheus: {headers: V}}}", "mcp_servers: {other: {config: {auth: V}}}",
	}
	other := []string{"toolsets: {x/y: {type: V, url: V, tools: V, config: {a: V}}}"}
	inOther := []string{"S", "[S]", "!!int S", "!!timestamp S", "!!binary S", "!!float S", "{{ env.S }}", "*S"}
	inSeveral := append([]string{"{S: }", "{<<: S}", "{? [S] : x}", "{<<: [[S]]}", "{a: S, a: S}", "{a.b: S}"}, inOther...)
	inSingle := append([]string{"{S: x}", "{S: {S: S}}", "{S: 1, S: 2}"}, inSeveral...)
	said := 0
	for _, group := range []struct{ holders, values []string }{{single, inSingle}, {several, inSeveral}, {other, inOther}} {
		for _, holder := range group.holders {
			for _, value := range group.values {
				for _, secret := range secrets {
					text := strings.ReplaceAll(strings.ReplaceAll(holder, "V", value), "S", secret)
					message, refused := told(t, text)
					if part := leak(message, secret); part != "" {
						t.Errorf("%s: told is %q: %s", text, part, message)
					}
					if refused {
						said++
					}
				}
			}
		}
	}
	if said < 500 {
		t.Errorf("only %d of the texts are refused: the test tries nothing", said)
	}
}

// told is all that is said about overrides, and about the same as a document.
func told(t *testing.T, text string) (message string, refused bool) {
	t.Helper()
	o, err := ParseOverrides("o.yaml", []byte(text))
	var warnings []Warning
	if err == nil {
		warnings = o.Warnings()
		var d *Document
		if d, err = Build(patched(), options(t), o); err == nil {
			warnings = append(warnings, d.Warnings...)
		}
	}
	message = fmt.Sprint(err, brief(warnings))
	for _, p := range Validate("o.yaml", []byte(text)) {
		message += "\n" + p.Error.Error()
	}
	// Which is no secret.
	return strings.ReplaceAll(message, "<< expected a mapping", ""), err != nil
}

// leak is the first four characters of the secret, or all of a shorter one, that the message holds.
func leak(message, secret string) string {
	runes := []rune(secret)
	for i := 0; i == 0 || i+4 <= len(runes); i++ {
		if part := string(runes[i:min(i+4, len(runes))]); strings.Contains(message, part) {
			return part
		}
	}
	return ""
}
