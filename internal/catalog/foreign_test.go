package catalog_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"kubernaut.io/dynamic-toolset/internal/catalog"
)

const secret = "ZqKxVwJbHf"

// foreign are files of other kinds, with a secret in each.
func foreign() map[string]string {
	pem := "-----BEGIN PRIVATE KEY-----\n" + secret + "\n-----END PRIVATE KEY-----\n"
	return map[string]string{
		"token":          secret + ".eyJh" + secret + "." + secret,
		"key":            pem,
		"shadow":         "root:$6$" + secret + ":19000:0:99999:7:::\ndaemon:*:19000:0:99999:7:::\n",
		"binary":         "\xff\xfe" + secret,
		"kubeconfig":     "apiVersion: v1\nkind: Config\nusers:\n- name: " + secret + "\n  user: {token: " + secret + "}\n",
		"Secret":         "apiVersion: v1\nkind: Secret\ntype: Opaque\ndata: {" + secret + ": " + secret + "}\n",
		"alias":          "password: *" + secret + "\n",
		"tag":            "%TAG ! " + secret + "\n--- !<" + secret + "> " + secret + "\n",
		"broken":         "type: x\ndetect: {a: \"" + secret + "\n",
		"tab":            "type: x\n\tpassword: " + secret + "\n",
		"two":            "type: x\ndetect:\n---\npassword: " + secret + "\n",
		"twice":          "password: " + secret + "\n" + secret + ": 1\n" + secret + ": 2\n",
		"not to be read": "type: " + secret + "\npassword: " + secret + "\n",
		"nearly a type":  "title: " + secret + "\nsummary: " + secret + "\ndetect: " + secret + "\n",
		"merged":         "a: &a {type: x, detect: y}\n<<: *a\npassword: " + secret + "\n",
		"a scalar":       secret,
	}
}

// Whoever may write into catalog.dir may put a link there to any file that the service can read. Of a file that is none of a
// type nothing is shown: no value, no key, no line.
func TestForeignFiles(t *testing.T) {
	t.Parallel()
	t.Attr("req", "DTS-DET-1 DTS-SEC-3")
	for name, text := range foreign() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			elsewhere := filepath.Join(t.TempDir(), "file")
			if err := os.WriteFile(elsewhere, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			dir := t.TempDir()
			if err := os.Symlink(elsewhere, filepath.Join(dir, "link.yaml")); err != nil {
				t.Fatal(err)
			}
			c, errs := catalog.Load(dir)
			if len(errs) != 1 || strings.Contains(errs[0].Error(), "\n") || len(c.Types) != 14 {
				t.Fatalf("%d types, errors %v", len(c.Types), errs)
			}
			said := strings.TrimPrefix(errs[0].Error(), filepath.Join(dir, "link.yaml"))
			if said == errs[0].Error() {
				t.Errorf("the file is not named: %s", said)
			}
			for i := range len(secret) - 3 {
				if strings.Contains(said, secret[i:i+4]) {
					t.Errorf("it is told: %s", said)
				}
			}
			for _, key := range []string{"users", "password", "root", "daemon"} {
				if strings.Contains(said, key) {
					t.Errorf("the key %s is told: %s", key, said)
				}
			}
		})
	}
}

// catalog -o yaml prints what was read at the start, whatever the name leads to by then.
func TestSourceIsNotReadAgain(t *testing.T) {
	t.Parallel()
	t.Attr("req", "DTS-SEC-3")
	good, err := os.ReadFile("testdata/good/acme.yml")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	path := filepath.Join(dir, "acme.yaml")
	if err := os.WriteFile(path, good, 0o600); err != nil {
		t.Fatal(err)
	}
	c, errs := catalog.Load(dir)
	if len(errs) > 0 {
		t.Fatal(errs)
	}
	if err := os.WriteFile(path, []byte("secret"), 0o600); err != nil {
		t.Fatal(err)
	}
	if got := string(c.Lookup("acme").Source()); got != string(good) {
		t.Errorf("printed is %q", got)
	}
	prometheus, err := os.ReadFile("types/prometheus.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if got := string(c.Lookup("prometheus").Source()); got != string(prometheus) {
		t.Error("the source of a built-in type is not its file")
	}
	if c.Lookup("acme").Builtin() || !c.Lookup("prometheus").Builtin() {
		t.Error("built-in types are taken for others")
	}
}
