//go:build browser

// Package browser tests the page in a real Chromium. The tests are in JavaScript (*.test.mjs), because the tools are; this
// package runs them and reports their results. Run it with: make test-browser
package browser

import (
	"bytes"
	"errors"
	"io/fs"
	"net/http/httptest"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"

	"kubernaut.io/dynamic-toolset/internal/server"
)

// TestParts checks the parts of the page that need no browser.
func TestParts(t *testing.T) {
	t.Attr("req", "DTS-UI-1")
	node(t, "unit.test.mjs")
}

// TestPage looks at the page, with the headers that it really has, against a server that answers as the API does.
func TestPage(t *testing.T) {
	t.Attr("req", "DTS-UI-1 DTS-OUT-13 DTS-SEC-3")
	h, err := server.Page()
	must(t, err)
	s := httptest.NewServer(h)
	defer s.Close()
	node(t, "page.test.mjs", "PAGE_URL="+s.URL+"/", "CHROMIUM="+chromium(t))
}

func chromium(t *testing.T) string {
	t.Helper()
	for _, name := range []string{os.Getenv("CHROMIUM"), "chromium", "chromium-browser", "google-chrome"} {
		if name == "" {
			continue
		}
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	t.Fatal("no Chromium: make test-browser gets one where it can")
	return ""
}

// node runs a file of tests and makes each of them a subtest.
func node(t *testing.T, file string, env ...string) {
	t.Helper()
	if _, err := os.Stat("node_modules"); errors.Is(err, fs.ErrNotExist) {
		t.Fatal("the packages of package-lock.json are missing: make test-browser gets them")
	}
	c := exec.CommandContext(t.Context(), "node", "--test", "--test-reporter=tap", file)
	c.Env = append(os.Environ(), env...)
	var stderr bytes.Buffer
	c.Stderr = &stderr
	out, err := c.Output()
	results := read(string(out))
	if len(results) == 0 {
		t.Fatalf("no test was run: %v\n%s%s", err, out, &stderr)
	}
	failed := false
	for _, r := range results {
		failed = failed || !r.ok
		t.Run(r.name, func(t *testing.T) {
			if !r.ok {
				t.Error(r.text)
			}
		})
	}
	if err != nil && !failed {
		t.Errorf("%v\n%s%s", err, out, &stderr)
	}
}

type result struct {
	name, text string
	ok         bool
}

// read takes the tests out of what node prints (TAP, version 13). A file that is given alone is no test of its own.
func read(tap string) []result {
	line := regexp.MustCompile(`^(not )?ok \d+ - (.*?)(?: # .*)?$`)
	var list []result
	for text := range strings.SplitSeq(tap, "\n") {
		switch m := line.FindStringSubmatch(text); {
		case m != nil:
			list = append(list, result{name: m[2], ok: m[1] == ""})
		case len(list) > 0 && strings.HasPrefix(text, "  "):
			list[len(list)-1].text += text + "\n"
		}
	}
	return list
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
