package main

import (
	"bytes"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// The demonstration needs nothing but Go: it builds the program, runs it on the stand-ins and sees everything written.
func TestDemo(t *testing.T) {
	t.Attr("req", "DTS-PKG-2")
	t.Attr("req", "DTS-RUN-6")
	binary := filepath.Join(t.TempDir(), "dynamic-toolset")
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-o", binary, "../../cmd/dynamic-toolset").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	var out bytes.Buffer
	if err := run(t.Context(), []string{"-binary", binary, "-for", "12s"}, &out); err != nil {
		t.Fatalf("%v\n%s", err, out.String())
	}
	for _, want := range []string{"The page is at   http://127.0.0.1:", "custom_toolset.yaml is written:", "HolmesGPT has this document: ", "Stopped."} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("%q was not printed:\n%s", want, out.String())
		}
	}
	if err := run(t.Context(), []string{"-binary", filepath.Join(t.TempDir(), "missing")}, &out); err == nil || !strings.Contains(err.Error(), "make build") {
		t.Errorf("without the program: %v", err)
	}
}
