package config_test

import (
	"errors"
	"flag"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	yaml "go.yaml.in/yaml/v3"

	"kubernaut.io/dynamic-toolset/internal/config"
	"kubernaut.io/dynamic-toolset/internal/yamlfile"
)

var update = flag.Bool("update", false, "write the expected files in testdata anew")

var equal = cmp.Options{cmpopts.EquateComparable(netip.Prefix{}), cmpopts.EquateEmpty()}

func TestDefaults(t *testing.T) {
	t.Parallel()
	t.Attr("req", "DTS-CFG-1")
	c, err := config.Load("", nil)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(config.Default(), c, equal); d != "" {
		t.Error(d)
	}
	golden(t, "testdata/defaults.yaml", text(t, c))
}

// text is a configuration as a file.
func text(t *testing.T, c *config.Config) string {
	t.Helper()
	data, err := yaml.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// What is written is read back to the same.
func TestRoundTrip(t *testing.T) {
	t.Parallel()
	t.Attr("req", "DTS-CFG-1")
	for _, name := range []string{"full.yaml", "defaults.yaml"} {
		first, err := config.Load(filepath.Join("testdata", name), nil)
		if err != nil {
			t.Fatal(err)
		}
		second, err := config.Load(write(t, text(t, first)), nil)
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(first, second, equal); d != "" {
			t.Errorf("%s: %s", name, d)
		}
		if name == "full.yaml" && (first.Shutdown.Delay != 5*time.Second || len(first.Security.DenyCIDRs) != 1 ||
			first.Credentials["grafana"]["monitoring/grafana"]["api_key"] != "TEAM_GRAFANA") {
			t.Errorf("not as in the file: %+v", first)
		}
	}
}

func TestSets(t *testing.T) {
	t.Parallel()
	t.Attr("req", "DTS-CFG-1")
	c, err := config.Load(filepath.Join("testdata", "full.yaml"), []string{
		"health.interval=1m", "discovery.namespaces=[a, b]", "discovery.excludeNamespaces=",
		"credentials.grafana.monitoring/grafana.api_key=GRAFANA_API_KEY", "credentials.loki={a/b: {password: P}}",
		"primary={prometheus: monitoring/prometheus-server}", "primary.grafana=x/y", "server.address=[::1]:8443", "catalog.dir=", "log.level=warn",
		"holmesgpt.generationMarker=true", "security.denyCIDRs=[10.0.0.0/8, 'fd00::/8']",
	})
	if err != nil {
		t.Fatal(err)
	}
	if c.Health.Interval != time.Minute || c.Server.Address != "[::1]:8443" || c.Catalog.Dir != "" || c.Log.Level != "warn" ||
		!c.HolmesGPT.GenerationMarker || len(c.Security.DenyCIDRs) != 2 || c.Primary["grafana"] != "x/y" ||
		c.Primary["prometheus"] != "monitoring/prometheus-server" || len(c.Discovery.ExcludeNamespaces) != 0 {
		t.Errorf("flags not taken: %+v", c)
	}
	want := config.Credentials{
		"grafana": {"monitoring/grafana": {"api_key": "GRAFANA_API_KEY"}}, "loki": {"a/b": {"password": "P"}},
	}
	if d := cmp.Diff(want, c.Credentials); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff([]string{"a", "b"}, c.Discovery.Namespaces); d != "" {
		t.Error(d)
	}
}

// testdata/bad-*.yaml are refused with the text of bad-*.txt.
func TestBadFiles(t *testing.T) {
	t.Parallel()
	t.Attr("req", "DTS-CFG-1")
	files, err := filepath.Glob("testdata/bad-*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatal("no files", err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			t.Parallel()
			_, err := config.Load(file, nil)
			var errs yamlfile.Errors
			if !errors.As(err, &errs) {
				t.Fatalf("got %v", err)
			}
			golden(t, strings.TrimSuffix(file, "yaml")+"txt", err.Error()+"\n")
		})
	}
}

// A flag that makes a default wrong is named too.
func TestBadSets(t *testing.T) {
	t.Parallel()
	t.Attr("req", "DTS-CFG-1")
	for want, sets := range map[string][]string{
		`--set helth: unknown key; did you mean "health"?
--set health.tries: expected 1 or more, found "0"
--set leaderElection.renewDeadline: expected less than leaseDuration (15s), found 20s
--set log.level: expected debug, info, warn or error, found "loud"
--set log.format: expected json or text, found "xml"`: {
			"helth.interval=1m", "health.tries=0", "leaderElection.renewDeadline=20s", "log.level=loud", "log.format=xml",
		},
		"--set leaderElection.leaseDuration: leaderElection.renewDeadline: expected less than leaseDuration (5s), found 10s": {
			"leaderElection.leaseDuration=5s",
		},
	} {
		_, err := config.Load("", sets)
		if d := cmp.Diff(want, fmt.Sprint(err)); d != "" {
			t.Error(d)
		}
	}
}

// Times with which no replica could lead, or would lose the lease between renewals, are refused before a service starts
// with them.
func TestElectionTimes(t *testing.T) {
	t.Parallel()
	t.Attr("req", "DTS-CFG-1")
	for times, want := range map[string]string{
		"15s 10s 9s":          "retryPeriod: expected less than 8.333s (five sixths of renewDeadline, and of leaseDuration less a second), found 9s",
		"10900ms 10s 2s":      "renewDeadline: expected less than leaseDuration (10s), found 10s",
		"1s 500ms 100ms":      "leaseDuration: expected a duration from 2s to 24h, found 1s",
		"600000h 10s 2s":      "leaseDuration: expected a duration from 2s to 24h, found 600000h0m0s",
		"2s 1900ms 1500ms":    "retryPeriod: expected less than 833ms (five sixths of renewDeadline, and of leaseDuration less a second), found 1.5s",
		"10s 9900ms 8s":       "retryPeriod: expected less than 7.5s (five sixths of renewDeadline, and of leaseDuration less a second), found 8s",
		"15s 0s 2s":           "renewDeadline: expected a duration above 0s, found \"0s\"",
		"15s 10s 0s":          "retryPeriod: expected a duration above 0s, found \"0s\"",
		"2s 1900ms 800ms":     "",
		"15s 10s 8s":          "",
		"15999ms 14900ms 10s": "",
	} {
		var sets []string
		for i, key := range []string{"leaseDuration", "renewDeadline", "retryPeriod"} {
			sets = append(sets, "leaderElection."+key+"="+strings.Fields(times)[i])
		}
		_, err := config.Load("", sets)
		if (err == nil) != (want == "") || err != nil && !strings.HasSuffix(err.Error(), want) {
			t.Errorf("%s: %v, want %q", times, err, want)
		}
	}
}

func TestUnreadable(t *testing.T) {
	t.Parallel()
	t.Attr("req", "DTS-CFG-1")
	empty := write(t, "# all commented out\n")
	for path, want := range map[string]string{
		"testdata/none.yaml": "config file testdata/none.yaml: no such file or directory",
		"config.go/x.yaml":   "config file config.go/x.yaml: not a directory",
		"testdata":           "config file testdata: is a directory",
		empty:                empty + ": empty; expected one YAML document",
	} {
		if _, err := config.Load(path, nil); fmt.Sprint(err) != want {
			t.Errorf("got  %v\nwant %s", err, want)
		}
	}
}

// What may never be dialled is refused by default.
func TestDefaultDenyCIDRs(t *testing.T) {
	t.Parallel()
	t.Attr("req", "DTS-PRB-5")
	for _, s := range []string{"0.0.0.0", "0.1.2.3", "169.254.169.254", "169.254.170.2", "fe80::1", "fd00:ec2::254"} {
		denies := func(p netip.Prefix) bool { return p.Contains(netip.MustParseAddr(s)) }
		if !slices.ContainsFunc(config.Default().Security.DenyCIDRs, denies) {
			t.Errorf("%s is not denied", s)
		}
	}
}

// golden compares got with a file, or writes the file under -update.
func golden(t *testing.T, file, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(string(want), got); d != "" {
		t.Error(d)
	}
}

func write(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "config.yaml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// Where HolmesGPT is, is said once, and as what can be asked.
func TestWhereHolmesGPTIs(t *testing.T) {
	t.Attr("req", "DTS-RUN-7")
	for flag, want := range map[string]string{
		"holmesgpt.service=off":                             "",
		"holmesgpt.service=ai/holmes":                       "",
		"holmesgpt.service=ai/holmes:80":                    "",
		"holmesgpt.url=http://127.0.0.1:5050":               "",
		"holmesgpt.service=holmes":                          "expected auto, off, namespace/name or namespace/name:port",
		"holmesgpt.service=ai/holmes:0":                     "expected auto, off",
		"holmesgpt.service=ai/holmes:http":                  "expected auto, off",
		"holmesgpt.url=127.0.0.1:5050":                      "expected scheme://host:port",
		"holmesgpt.url=http://127.0.0.1:5050/api":           "expected scheme://host:port",
		"holmesgpt.url=http://u:p@127.0.0.1:5050":           "expected scheme://host:port",
		"holmesgpt={url: 'http://a:1', service: 'off'}":     "one of the two says where HolmesGPT is",
		"holmesgpt={url: 'http://a:1', service: ai/holmes}": "one of the two says where HolmesGPT is",
	} {
		_, err := config.Load("", []string{flag})
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%s: %v, want %q", flag, err, want)
		}
	}
}
