package server

import (
	"bufio"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"kubernaut.io/dynamic-toolset/internal/backend"
	"kubernaut.io/dynamic-toolset/internal/controller"
)

// event is one server-sent event; a comment has the name ":".
type event struct{ name, id, data string }

// follow opens a stream; the channel is closed when it ends.
func (f *fixture) follow(t *testing.T, query string, headers ...string) <-chan event {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, f.url+"/api/v1/stream"+query, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	res, err := cmp.Or(f.client, http.DefaultClient).Do(r)
	if err != nil {
		t.Fatal(err)
	}
	if res.StatusCode != http.StatusOK || res.Header.Get("Content-Type") != "text/event-stream" || res.Header.Get("Content-Encoding") != "" {
		t.Fatalf("%d, %v", res.StatusCode, res.Header)
	}
	events := make(chan event, 1000)
	go func() {
		defer close(events)
		defer res.Body.Close()
		var e event
		lines := bufio.NewScanner(res.Body)
		lines.Buffer(nil, 1<<20)
		for lines.Scan() {
			name, value, _ := strings.Cut(lines.Text(), ": ")
			switch name {
			case "event":
				e.name = value
			case "id":
				e.id = value
			case "data":
				e.data = value
			case "":
				if value != "" {
					events <- event{name: ":"}
				} else if e != (event{}) {
					events <- e
					e = event{}
				}
			}
		}
	}()
	return events
}

// next is the next event of that name; "" is the end of the stream.
func next(t *testing.T, events <-chan event, name string) event {
	t.Helper()
	limit := time.After(10 * time.Second)
	for {
		select {
		case e, ok := <-events:
			if e.name == name {
				return e
			}
			if !ok {
				t.Fatalf("the stream ended before an event %q", name)
			}
		case <-limit:
			t.Fatalf("no event %q", name)
		}
	}
}

func parse[T any](t *testing.T, e event) T {
	t.Helper()
	var v T
	if err := json.Unmarshal([]byte(e.data), &v); err != nil {
		t.Fatalf("%v in %q", err, e.data)
	}
	return v
}

func added(name string) controller.Change {
	return controller.Change{Kind: controller.ChangeAdded, Ref: backend.Ref{Namespace: "ns", Name: name}, Type: "loki", Message: "one\r\n\r\nevent: status\ndata: {}"}
}

func TestStream(t *testing.T) {
	t.Attr("req", "DTS-API-1 DTS-UI-1")
	f := start(t)
	f.limits.look = time.Hour // so that the change is sent for the new snapshot, and not with the one before
	f.history.Add(added("before"))
	events := f.follow(t, "")
	if s := parse[Status](t, next(t, events, "status")); s.Counts.Accepted != 3 || s.LastChange != 1 {
		t.Errorf("at once: %+v", s)
	}
	f.history.Add(added("new"))
	changed := *example(t)
	changed.Findings = changed.Findings[1:]
	f.state.set(&changed)
	e := next(t, events, "change")
	if c := parse[Change](t, e); e.id != "2" || c.Seq != 2 || c.Service != "new" || !strings.Contains(c.Message, "\r\n\r\nevent") {
		t.Errorf("change: %+v", e)
	}
	if s := parse[Status](t, next(t, events, "status")); s.Counts.Accepted != 2 || s.LastChange != 2 {
		t.Errorf("after the change: %+v", s)
	}
}

func TestStreamResumes(t *testing.T) {
	t.Attr("req", "DTS-API-1")
	f := start(t)
	for i := range 5 {
		f.history.Add(added(fmt.Sprint(i)))
	}
	for _, c := range []struct {
		query, last string
		first       string
	}{
		{"", "3", "4"}, {"?since=1", "", "2"}, {"?since=1", "4", "5"}, {"?since=0", "", "1"},
		{"", "77", "1"}, // of a process that was here before: all of it is new
	} {
		events := f.follow(t, c.query, "Last-Event-ID", c.last)
		if e := next(t, events, "change"); e.id != c.first {
			t.Errorf("%+v: began with %s", c, e.id)
		}
	}
}

// What changes often is told often enough, and ends with the newest.
func TestStreamGathers(t *testing.T) {
	t.Attr("req", "DTS-API-1")
	f := start(t)
	f.limits.gather = 100 * time.Millisecond
	events := f.follow(t, "")
	next(t, events, "status")
	begin, base := time.Now(), example(t)
	for i := range 500 {
		s := *base
		s.Output.Version = fmt.Sprint("v", i)
		f.state.set(&s)
		f.get(t, "/api/v1/status") // so that each revision is counted
	}
	last := decode[Status](t, f.get(t, "/api/v1/status")).Revision
	n := 1
	for parse[Status](t, next(t, events, "status")).Revision != last {
		n++
	}
	if most := int(time.Since(begin)/f.limits.gather) + 2; n > most {
		t.Errorf("%d events, at most %d are to be sent", n, most)
	}
}

func TestStreamKeepsAlive(t *testing.T) {
	t.Attr("req", "DTS-API-1")
	f := start(t)
	f.limits.keepAlive = 20 * time.Millisecond
	events := f.follow(t, "")
	next(t, events, ":")
	next(t, events, ":")
}

// What no snapshot tells is told all the same.
func TestStreamTellsOfTheSource(t *testing.T) {
	t.Attr("req", "DTS-API-1")
	var away atomic.Bool
	f := start(t, func(o *Options) {
		o.SourceErr = func() error {
			if away.Load() {
				return errors.New("the API server is away")
			}
			return nil
		}
	})
	f.limits.look = 20 * time.Millisecond
	f.limits.gather = time.Millisecond
	events := f.follow(t, "")
	next(t, events, "status")
	away.Store(true)
	if s := parse[Status](t, next(t, events, "status")); len(s.Problems) != 1 || s.Problems[0] != (Trouble{"source", "the API server is away"}) {
		t.Errorf("%+v", s.Problems)
	}
}

func TestStreamEndsWithTheService(t *testing.T) {
	t.Attr("req", "DTS-RUN-4")
	stopping := make(chan struct{})
	f := start(t, func(o *Options) { o.Stopping = stopping })
	events := f.follow(t, "")
	next(t, events, "status")
	close(stopping)
	next(t, events, "")
	isProblem(t, f.get(t, "/api/v1/stream"), http.StatusServiceUnavailable)
}

// Whoever loses the right to read loses the stream.
func TestStreamEndsWithTheRight(t *testing.T) {
	t.Attr("req", "DTS-API-3")
	var say atomic.Pointer[error]
	read := func(doubt time.Duration) <-chan event {
		say.Store(nil)
		f := start(t, func(o *Options) {
			o.Authorizer = guard{func(Right) error {
				if err := say.Load(); err != nil {
					return *err
				}
				return nil
			}}
		})
		f.limits.authorize, f.limits.keepAlive, f.limits.doubt = 20*time.Millisecond, 20*time.Millisecond, doubt
		events := f.follow(t, "", "Authorization", "Bearer good")
		next(t, events, "status")
		say.Store(&ErrBusy) // which says nothing
		return events
	}
	events := read(time.Hour)
	for range 4 {
		next(t, events, ":")
	}
	say.Store(&ErrForbidden)
	next(t, events, "")
	next(t, read(60*time.Millisecond), "") // it says nothing for so long that the right may be gone
}

func TestStreamsAreBounded(t *testing.T) {
	t.Attr("req", "DTS-SEC-3")
	f := start(t, func(o *Options) { o.Authorizer = users{} })
	f.limits.streams = 6
	open := func(user string) { next(t, f.follow(t, "", "Authorization", "Bearer "+user), "status") }
	refused := func(user string, code int) {
		t.Helper()
		a := f.get(t, "/api/v1/stream", "Authorization", "Bearer "+user)
		if p := isProblem(t, a, code); a.header.Get("Retry-After") == "" {
			t.Errorf("%s: %+v", user, p)
		}
	}
	for range 3 {
		open("eve")
	}
	refused("eve", http.StatusTooManyRequests) // half of them are hers
	for _, user := range []string{"jane", "joe", "jill"} {
		open(user)
	}
	refused("jane", http.StatusServiceUnavailable)
	refused("new", http.StatusServiceUnavailable)
	f.streams.mu.Lock()
	defer f.streams.mu.Unlock()
	if f.streams.open != 6 || len(f.streams.of) != 4 {
		t.Errorf("%d are counted, of %v", f.streams.open, f.streams.of)
	}
}

// When streams end there is room for others.
func TestStreamsAreForgotten(t *testing.T) {
	t.Attr("req", "DTS-SEC-3")
	f := start(t)
	f.limits.streams = 2
	for range 20 {
		ctx, leave := context.WithCancel(t.Context())
		r, err := http.NewRequestWithContext(ctx, http.MethodGet, f.url+"/api/v1/stream", http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		var code int
		for limit := time.Now().Add(10 * time.Second); code != http.StatusOK && time.Now().Before(limit); {
			res, err := http.DefaultClient.Do(r)
			if err != nil {
				t.Fatal(err)
			}
			if code = res.StatusCode; code != http.StatusOK {
				res.Body.Close()
			}
		}
		if code != http.StatusOK {
			t.Fatalf("%d: the places of streams that ended are taken", code)
		}
		leave()
	}
}

// users lets everybody in, by the name that is the token.
type users struct{}

func (users) Authorize(_ context.Context, token string, _ Right) (string, error) {
	return token, nil
}

// A reader that does not read keeps nobody else waiting, and is given up.
func TestStreamOfAReaderThatDoesNotRead(t *testing.T) {
	t.Attr("req", "DTS-SEC-3")
	f := start(t)
	f.limits.write, f.limits.gather = 200*time.Millisecond, time.Millisecond
	stuck, err := net.Dial("tcp", f.server.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer stuck.Close()
	if err := stuck.(*net.TCPConn).SetReadBuffer(4096); err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(stuck, "GET /api/v1/stream HTTP/1.1\r\nHost: x\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	// All that is sent to the other reader at a time fits, so that it is in time on any machine.
	dial := func(ctx context.Context, network, addr string) (net.Conn, error) {
		c, err := new(net.Dialer).DialContext(ctx, network, addr)
		if err == nil {
			err = c.(*net.TCPConn).SetReadBuffer(1 << 20)
		}
		return c, err
	}
	f.client = &http.Client{Transport: &http.Transport{DialContext: dial}}
	reader := f.follow(t, "")
	next(t, reader, "status")
	base := example(t)
	for i := range 400 { // each far larger than a status is
		s := *base
		s.Err = fmt.Errorf("%d %s", i, strings.Repeat("x", 100_000))
		f.state.set(&s)
		if e := parse[Status](t, next(t, reader, "status")); len(e.Problems) != 1 {
			t.Fatalf("the other reader gets %+v", e.Problems)
		}
		if f.metrics.count("/api/v1/stream", http.StatusOK) == 1 {
			return // counted when it ends
		}
	}
	t.Error("the reader that does not read is kept")
}
