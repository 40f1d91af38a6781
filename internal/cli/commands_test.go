package cli

import (
	"bytes"
	"strings"
	"testing"

	"kubernaut.io/dynamic-toolset/internal/catalog"
)

func TestCatalog(t *testing.T) {
	t.Attr("req", "DTS-DET-2")
	golden(t, "catalog", mustRun(t, "catalog").out)
	types, err := catalog.Builtin()
	if err != nil {
		t.Fatal(err)
	}
	for _, typ := range types.Types {
		source := mustRun(t, "catalog", typ.Type).out
		if v := runWith(t, source, "validate", "--as", "catalog", "-"); v.code != 0 {
			t.Errorf("%s: its own source is refused: %s", typ.Type, v.err)
		}
	}
}

func TestVersion(t *testing.T) {
	t.Attr("req", "DTS-CLI-1")
	if r := mustRun(t, "version"); !strings.HasPrefix(r.out, "dynamic-toolset ") || strings.Count(r.out, "\n") != 1 {
		t.Errorf("%q", r.out)
	}
}

func TestCompletion(t *testing.T) {
	t.Attr("req", "DTS-CLI-1")
	for _, shell := range []string{"bash", "zsh", "fish", "powershell"} {
		if r := mustRun(t, "completion", shell); len(r.out) < 1000 || !strings.Contains(r.out, "dynamic-toolset") {
			t.Errorf("%s: %d bytes", shell, len(r.out))
		}
	}
	for _, tt := range []struct{ args, want []string }{
		{[]string{"discover", "--probe", ""}, []string{"auto", "direct", "proxy", "off"}},
		{[]string{"discover", "-o", ""}, []string{"table", "wide", "json", "yaml"}},
		{[]string{"catalog", "graf"}, []string{"grafana"}},
		{[]string{""}, []string{"catalog", "diff", "discover", "explain", "generate", "validate", "version"}},
	} {
		r := mustRun(t, append([]string{"__complete"}, tt.args...)...)
		for _, w := range tt.want {
			if !strings.Contains("\n"+r.out, "\n"+w) {
				t.Errorf("%q offers\n%swithout %s", tt.args, r.out, w)
			}
		}
	}
}

// TestPlugin: under the name of a kubectl plugin the program calls itself as kubectl calls it.
func TestPlugin(t *testing.T) {
	t.Attr("req", "DTS-CLI-6")
	for _, tt := range []struct{ name, calls, never string }{
		{"/usr/local/bin/kubectl-toolset", "kubectl toolset", "dynamic-toolset discover"},
		{"/usr/local/bin/dynamic-toolset", "dynamic-toolset", "kubectl toolset"},
	} {
		var out, errs bytes.Buffer
		for _, args := range [][]string{{"--help"}, {"discover", "--help"}, {"explain", "--help"}, {"generate"}, {"explain"}} {
			Run(t.Context(), tt.name, args, Streams{Out: &out, Err: &errs})
		}
		all := out.String() + errs.String()
		if !strings.Contains(all, "\n  "+tt.calls+" discover") || !strings.Contains(all, tt.calls+" explain --help shows how it is used)") || strings.Contains(all, tt.never) {
			t.Errorf("as %s:\n%s", tt.name, all)
		}
	}
	var out, errs bytes.Buffer
	if code := Run(t.Context(), "kubectl-toolset", []string{"discover", "-f", clusterFile}, Streams{Out: &out, Err: &errs}); code != 0 {
		t.Errorf("exit code %d: %s", code, errs.String())
	}
}

// TestHelp: every command says what it does and shows an example where it takes something.
func TestHelp(t *testing.T) {
	t.Attr("req", "DTS-CLI-5")
	for _, args := range [][]string{nil, {"help"}, {"--help"}, {"help", "explain"}, {"discover", "-h"}, {"generate", "-h"}, {"explain", "-h"}, {"diff", "-h"}, {"validate", "-h"}, {"completion"}} {
		if r := mustRun(t, args...); !strings.Contains(r.out, "Usage:") || r.err != "" {
			t.Errorf("%q: %+v", args, r)
		}
	}
	expect(t, mustRun(t, "discover", "--help").out, `(default "30s")`) // of --request-timeout: kubectl waits for ever
}
