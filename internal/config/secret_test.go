package config_test

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"kubernaut.io/dynamic-toolset/internal/catalog"
	"kubernaut.io/dynamic-toolset/internal/config"
)

// secrets are of every shape that a YAML parser or a validator takes for something.
func secrets() []string {
	return []string{
		"Qx7", "zq9k", "glsa_Zq9KxVwJ7", "zqkxvwjbfh", "7f3a91c0de55", "90817263", "0x7e5f3a91", "1.5e99", "zq-kx-vw", "ZQKXVW9",
		"zqé∆kßxπvw", "eyJzq.kxVw.jBfH", "Zq Kx Vw Jb", "Zq:KxVw", "Zq/KxVw/JbFh", strings.Repeat("zQkX", 100),
	}
}

// awkward are secrets that need quotes, and are written without.
func awkward() []string {
	return []string{"*ZqKxVw", "&ZqKxVw", "!ZqKxVw", "@ZqKxVw", "%ZqKxVw", "`ZqKxVw", "#ZqKxVw", "[ZqKxVw", "'ZqKxVw", "|ZqKxVw", "? ZqKxVw", "\tZqKxVw"}
}

// Each position of the tree below credentials, S being the secret.
var positions = []string{
	"S", "[S]", "{S: x}", "{S: {a/b: {api_key: x}}}", "{S: {S: {S: S}}}", "{? [S] : x}", "{<<: S}", "{<<: [S]}", "{<<: [[S]]}",
	"{grafana: S}", "{grafana: [S]}", "{grafana: {S: x}}", "{grafana: {S: {api_key: x}}}", "{grafana: {S: {}}}", "{grafana: {<<: S}}",
	"{grafana: {a/b: S}}", "{grafana: {a/b: [S, S]}}", "{grafana: {a/b: {S: }}}", "{grafana: {a/b: {S: x}}}", "{grafana: {a/b: {S: [x]}}}",
	"{grafana: {a/b: {api_key: S}}}", "{grafana: {a/b: {api_key: [S]}}}", "{grafana: {a/b: {api_key: {S: S}}}}",
	"{grafana: {a/b: {api_key: !!int S}}}", "{grafana: {a/b: {api_key: !!binary S}}}", "{grafana: {a/b: {api_key: X, api_key: S}}}",
	"{grafana: {a/b: {S: x, S: y}}}", "{grafana: {S: {}, S: {}}}", "{S: {}, S: {}}", "{acme: {x/y: {S: x}}}", "{grafana: {a/b: {glsa: S}}}",
	"{grafana: {a/b: {api_key: &a S, token: *a}}}", "&a {grafana: {a/b: {api_key: S}}, loki: *a}",
}

func TestSecretsAreNotShown(t *testing.T) {
	t.Parallel()
	t.Attr("req", "DTS-CFG-1 DTS-LOG-1")
	for _, position := range positions {
		for _, secret := range secrets() {
			text := strings.ReplaceAll(position, "S", fmt.Sprintf("%q", secret))
			if strings.Contains(position, "!!") {
				text = strings.ReplaceAll(position, "S", secret) // what a tag makes of it
			}
			path := write(t, "log: {level: info}\ncredentials: "+text+"\n")
			_, err := config.Load(path, nil)
			refusedWithout(t, err, text, secret, path+":2", "credentials")

			for _, set := range []string{"credentials=" + text, "credentals=" + text} {
				_, err := config.Load("", []string{set})
				refusedWithout(t, err, set, secret, "--set ")
			}
		}
		for _, secret := range awkward() {
			text := strings.ReplaceAll(position, "S", secret)
			path := write(t, "credentials: "+text+"\n")
			_, err := config.Load(path, nil)
			refusedWithout(t, err, text, secret, path)
			_, err = config.Load("", []string{"credentials=" + text})
			refusedWithout(t, err, text, secret, "--set credentials: ")
		}
	}
	for _, secret := range append(secrets(), awkward()...) {
		for _, set := range []string{
			"credentials.S=x", "credentials.S.a/b.api_key=x", "credentials.grafana=S", "credentials.grafana.S=x", "credentials.grafana.S.api_key=x",
			"credentials.grafana.a/b=S", "credentials.grafana.a/b.S=x", "credentials.grafana.a/b.api_key=S", "credentials.grafana.a/b.api_key:S",
			"credentials.grafana.a/b.api_key S", "credentials.grafana.a/b.api_key.S=x", "credentals.grafana.a/b.api_key=S", "=S", "S", "credentials.grafana.a/b.S",
		} {
			_, err := config.Load("", []string{strings.ReplaceAll(set, "S", secret)})
			refusedWithout(t, err, set, secret, "--set")
		}
	}
}

// refusedWithout checks an error: it says where, and holds beside that no four characters of the secret, nor all of a shorter
// one: the file's own name may, as its directory's number is random. A secret that is a good value, or a good key, is not refused.
func refusedWithout(t *testing.T, err error, text, secret string, where ...string) {
	t.Helper()
	if err == nil {
		return
	}
	said := err.Error()
	for _, w := range where {
		if !strings.Contains(said, w) {
			t.Errorf("%s: the error does not say %q: %v", text, w, err)
		}
		said = strings.ReplaceAll(said, w, "")
	}
	runes := []rune(secret)
	for i := 0; i == 0 || i+4 <= len(runes); i++ {
		if part := string(runes[i:min(i+4, len(runes))]); strings.Contains(said, part) {
			t.Errorf("%s: the error holds %q: %v", text, part, err)
			return
		}
	}
}

// What is told instead is enough to find the place and to mend it.
func TestSecretErrors(t *testing.T) {
	t.Parallel()
	t.Attr("req", "DTS-CFG-1")
	path := write(t, `credentials:
  grafana:
    monitoring/grafana: {api_key: glsa_secret}
    other/grafana: glsa_secret
    glsa_secret: {api_key: X}
  loki: {a/b: {glsa_secret: x, password: [glsa_secret]}}
  glsa_secret:
`)
	_, err := config.Load(path, []string{
		"credentials.tempo.a/b.token=glsa_secret", "credentials.tempo.glsa_secret.token=T", "credentials.tempo.c/d={token: glsa_secret}",
	})
	want := `FILE:3:35: credentials.grafana.monitoring/grafana.api_key: expected the name of an environment variable (capitals, digits and _), not its value, found a text (not shown)
FILE:4:20: credentials.grafana.other/grafana: expected a mapping, found a text (not shown)
FILE:5:18: credentials.grafana.(key not shown): expected namespace/name of a Service as the key, found a text (not shown)
FILE:6:29: credentials.loki.a/b.(key not shown): expected the name of an environment variable (capitals, digits and _), not its value, found a text (not shown)
FILE:6:42: credentials.loki.a/b.password: expected a text, found a list
FILE:7:3: credentials.(key not shown): expected a backend type's name as the key, found a text (not shown)
--set credentials.tempo.a/b.token: expected the name of an environment variable (capitals, digits and _), not its value, found a text (not shown)
--set credentials.tempo.c/d: credentials.tempo.c/d.token: expected the name of an environment variable (capitals, digits and _), not its value, found a text (not shown)
--set credentials.tempo.(key not shown).token: credentials.tempo.(key not shown): expected namespace/name of a Service as the key, found a text (not shown)
--set credentials.tempo.(key not shown).token: expected a credential that the type has: api_key, username, password, tenant, found a text (not shown)`
	if d := cmp.Diff(want, strings.ReplaceAll(fmt.Sprint(err), path, "FILE")); d != "" {
		t.Error(d)
	}
}

// Names that are known are no secrets: every type and every field of one that is built in is shown.
func TestKnownNamesAreShown(t *testing.T) {
	t.Parallel()
	t.Attr("req", "DTS-CFG-1")
	types, err := catalog.Builtin()
	if err != nil {
		t.Fatal(err)
	}
	for _, typ := range types.Types {
		for _, c := range typ.Toolset.Credentials {
			_, err := config.Load("", []string{"credentials." + typ.Type + ".a/b." + c.Field + "=wrong"})
			want := "--set credentials." + typ.Type + ".a/b." + c.Field + ": expected the name of"
			if !strings.HasPrefix(fmt.Sprint(err), want) {
				t.Errorf("got %v, want %s", err, want)
			}
		}
	}
	if _, err := config.Load(filepath.Join("testdata", "full.yaml"), nil); err != nil {
		t.Error(err)
	}
}
