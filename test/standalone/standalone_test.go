// Package standalone runs the built program without a cluster: Services in files, documents in a directory, real HTTP.
package standalone

import (
	"bytes"
	"crypto/tls"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"kubernaut.io/dynamic-toolset/test/program"
	"kubernaut.io/dynamic-toolset/test/standin"
)

const document = "custom_toolset.yaml"

func TestFilesAreFollowed(t *testing.T) {
	t.Attr("req", "DTS-RUN-6")
	services, dir := filepath.Join(t.TempDir(), "services.yaml"), filepath.Join(t.TempDir(), "out")
	out := filepath.Join(dir, document)
	_, one := backend(t, "monitoring", "one", standin.Prometheus, prometheusLabels)
	down, two := backend(t, "monitoring", "two", standin.Prometheus, prometheusLabels)
	write(t, services, one)
	p := start(t, services, dir)
	holds(t, "what is there at the start", out, "monitoring/one")

	write(t, services, one+two)
	holds(t, "a Service is added", out, "monitoring/one", "monitoring/two")
	down.SetReady(false)
	holds(t, "a backend fails", out, "monitoring/one", "-monitoring/two")
	down.SetReady(true)
	holds(t, "it is back", out, "monitoring/one", "monitoring/two")

	// Rubbish, and a file that is gone, take nothing away; what is wrong is told.
	told := func(want string) { t.Helper(); p.tells(t, want) }
	write(t, services, "kind: Service\nmetadata: {name: [")
	told("services.yaml")
	holds(t, "rubbish", out, "monitoring/one", "monitoring/two")
	must(t, os.Remove(services))
	told("no such file")
	holds(t, "no file", out, "monitoring/one", "monitoring/two")
	write(t, services, two)
	holds(t, "a good file again", out, "-monitoring/one", "monitoring/two")
	told("[]")
	if code := p.Stop(t); code != 0 {
		t.Errorf("exit code %d", code)
	}
}

func TestDriftOnDisk(t *testing.T) {
	t.Attr("req", "DTS-RUN-6 DTS-OUT-8")
	services, dir := filepath.Join(t.TempDir(), "services.yaml"), filepath.Join(t.TempDir(), "out")
	out := filepath.Join(dir, document)
	_, one := backend(t, "monitoring", "one", standin.Prometheus, prometheusLabels)
	write(t, services, one)
	p := start(t, services, dir)
	holds(t, "at the start", out, "monitoring/one")

	must(t, os.Remove(out))
	holds(t, "a deleted file is back", out, "monitoring/one")
	write(t, out, "toolsets: {}\n")
	holds(t, "an edited file is put right", out, "monitoring/one")

	overrides := filepath.Join(dir, "overrides.yaml")
	const mine = "# mine\ntoolsets: {helm/core: {enabled: true}}\n"
	write(t, overrides, mine)
	holds(t, "overrides are in force", out, "helm/core")
	write(t, overrides, "toolsets: [")
	p.tells(t, "overrides.yaml")
	write(t, out, "")
	holds(t, "the last good overrides stay in force", out, "helm/core", "monitoring/one")
	holds(t, "the admin's text stays", overrides, "toolsets: [")
	write(t, overrides, mine)
	p.tells(t, "[]")
	holds(t, "good again", out, "helm/core")

	// All of it at once: the service may still be renaming files in it, which would keep it from being removed.
	must(t, os.Rename(dir, filepath.Join(t.TempDir(), "gone")))
	holds(t, "the deleted directory is back", out, "helm/core", "monitoring/one")
	holds(t, "with the overrides", overrides, mine)
	must(t, os.Remove(overrides))
	holds(t, "to remove them is the admin's will", out, "-helm/core", "monitoring/one")
}

func TestOneServicePerDirectory(t *testing.T) {
	t.Attr("req", "DTS-RUN-6")
	services, dir := filepath.Join(t.TempDir(), "services.yaml"), filepath.Join(t.TempDir(), "out")
	_, one := backend(t, "monitoring", "one", standin.Prometheus, prometheusLabels)
	write(t, services, one)
	first := start(t, services, dir)
	second := launch(t, services, dir)
	if code := second.Wait(t); code != 1 || !strings.Contains(second.Text(t), "another dynamic-toolset writes there; stop it") {
		t.Errorf("a second service on one directory: exit code %d\n%s", code, second.Text(t))
	}
	// A killed one leaves no lock behind, and a restart withdraws nothing.
	first.Kill()
	start(t, services, dir)
	holds(t, "after a restart", filepath.Join(dir, document), "monitoring/one")
}

// What a restart finds published stays until it has failed as often as anything else.
func TestRestartWithdrawsNothing(t *testing.T) {
	t.Attr("req", "DTS-PRB-7 DTS-OUT-10")
	services, dir := filepath.Join(t.TempDir(), "services.yaml"), filepath.Join(t.TempDir(), "out")
	out := filepath.Join(dir, document)
	down, one := backend(t, "monitoring", "one", standin.Prometheus, prometheusLabels)
	write(t, services, one)
	p := start(t, services, dir)
	holds(t, "at the start", out, "monitoring/one")
	before, err := os.Stat(out)
	must(t, err)
	p.Stop(t)
	p = start(t, services, dir)
	if after, err := os.Stat(out); err != nil || !after.ModTime().Equal(before.ModTime()) {
		t.Errorf("a restart that changes nothing wrote the file: %v, %v", after.ModTime(), err)
	}
	p.Stop(t)
	down.SetReady(false)
	start(t, services, dir, "--set", "health.interval=1h")
	holds(t, "one failed check withdraws nothing", out, "monitoring/one")
}

func TestBadStart(t *testing.T) {
	t.Attr("req", "DTS-RUN-6 DTS-CLI-5")
	good := filepath.Join(t.TempDir(), "good.yaml")
	_, one := backend(t, "monitoring", "one", standin.Prometheus, prometheusLabels)
	write(t, good, one)
	bad := filepath.Join(t.TempDir(), "bad.yaml")
	write(t, bad, "a: [")
	handwritten := t.TempDir()
	write(t, filepath.Join(handwritten, document), "toolsets:\n  mine: {enabled: true}\n")
	unreadable := t.TempDir()
	must(t, os.Mkdir(filepath.Join(unreadable, "overrides.yaml"), 0o700))
	tests := []struct {
		name, services, dir string
		want                string
	}{
		{"somebody's own toolset file", good, handwritten, "move it away"},
		{"no file", filepath.Join(t.TempDir(), "missing.yaml"), t.TempDir(), "missing.yaml"},
		{"a bad file", bad, t.TempDir(), "bad.yaml"},
		{"the directory is a file", good, good, "good.yaml"},
		{"overrides that cannot be read", good, unreadable, "overrides.yaml: it is no regular file; put one there"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p := launch(t, tt.services, tt.dir)
			code, text := p.Wait(t), p.Text(t)
			last := strings.TrimSpace(text)
			last = last[strings.LastIndex(last, "\n")+1:]
			if code != 1 || !strings.Contains(last, tt.want) || strings.Contains(text, "goroutine") {
				t.Errorf("exit code %d\n%s", code, text)
			}
			if _, err := os.Lstat(filepath.Join(tt.dir, ".dynamic-toolset.lock")); err == nil {
				t.Error("the lock's file stays")
			}
		})
	}
}

// A dry run finds what there is, and neither writes nor elects.
func TestDryRun(t *testing.T) {
	t.Attr("req", "DTS-RUN-6")
	services, dir := filepath.Join(t.TempDir(), "services.yaml"), filepath.Join(t.TempDir(), "out")
	_, one := backend(t, "monitoring", "one", standin.Prometheus, prometheusLabels)
	write(t, services, one)
	p := start(t, services, dir, "--dry-run")
	var doc struct{ Desired map[string]string }
	program.Eventually(t, "it knows what it would write", func() error {
		if err := p.ask(t, "/api/v1/document", &doc); err != nil {
			return err
		}
		if text := doc.Desired[document]; !strings.Contains(text, "monitoring/one") {
			return errors.New(text)
		}
		return nil
	})
	if code := p.Stop(t); code != 0 {
		t.Errorf("exit code %d", code)
	}
	if text := p.Text(t); strings.Contains(text, "lead") {
		t.Errorf("it logs who leads: %s", text)
	}
	if _, err := os.Stat(dir); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("it wrote: %v", err)
	}
}

// One self-signed certificate serves the API and the metrics: whoever keeps a copy of it keeps one.
func TestOneCertificate(t *testing.T) {
	t.Attr("req", "DTS-API-3")
	services := filepath.Join(t.TempDir(), "services.yaml")
	_, one := backend(t, "monitoring", "one", standin.Prometheus, prometheusLabels)
	write(t, services, one)
	p := launch(t, services, t.TempDir(), "--set", "server.tls.mode=self-signed")
	listening := regexp.MustCompile(`"server":"(api|metrics)","address":"([^"]+)","tls":true`)
	var found [][]string
	program.Eventually(t, "both listen", func() error {
		if found = listening.FindAllStringSubmatch(p.Text(t), -1); len(found) != 2 {
			return errors.New(p.Text(t))
		}
		return nil
	})
	var shown [][]byte
	for _, m := range found {
		conn, err := tls.Dial("tcp", m[2], &tls.Config{InsecureSkipVerify: true})
		if err != nil {
			t.Fatalf("%s: %v", m[1], err)
		}
		shown = append(shown, conn.ConnectionState().PeerCertificates[0].Raw)
		_ = conn.Close()
	}
	if !bytes.Equal(shown[0], shown[1]) {
		t.Error("the API and the metrics have different certificates")
	}
}
