package server

import (
	"bufio"
	"compress/gzip"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"kubernaut.io/dynamic-toolset/internal/backend"
	"kubernaut.io/dynamic-toolset/internal/controller"
)

func TestRequestID(t *testing.T) {
	t.Attr("req", "DTS-API-2")
	f := start(t)
	for given, kept := range map[string]bool{
		"abc-123_X.y": true, strings.Repeat("a", 128): true,
		"": false, strings.Repeat("a", 129): false, "a b": false, "a\tb": false, "ü": false, `"quoted"`: false, "a=b": false, "<b>": false,
	} {
		for _, path := range []string{"/api/v1/status", "/api/v1/nothing", "/page", "/nothing", "/openapi.json"} {
			got := f.get(t, path, "X-Request-ID", given).header.Values("X-Request-ID")
			if len(got) != 1 || got[0] == "" || (got[0] == given) != kept {
				t.Errorf("%s: given %q, got %q, want it kept: %v", path, given, got, kept)
			}
		}
	}
	a, b := f.get(t, "/api/v1/status").header.Get("X-Request-ID"), f.get(t, "/api/v1/status").header.Get("X-Request-ID")
	if a == b {
		t.Errorf("two requests are both %q", a)
	}
}

// raw sends bytes as they are, and returns what comes back. The server may answer, and close the connection, before it
// has read them all.
func (f *fixture) raw(tb testing.TB, request string) string {
	tb.Helper()
	c, err := net.Dial("tcp", f.server.Listener.Addr().String())
	if err != nil {
		tb.Fatal(err)
	}
	defer c.Close()
	if err := c.SetDeadline(time.Now().Add(10 * time.Second)); err != nil {
		tb.Fatal(err)
	}
	go func() { _, _ = io.WriteString(c, request) }()
	text, err := io.ReadAll(c)
	if err != nil && len(text) == 0 {
		tb.Fatal(err)
	}
	return string(text)
}

// Nobody can put a line into the headers of an answer, nor into the log.
func TestRequestIDInjectsNothing(t *testing.T) {
	t.Attr("req", "DTS-SEC-3")
	f := start(t)
	for _, id := range []string{"a\r\nSet-Cookie: x=1", "a\nSet-Cookie: x=1", "a\rSet-Cookie: x=1", "a%0d%0aSet-Cookie: x=1", "a\x00b"} {
		text := f.raw(t, "GET /api/v1/status HTTP/1.1\r\nHost: x\r\nConnection: close\r\nX-Request-ID: "+id+"\r\n\r\n")
		head, _, _ := strings.Cut(text, "\r\n\r\n")
		if strings.Contains(head, "Set-Cookie") || strings.Contains(head, "%0d") {
			t.Errorf("%q: %s", id, head)
		}
	}
	f.get(t, "/api/v1/toolsets/a%0Alevel=ERROR%20msg=forged")
	for line := range strings.Lines(f.log.String()) {
		if !strings.HasPrefix(line, "time=") || strings.Contains(line, "level=ERROR") && !strings.Contains(line, `level=DEBUG`) {
			t.Errorf("a forged line: %s", line)
		}
	}
}

func TestGiantHeaders(t *testing.T) {
	t.Attr("req", "DTS-API-2")
	f := start(t)
	text := f.raw(t, "GET /api/v1/status HTTP/1.1\r\nHost: x\r\nX-Large: "+strings.Repeat("x", 2<<20)+"\r\n\r\n")
	if !strings.HasPrefix(text, "HTTP/1.1 431 ") { // net/http's own answer: no handler sees such a request
		t.Errorf("got %.100s", text)
	}
	if a := f.get(t, "/api/v1/status"); a.code != http.StatusOK {
		t.Errorf("afterwards: %d", a.code)
	}
}

func TestEveryRequestIsCountedAndLogged(t *testing.T) {
	t.Attr("req", "DTS-MET-1 DTS-LOG-1")
	f := start(t)
	for _, path := range []string{
		"/api/v1/toolsets/prometheus/metrics", "/api/v1/toolsets/nothing", "/api/v1/services/monitoring/grafana?token=hush",
		"/api/v1/services?x=1", "/api/v1/nothing", "/nothing", "/page", "/panic",
	} {
		f.get(t, path, "X-Request-ID", "the-id")
	}
	for want, n := range map[counted]int{
		{"/api/v1/toolsets/{name}", 200}:             1,
		{"/api/v1/toolsets/{name}", 404}:             1,
		{"/api/v1/services/{namespace}/{name}", 400}: 1,
		{"/api/v1/services", 400}:                    1,
		{"", 404}:                                    2,
		{"/page", 200}:                               1,
		{"/panic", 500}:                              1,
	} {
		if got := f.metrics.count(want.endpoint, want.code); got != n {
			t.Errorf("%+v: %d times, want %d", want, got, n)
		}
	}
	log := f.log.String()
	if n := strings.Count(log, `msg="request answered" request_id=the-id`); n != 8 {
		t.Errorf("%d lines for 8 requests:\n%s", n, log)
	}
	if !strings.Contains(log, `level=WARN msg="request answered"`) || strings.Contains(log, "hush") {
		t.Errorf("the log:\n%s", log)
	}
}

// A panic ends one request, with a stack in the log, and nothing else.
func TestPanic(t *testing.T) {
	t.Attr("req", "DTS-API-2")
	f := start(t)
	p := isProblem(t, f.get(t, "/panic"), http.StatusInternalServerError)
	if strings.Contains(p.Detail, "out of range") {
		t.Errorf("the caller is told %q", p.Detail)
	}
	f.state.snapshot.Findings = append(f.state.snapshot.Findings, nil) // which nobody expects
	isProblem(t, f.get(t, "/api/v1/services"), http.StatusInternalServerError)
	broken := example(t)
	broken.Document.HolmesGPT["toolsets"].(map[string]any)["broken"] = map[string]any{"config": map[string]any{"x": t.Fail}} // no JSON
	f.state.set(broken)
	isProblem(t, f.get(t, "/api/v1/toolsets"), http.StatusInternalServerError)
	f.state.set(example(t))
	if a := f.get(t, "/api/v1/services"); a.code != http.StatusOK {
		t.Errorf("afterwards: %d: %s", a.code, a.body)
	}
	if log := f.log.String(); strings.Count(log, "request handler panicked") != 3 || !strings.Contains(log, "front_test.go") && !strings.Contains(log, "helper_test.go") {
		t.Errorf("the log:\n%s", log)
	}
	if n := f.metrics.count("/api/v1/services", http.StatusInternalServerError); n != 1 {
		t.Errorf("%d counted", n)
	}
}

func TestCompression(t *testing.T) {
	t.Attr("req", "DTS-API-1")
	f := start(t)
	plain := f.get(t, "/api/v1/services", "Accept-Encoding", "identity")
	for encoding, compressed := range map[string]bool{
		"gzip": true, "deflate, GZIP; q=0.5": true, "zstd, gzip;q=1, br": true, "br": false, "gzip;q=0.000": false,
		"gzip;q=0": false, "gzip;q=0, *": false, "": false,
	} {
		a := f.get(t, "/api/v1/services", "Accept-Encoding", encoding)
		if (a.header.Get("Content-Encoding") == "gzip") != compressed || a.header.Get("Vary") != "Accept-Encoding" {
			t.Errorf("%q: %v", encoding, a.header)
		}
		if !compressed {
			continue
		}
		r, err := gzip.NewReader(strings.NewReader(a.body))
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(r)
		if err != nil || string(text) != plain.body || len(a.body)*2 > len(text) {
			t.Errorf("%q: %v, %d bytes of %d", encoding, err, len(a.body), len(text))
		}
	}
	whole := f.get(t, "/openapi.json", "Accept-Encoding", "gzip")
	if r, err := gzip.NewReader(strings.NewReader(whole.body)); err != nil {
		t.Errorf("openapi.json: %v", err)
	} else if text, err := io.ReadAll(r); err != nil || string(text) != f.get(t, "/openapi.json", "Accept-Encoding", "br").body {
		t.Errorf("openapi.json: %v", err)
	}
	if a := f.get(t, "/api/v1/changes", "Accept-Encoding", "gzip"); a.header.Get("Content-Encoding") != "" {
		t.Error("a body that fits into one packet is compressed")
	}
	isProblem(t, f.get(t, "/api/v1/toolsets/nothing", "Accept-Encoding", "gzip"), http.StatusNotFound)
	isProblem(t, f.get(t, "/api/v1/nothing", "Accept-Encoding", "gzip"), http.StatusNotFound)
	if a := f.ask(t, http.MethodHead, "/api/v1/services", nil, "Accept-Encoding", "gzip"); a.code != http.StatusOK || a.body != "" {
		t.Errorf("HEAD: %d %q", a.code, a.body)
	}
}

// A reader that takes a byte a second is cut off, and holds up nobody meanwhile.
func TestSlowReader(t *testing.T) {
	t.Attr("req", "DTS-API-2")
	f := start(t)
	f.limits.write, f.limits.discover = 2*time.Second, 0
	s := *example(t)
	// More than the sockets hold, and little enough to be there long before the limit.
	const size = 8 << 20
	s.Output.Keys = map[string]string{"custom_toolset.yaml": strings.Repeat("x", size)}
	f.state.set(&s)
	c, err := net.Dial("tcp", f.server.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if err := c.(*net.TCPConn).SetReadBuffer(64 << 10); err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(c, "GET /api/v1/document HTTP/1.1\r\nHost: x\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(c, make([]byte, 1)); err != nil {
		t.Fatal(err)
	}
	if a := f.get(t, "/api/v1/status"); a.code != http.StatusOK {
		t.Errorf("another reader: %d", a.code)
	}
	limit := time.After(10 * time.Second)
	for f.metrics.count("/api/v1/document", http.StatusOK) == 0 { // counted when it ends
		select {
		case <-limit:
			t.Fatal("the request does not end")
		case <-time.After(10 * time.Millisecond):
		}
	}
	if err := c.SetReadDeadline(time.Now().Add(10 * time.Second)); err != nil {
		t.Fatal(err)
	}
	if n, err := io.Copy(io.Discard, bufio.NewReader(c)); n >= size {
		t.Errorf("the slow reader got all %d bytes, %v", n, err)
	}
}

// Whoever does not read a response loses the connection, whatever was asked for.
func TestReadersThatDoNotRead(t *testing.T) {
	t.Attr("req", "DTS-SEC-3")
	f := start(t)
	nothing := http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})
	for path, handler := range map[string]http.Handler{
		"/metrics": ByPath(Anyone{}, nothing), "/page": f.Handler(nothing), "/api/v1/status": f.Handler(nothing),
	} {
		w := &dated{ResponseRecorder: httptest.NewRecorder()}
		handler.ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, http.NoBody))
		if left := time.Until(w.deadline); left <= 0 || left > writeWithin+f.limits.discover {
			t.Errorf("%s: the deadline is in %s", path, left)
		}
	}
}

type dated struct {
	*httptest.ResponseRecorder
	deadline time.Time
}

func (d *dated) SetWriteDeadline(t time.Time) error {
	d.deadline = t
	return nil
}

func TestStatusAndChanges(t *testing.T) {
	t.Attr("req", "DTS-API-1 DTS-UI-1")
	f := start(t)
	s := decode[Status](t, f.get(t, "/api/v1/status"))
	if s.Counts != (Counts{3, 1, 1, 1, 4}) || s.ServicesTotal != 10 || !s.Leader || s.Authenticated || s.Version != "1.2.3" ||
		fmt.Sprint(s.Types) != "[grafana jaeger loki prometheus]" || len(s.Problems) != 0 {
		t.Errorf("%+v", s)
	}
	for i := range 5 {
		f.history.Add(controller.Change{Kind: controller.ChangeAdded, Ref: backend.Ref{Namespace: "ns", Name: fmt.Sprint("s", i)}, Type: "loki", Message: "at <x>"})
	}
	l := decode[ChangeList](t, f.get(t, "/api/v1/changes?limit=2&since=1"))
	if l.Count != 4 || len(l.Changes) != 2 || l.Changes[0].Seq != 5 || l.Changes[1].Service != "s3" || l.Changes[0].Message != "at <x>" {
		t.Errorf("%+v", l)
	}
	if s := decode[Status](t, f.get(t, "/api/v1/status")); s.LastChange != 5 {
		t.Errorf("last change %d", s.LastChange)
	}
}

// The revision counts what people would see change, and nothing else.
func TestRevision(t *testing.T) {
	t.Attr("req", "DTS-UI-1")
	f := start(t)
	revision := func() uint64 { return decode[Status](t, f.get(t, "/api/v1/status")).Revision }
	before := revision()
	same := *example(t)
	same.At = time.Now()
	same.Findings[0].Observation.At = time.Now() // asked again, with the same outcome
	f.state.set(&same)
	if got := revision(); got != before {
		t.Errorf("nothing has changed: %d, was %d", got, before)
	}
	for i, change := range []func(){
		func() { f.state.snapshot.Leading = false },
		func() { f.state.snapshot.Findings[0].Reason.Code = backend.CodeWorks },
		func() { f.state.snapshot.Findings[3].Verdict = backend.Unavailable },
		func() { f.state.snapshot.Err = io.ErrUnexpectedEOF },
		func() { f.state.snapshot.Output.Version = "8" },
		func() { f.state.snapshot.Findings = f.state.snapshot.Findings[1:] },
	} {
		before := revision()
		f.state.set(example(t))
		revision()
		next := example(t)
		f.state.snapshot = next
		change()
		f.state.set(f.state.snapshot)
		if got := revision(); got == before {
			t.Errorf("change %d is not counted", i)
		}
	}
}

func TestOwnPaths(t *testing.T) {
	t.Attr("req", "DTS-API-2")
	for path, want := range map[string]bool{"/api/v1/status": true, "/api": true, "/openapi.json": true, "/": false, "/apis": false, "/healthz": false} {
		if own(path) != want {
			t.Errorf("%s: %v", path, !want)
		}
	}
}
