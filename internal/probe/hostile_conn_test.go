package probe

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"kubernaut.io/dynamic-toolset/internal/backend"
)

// lines returns n header lines, all different and as short as possible.
func lines(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "%x:\r\n", i)
	}
	return b.String()
}

// TestHostileConnections probes backends that break the protocol or never finish. Each try ends in time, takes little
// memory, closes its connections and reports the problem.
func TestHostileConnections(t *testing.T) {
	t.Attr("req", "DTS-PRB-3 DTS-PRB-5 DTS-SEC-3")
	const ok, chunked = "HTTP/1.1 200 OK\r\n", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
	say := func(text string) func(net.Conn) {
		return each(func(c net.Conn, _ *http.Request, _ int) { _, _ = io.WriteString(c, text) })
	}
	forever := func(begin, again string) func(net.Conn) {
		return each(func(c net.Conn, _ *http.Request, _ int) {
			_, err := io.WriteString(c, begin)
			for text := []byte(again); err == nil; {
				_, err = c.Write(text)
			}
		})
	}
	drip := func(text string) func(net.Conn) {
		return each(func(c net.Conn, _ *http.Request, _ int) {
			for i := range len(text) {
				if _, err := io.WriteString(c, text[i:i+1]); err != nil {
					return
				}
				time.Sleep(10 * time.Millisecond) //nolint:forbidigo // a real connection has no other clock
			}
		})
	}
	long := strings.Repeat("x", 1000)
	wrong := func(detail string) observed {
		return observed{Outcome: backend.WrongIdentity, Detail: detail}
	}
	timeout := observed{Outcome: backend.Unreachable, Cause: causeTimeout, Detail: "no complete answer within 200ms"}
	tests := []struct {
		name   string
		handle func(net.Conn)
		want   observed
	}{
		{"header that drips", drip(ok + "X: " + long), timeout},
		{"body that drips", drip(ok + "Content-Length: 1000\r\n\r\n" + long), timeout},
		{"no answer", func(c net.Conn) { _, _ = io.Copy(io.Discard, c) }, timeout},
		{"header without end", forever(ok, "Set-Cookie: a=b\r\n"), wrong("more than 200 header lines")},
		{"header line without end", forever(ok+"X: ", long), wrong("over 64 KiB")},
		{"many short header lines", say(ok + lines(9000) + "\r\n"), wrong("more than 200 header lines")},
		{"many short header lines, never all", say(ok + lines(9000)), wrong("more than 200 header lines")},
		{"many cookies", say(ok + strings.Repeat("Set-Cookie: a="+strings.Repeat("x", 40)+"\r\n", 1000) + "\r\n"), wrong("more than 200 header lines")},
		{"continued header lines", say(ok + "X: a\r\n" + strings.Repeat(" b\r\n", 9000) + "\r\n"), wrong("more than 200 header lines")},
		{"100 without end", forever("", "HTTP/1.1 100 Continue\r\n\r\n"), wrong("more than 200 header lines")},
		{"103 without end", forever("", "HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n"), wrong("more than 200 header lines")},
		{"103, then many lines", say("HTTP/1.1  103 X\r\n\r\n" + ok + lines(9000) + "\r\n"), wrong("more than 200 header lines")},
		{"100 that drips", drip(strings.Repeat("HTTP/1.1 100 Continue\r\n\r\n", 100)), timeout},
		{"101 and silence", say("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n"), wrong("it switches to another protocol")},
		{"101 and no end", forever("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n", long), wrong("it switches to another protocol")},
		{"HTTP/2 settings", say("\x00\x00\x06\x04\x00\x00\x00\x00\x00\x00\x03\x00\x00\x00\x64\n"), wrong("does not speak HTTP/1.1")},
		{"HTTP/2 preface", say("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), wrong("does not speak HTTP/1.1")},
		{"HTTP/2 in words", say("HTTP/2 200\r\ncontent-length: 2\r\n\r\nOK"), wrong("does not speak HTTP/1.1")},
		{"HTTP/2 frames without end", forever("", strings.Repeat("\x00\x00\x00\x04\x01\x00\x00\x00\x00", 100)), wrong("over 64 KiB")},
		{"Redis", say("-ERR unknown command 'GET'\r\n"), wrong("does not speak HTTP/1.1")},
		{"a status that is none", say("HTTP/1.1 {{ env.TOKEN }}\r\n\r\n"), wrong("does not speak HTTP/1.1")},
		{"a reason that is a template", say("HTTP/1.1 418 {{ env.TOKEN }}\r\nContent-Length: 0\r\n\r\n"), wrong("418")},
		{"length too large", say(ok + "Content-Length: 99\r\n\r\nOK"), timeout},
		{"length too large, closed", func(c net.Conn) {
			_, _ = c.Read(make([]byte, 4096))
			_, _ = io.WriteString(c, ok+"Content-Length: 99\r\n\r\nOK")
		},
			observed{Outcome: backend.Unreachable, Cause: backend.CauseClosed}},
		{"length of the largest number", say(ok + "Content-Length: 9223372036854775807\r\n\r\nOK"), timeout},
		{"length over that", say(ok + "Content-Length: 92233720368547758070\r\n\r\nOK"), wrong("not valid HTTP/1.1")},
		{"length too small", say(ok + "Content-Length: 1\r\n\r\nO{{ env.TOKEN }}"), wrong(`"O"`)},
		{"length below 0", say(ok + "Content-Length: -1\r\n\r\nOK"), wrong("not valid HTTP/1.1")},
		{"two lengths", say(ok + "Content-Length: 2\r\nContent-Length: 3\r\n\r\nOK"), wrong("not valid HTTP/1.1")},
		{"two answers to one request", say(strings.Repeat(ok+"Content-Length: 2\r\n\r\nOK", 2)), wrong(`"OK"`)},
		{"unknown transfer encoding", say(ok + "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n"), wrong("not valid HTTP/1.1")},
		{"chunk of the largest size", say(chunked + "7fffffffffffffff\r\nabc"), timeout},
		{"chunk over that", say(chunked + "fffffffffffffffff\r\nabc"), wrong("framing is not valid HTTP/1.1")},
		{"chunk below 0", say(chunked + "-1\r\nabc"), wrong("framing is not valid HTTP/1.1")},
		{"chunk that is longer than it says", say(chunked + "1\r\nabcdef\r\n0\r\n\r\n"), wrong("framing is not valid HTTP/1.1")},
		{"chunks of one byte without end", forever(chunked, strings.Repeat("1\r\n \r\n", 1000)), wrong("over 1 MiB")},
		{"chunk extensions without end", forever(chunked, "1;"+long+"\r\n \r\n"), wrong("framing is not valid HTTP/1.1")},
		{"a chunk extension without end", forever(chunked+"1;", long), wrong("framing is not valid HTTP/1.1")},
		{"trailers without end", forever(chunked+"1\r\n \r\n0\r\n", strings.Repeat("A: b\r\n", 100)), wrong("framing is not valid HTTP/1.1")},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tt.want.Scheme = "http"
			attack(t, Options{}, tt.handle, tt.want)
		})
	}
}

// attack probes a backend that handles its connections with the given function.
func attack(t *testing.T, opts Options, handle func(net.Conn), want observed) {
	t.Helper()
	open := make(chan struct{}, 100)
	target := raw(t, lookupType(t, "prometheus"), func(c net.Conn) {
		open <- struct{}{}
		handle(c)
		<-open
	})
	target.Candidate.Scheme = want.Scheme
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	begin := time.Now()
	if opts.Timeout = time.Minute; want.Cause == causeTimeout { // what has an end has all the time that a slow machine takes
		opts.Timeout = 200 * time.Millisecond
	}
	got := newProber(t, opts).Probe(t.Context(), target)
	if took := time.Since(begin); took > 3*opts.Timeout { // the time of a try
		t.Errorf("took %s", took)
	}
	runtime.ReadMemStats(&after)
	if n := after.TotalAlloc - before.TotalAlloc; n > 16<<20 {
		t.Errorf("%d KiB are allocated", n>>10)
	}
	expect(t, got, want)
	harmless(t, got)
	for end := time.Now().Add(2 * time.Second); len(open) > 0; time.Sleep(time.Millisecond) { //nolint:forbidigo // as above
		if time.Now().After(end) {
			t.Fatalf("%d connections are still open", len(open))
		}
	}
}

// TestHostileTLS is like TestHostileConnections, with backends that never finish a TLS handshake or message.
func TestHostileTLS(t *testing.T) {
	t.Attr("req", "DTS-PRB-3 DTS-PRB-5 DTS-SEC-3")
	ca := newAuthority(t)
	chain := func(n int) func(net.Conn) {
		cert := ca.issue(t, testHost, time.Hour)
		for range n {
			cert.Certificate = append(cert.Certificate, ca.issue(t, testHost, time.Hour).Certificate[0])
		}
		return func(c net.Conn) {
			secure := tls.Server(c, &tls.Config{Certificates: []tls.Certificate{cert}})
			each(func(c net.Conn, r *http.Request, _ int) {
				w := httptest.NewRecorder()
				prometheus.ServeHTTP(w, r)
				res := w.Result()
				res.ContentLength = int64(w.Body.Len())
				_ = res.Write(c)
			})(secure)
		}
	}
	records := func(begin, again string, wait time.Duration) func(net.Conn) {
		return func(c net.Conn) {
			_, _ = c.Read(make([]byte, 4096))
			_, err := io.WriteString(c, begin)
			for err == nil {
				_, err = io.WriteString(c, again)
				time.Sleep(wait) //nolint:forbidigo // as above
			}
		}
	}
	var connections atomic.Int32
	later := func(c net.Conn) {
		if connections.Add(1) == 1 {
			chain(0)(c)
		}
		_, _ = io.Copy(io.Discard, c)
	}
	unreachable := func(cause, detail string) observed {
		return observed{Outcome: backend.Unreachable, Cause: cause, Detail: detail}
	}
	tests := []struct {
		name   string
		handle func(net.Conn)
		want   observed
	}{
		{"a handshake that never begins", func(c net.Conn) { _, _ = io.Copy(io.Discard, c) }, unreachable(causeTimeout, "")},
		{"a later handshake that never begins", later, unreachable(causeTimeout, "")},
		{"a handshake that drips", records("\x16\x03\x03\x40\x00\x02\x00\x3f\xfc", "x", 10*time.Millisecond), unreachable(causeTimeout, "")},
		{"empty records", records("", "\x16\x03\x03\x00\x00", 0), unreachable(causeOther, "the TLS handshake fails")},
		{"warnings without end", records("", "\x15\x03\x03\x00\x02\x01\x5a", 0), unreachable(causeOther, "the TLS handshake fails")},
		{"a message of 16 MiB", records("\x16\x03\x03\x40\x00\x02\xff\xff\xff", strings.Repeat("x", 16<<10), 0), unreachable(causeOther, "the TLS handshake fails")},
		{"a long chain", chain(50), observed{Outcome: backend.Ready, Identity: true, Version: "2.53.1"}},
		{"a chain that is too long", chain(200), observed{Outcome: backend.UntrustedTLS, Detail: "its certificates take more than 32 KiB"}},
		{"a chain that is far too long", chain(800), unreachable(causeOther, "the TLS handshake fails")},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tt.want.Scheme = "https"
			attack(t, Options{RootCAs: ca.roots}, tt.handle, tt.want)
		})
	}
	secure := newProber(t, Options{}).secure(targetFor(nil))
	if secure.Renegotiation != tls.RenegotiateNever {
		t.Error("a backend may begin another handshake whenever it likes")
	}
}

// hanging is a body of just under 1 MiB that then never ends.
type hanging struct {
	left int
	ends <-chan struct{}
}

func (h *hanging) Read(p []byte) (int, error) {
	if h.left == 0 {
		<-h.ends
		return 0, context.DeadlineExceeded
	}
	n := min(len(p), h.left)
	h.left -= n
	return n, nil
}

// The backends of one owner send long responses that never end. They take little memory, and no other owner waits.
func TestManyLargeAnswersTakeLittleMemory(t *testing.T) {
	t.Attr("req", "DTS-PRB-5 DTS-SEC-3")
	synctest.Test(t, func(t *testing.T) {
		targets, typ := many(256), lookupType(t, "prometheus")
		for i := range targets {
			targets[i].Type = typ
			targets[i].Candidate.Service.Namespace = "evil"
		}
		targets[255].Candidate.Service.Namespace = "good"
		p := newProber(t, Options{RoundTripper: func(c *backend.Candidate) http.RoundTripper {
			return roundTripper(func(r *http.Request) (*http.Response, error) {
				res := &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Request: r}
				if c.Service.Namespace == "evil" {
					res.Body = io.NopCloser(&hanging{left: maxBody - 1, ends: r.Context().Done()})
				} else {
					padded := buildinfo + strings.Repeat(" ", maxBody-len(buildinfo))
					switch r.URL.Path {
					case "/-/healthy", "/-/ready":
						padded = "Prometheus Server is Healthy."
					case "/api/v1/query":
						padded = vector
					}
					res.Body = io.NopCloser(strings.NewReader(padded))
				}
				return res, nil
			})
		}})
		var before, during runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&before)
		begin := time.Now()
		done := make(chan struct{})
		go func() {
			defer close(done)
			p.ProbeAll(t.Context(), targets, func(i int, o backend.Observation) {
				switch took := time.Since(begin); {
				case i == 255 && (o.Outcome != backend.Ready || took > 0):
					t.Errorf("the backend of another owner is %s after %s: %s", o.Outcome, took, said(o))
				case i < 255 && o.Cause != causeTimeout:
					t.Errorf("%s %s: %s", o.Outcome, o.Cause, said(o))
				}
			})
		}()
		time.Sleep(time.Second) //nolint:forbidigo // on the clock of synctest
		runtime.GC()
		runtime.ReadMemStats(&during)
		if n := int(during.HeapAlloc) - int(before.HeapAlloc); n > 48<<20 {
			t.Errorf("%d MiB are held", n>>20)
		}
		<-done
	})
}

// Header lines are counted correctly when a read ends in the middle of a line.
func TestFewLines(t *testing.T) {
	t.Attr("req", "DTS-PRB-5")
	const ok, interim = "HTTP/1.1 200 OK\r\n", "HTTP/1.1 103 Early Hints\r\n"
	for _, tt := range []struct {
		name, text string
		want       bool
	}{
		{"as many as may be", ok + lines(maxLines-2) + "\r\n", true},
		{"one more", ok + lines(maxLines-1) + "\r\n", false},
		{"without carriage returns", strings.ReplaceAll(ok+lines(maxLines-1), "\r", "") + "\n", false},
		{"lines of a body", ok + "A: b\r\n\r\n" + strings.Repeat("\n", 1000), true},
		{"after an informational answer", interim + "\r\n" + ok + lines(maxLines), false},
		{"after one with another space", strings.Replace(interim, " ", "  ", 1) + "\r\n" + ok + lines(maxLines), false},
		{"a body after both", interim + "\r\n" + ok + "\r\n" + strings.Repeat("\n", 1000), true},
	} {
		for _, size := range []int{1, 2, 7, 1000, 1 << 20} {
			c := newFewLines(nil)
			got := true
			for text := []byte(tt.text); len(text) > 0 && got; text = text[min(size, len(text)):] {
				chunk := text[:min(size, len(text))]
				got = c.pass(chunk) == len(chunk) && !c.over
			}
			if got != tt.want {
				t.Errorf("%s, %d bytes at a time: %t", tt.name, size, got)
			}
		}
	}
}
