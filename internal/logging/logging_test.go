package logging

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/klog/v2"

	"kubernaut.io/dynamic-toolset/internal/config"
)

func newLogger(t *testing.T, level, format string) (*slog.Logger, *bytes.Buffer) {
	t.Helper()
	var b bytes.Buffer
	return New(&b, config.Log{Level: level, Format: format}), &b
}

// entries decodes JSON lines, without their times.
func entries(t *testing.T, b *bytes.Buffer) []map[string]any {
	t.Helper()
	var list []map[string]any
	for line := range strings.Lines(b.String()) {
		var e map[string]any
		if err := json.Unmarshal([]byte(line), &e); err != nil {
			t.Fatalf("%v: %s", err, line)
		}
		delete(e, "time")
		list = append(list, e)
	}
	return list
}

func TestJSON(t *testing.T) {
	t.Attr("req", "DTS-LOG-1")
	log, b := newLogger(t, "info", "json")
	log.Debug("not shown")
	log.Info("backend added", "namespace", "monitoring", "service", "prometheus", "type", "prometheus", "toolset", "prometheus/metrics")
	log.Error("cannot write", "err", errors.New("two\nlines"), "request_id", "r1")
	want := []map[string]any{
		{"level": "INFO", "msg": "backend added", "namespace": "monitoring", "service": "prometheus", "type": "prometheus", "toolset": "prometheus/metrics"},
		{"level": "ERROR", "msg": "cannot write", "err": "two\nlines", "request_id": "r1"},
	}
	if diff := cmp.Diff(want, entries(t, b)); diff != "" {
		t.Errorf("entries (-want +got):\n%s", diff)
	}
}

func TestLevels(t *testing.T) {
	t.Attr("req", "DTS-LOG-1")
	for i, level := range []string{"error", "warn", "info", "debug"} {
		log, b := newLogger(t, level, "text")
		log.Error("d", "namespace", "a", "service", "b")
		log.Warn("c")
		log.Info("b")
		log.Debug("a")
		if got := b.String(); strings.Count(got, "\n") != i+1 || !strings.Contains(got, "level=ERROR msg=d namespace=a service=b\n") {
			t.Errorf("%s: %s", level, got)
		}
	}
}

type pointerError struct{ text string }

func (e *pointerError) Error() string { return e.text }

func TestNoSecrets(t *testing.T) {
	t.Attr("req", "DTS-LOG-1")
	const secret = "s3cr3tS3cr3tS3cr3t"
	jwt := "eyJhbGciOiJSUzI1NiJ9." + secret + ".sig-" + secret
	u := &url.URL{Scheme: "https", User: url.UserPassword("admin", secret), Host: "host:9200", Path: "/"}
	var nilError *pointerError
	logs := map[string]func(*slog.Logger){
		"error with a URL":   func(l *slog.Logger) { l.Error("x", "err", fmt.Errorf("GET %s: refused", u)) },
		"user alone":         func(l *slog.Logger) { l.Error("x", "err", errors.New("GET https://"+secret+"@host/: refused")) },
		"at in the password": func(l *slog.Logger) { l.Error("x", "err", errors.New("GET http://u:p@"+secret+"@host/: refused")) },
		"url.Error":          func(l *slog.Logger) { l.Error("x", "err", &url.Error{Op: "Get", URL: u.String(), Err: io.EOF}) },
		"a URL":              func(l *slog.Logger) { l.Info("x", "url", u) },
		"joined errors":      func(l *slog.Logger) { l.Error("x", "err", errors.Join(io.EOF, errors.New(u.String()))) },
		"header as text": func(l *slog.Logger) {
			l.Info("x", "request", "GET / HTTP/1.1\r\nAuthorization: Basic "+secret+"\r\nHost: h")
		},
		"header": func(l *slog.Logger) { l.Info("x", "header", http.Header{"Authorization": {"Bearer " + secret}}) },
		"cookie": func(l *slog.Logger) { l.Info("x", "header", http.Header{"Cookie": {"grafana_session=" + secret}}) },
		"raw JSON": func(l *slog.Logger) {
			l.Info("x", "body", json.RawMessage(`{"Authorization":"Basic `+secret+`"}`))
		},
		"behind a pointer": func(l *slog.Logger) {
			at := "http://host/a?b=c&token=" + secret
			l.Info("x", "request", struct{ URL *string }{&at})
		},
		"api key":             func(l *slog.Logger) { l.Info("x", "header", map[string]string{"X-Api-Key": secret}) },
		"bearer in an error":  func(l *slog.Logger) { l.Error("x", "err", errors.New("denied: bearer "+secret)) },
		"token of an account": func(l *slog.Logger) { l.Error("x", "err", errors.New("token "+jwt+" has expired")) },
		"query":               func(l *slog.Logger) { l.Info("x", "url", "http://host/a?b=c&api_key="+secret) },
		"by its key":          func(l *slog.Logger) { l.Info("x", "api_key", secret) },
		"list by its key":     func(l *slog.Logger) { l.Info("x", "tokens", []string{secret}) },
		"in a group": func(l *slog.Logger) {
			l.WithGroup("g").With("password", secret).Info("x", slog.Group("h", "err", errors.New(u.String())))
		},
		"message":      func(l *slog.Logger) { l.Info("cannot reach " + u.String()) }, //nolint:sloglint // as libraries do
		"of a library": func(l *slog.Logger) { Library(l).Error(errors.New(u.String()), "x", "url", u.String()) },
		"nil error":    func(l *slog.Logger) { l.Error("x", "err", nilError, "nothing", nil, "token", "", "password", secret) },
	}
	for name, do := range logs {
		for _, format := range []string{"json", "text"} {
			log, b := newLogger(t, "debug", format)
			do(log)
			got := b.String()
			if strings.Contains(got, secret) || !strings.Contains(got, asterisks) || strings.Count(got, "\n") != 1 {
				t.Errorf("%s, %s: logged %s", name, format, got)
			}
		}
	}
}

// What looks a little like a secret stays readable.
func TestKeepsTheRest(t *testing.T) {
	t.Attr("req", "DTS-LOG-1")
	for _, s := range []string{
		`Get "http://10.0.0.1:9090/api/v1/status/buildinfo?a=b": dial tcp 10.0.0.1:9090: connect: connection refused`,
		"the bearer of bad news",
		"mail ops@example.org about http://host/a@b",
		"kubernaut.io/toolset-port: expected a port name or number",
		"leases.coordination.k8s.io \"dynamic-toolset\" is forbidden: User \"system:serviceaccount:a:b\" cannot get resource",
	} {
		for _, format := range []string{"json", "text"} {
			log, b := newLogger(t, "info", format)
			log.Info("x", "err", errors.New(s), "list", []string{s}, "number", 3)
			if strings.Contains(b.String(), asterisks) {
				t.Errorf("%q was redacted: %s", s, b)
			}
		}
	}
}

// redirected is what Redirect's logger has written. Redirect is called once per process.
var redirected = sync.OnceValue(func() *bytes.Buffer {
	var b bytes.Buffer
	Redirect(New(&b, config.Log{Level: "debug", Format: "json"}))
	return &b
})

func TestRedirect(t *testing.T) {
	t.Attr("req", "DTS-LOG-1")
	failed := errors.New("connection refused")
	say := func() {
		klog.InfoS("klog says", "lock", "a/b")
		klog.ErrorS(failed, "klog failed")
		klog.Background().Error(failed, "contextual klog failed")
		klog.Background().V(2).Info("too much")
		log.Print("net/http says")
	}
	b := redirected()
	b.Reset()
	say()
	want := []map[string]any{
		{"level": "DEBUG", "msg": "klog says", "lock": "a/b"},
		{"level": "WARN", "msg": "klog failed", "err": "connection refused"},
		{"level": "WARN", "msg": "contextual klog failed", "err": "connection refused"},
		{"level": "DEBUG", "msg": "net/http says"},
	}
	if diff := cmp.Diff(want, entries(t, b)); diff != "" {
		t.Errorf("entries (-want +got):\n%s", diff)
	}

	// At info the libraries' failures are what is left.
	log, b := newLogger(t, "info", "json")
	Library(log).Info("a library says")
	Library(log).Error(failed, "a library failed")
	if got := len(entries(t, b)); got != 1 {
		t.Errorf("%d entries at info, want 1: %s", got, b)
	}
}
