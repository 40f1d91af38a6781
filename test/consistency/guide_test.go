package consistency

import (
	"bytes"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"kubernaut.io/dynamic-toolset/internal/cli"
)

// influxDB answers as InfluxDB 1.8 does to the requests of the guide's type.
func influxDB(w http.ResponseWriter, r *http.Request) {
	answer := map[string]string{
		"/health": `{"checks":[],"message":"ready for queries and writes","name":"influxdb","status":"pass","version":"1.8.10"}`,
		"/query":  `{"results":[{"statement_id":0,"series":[{"name":"databases","columns":["name"],"values":[["_internal"]]}]}]}` + "\n",
	}[r.URL.Path]
	w.Header().Set("X-Influxdb-Version", "1.8.10")
	switch {
	case r.URL.Path == "/ping":
		w.WriteHeader(http.StatusNoContent)
	case answer == "":
		http.NotFound(w, r)
	default:
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, answer)
	}
}

// TestCatalogGuide follows the guide for types of one's own: its files as they stand, each of its commands, and what it says
// that they print.
func TestCatalogGuide(t *testing.T) {
	t.Attr("req", "DTS-DOC-1")
	d, ok := documents(t)["docs/catalog.md"]
	if !ok {
		t.Fatal("no guide")
	}
	backend := httptest.NewServer(http.HandlerFunc(influxDB))
	defer backend.Close()
	_, port, err := net.SplitHostPort(backend.Listener.Addr().String())
	fatal(t, err)
	t.Chdir(t.TempDir())
	fatal(t, os.Mkdir("catalog", 0o750))
	var printed strings.Builder
	commands := 0
	for _, b := range d.blocks {
		switch b.language {
		case "yaml":
			name, _, _ := strings.Cut(strings.TrimPrefix(b.text, "# "), "\n")
			// The guide forwards the port; this is the one that is free here.
			fatal(t, os.WriteFile(filepath.FromSlash(name), []byte(strings.ReplaceAll(b.text, "18086", port)), 0o600))
		case "sh":
			for _, args := range commandLines(b.text) {
				var out, errs bytes.Buffer
				code := cli.Run(t.Context(), "dynamic-toolset", args, cli.Streams{In: strings.NewReader(""), Out: &out, Err: &errs})
				if commands++; code != 0 {
					t.Errorf("%s: dynamic-toolset %s: exit code %d\n%s", d.at(b.number), strings.Join(args, " "), code, &errs)
				}
				printed.Write(out.Bytes())
			}
		case "text":
			took := regexp.MustCompile(`\([0-9.]+m?s\)`)
			if want := took.ReplaceAllString(b.text, "()"); !strings.Contains(took.ReplaceAllString(printed.String(), "()"), want) {
				t.Errorf("%s: none of the commands before it prints\n%s", d.at(b.number), want)
			}
		}
	}
	if commands < 6 {
		t.Errorf("only %d commands run", commands)
	}
}
