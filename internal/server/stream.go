package server

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"reflect"
	"strconv"
	"sync"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"
)

// streams counts the open streams by reader. One reader may have at most half of them, so that it cannot block the
// others.
type streams struct {
	mu   sync.Mutex
	open int
	of   map[string]int // by user, or by address if the user is unknown
}

// begin returns nil if there is room for one more stream, and the caller must then call end. Else it returns the
// problem.
func (s *streams) begin(reader string, most int) *Problem {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.open >= most:
		return problem(http.StatusServiceUnavailable, "%d streams are open, which is the limit; try again later",
			s.open).retry(untilStream)
	case s.of[reader] >= max(1, most/2):
		return problem(http.StatusTooManyRequests, "you have %d open streams, which is the limit; close one",
			s.of[reader]).retry(untilStream)
	}
	if s.of == nil {
		s.of = map[string]int{}
	}
	s.open++
	s.of[reader]++
	return nil
}

func (s *streams) end(reader string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.open--
	if s.of[reader]--; s.of[reader] == 0 {
		delete(s.of, reader)
	}
}

// untilStream is the time to wait before a retry if there are too many streams.
const untilStream = 15 * time.Second

const pathStream = "/api/v1/stream"

type streamInput struct {
	Since Optional[uint64] `query:"since" doc:"Begin with the changes after this seq; without it, the stream has only new changes"`
	Last  string           `header:"Last-Event-ID" doc:"The same; a browser sends it when it connects again. It takes precedence over since"`
}

func (a *API) registerStream(h huma.API) {
	o := operation(http.MethodGet, pathStream, "stream", "Stream the status and the changes as server-sent events",
		Right{Verb: "watch", Resource: ResourceToolsets})
	o.Description = "An event \"status\" has the body of /api/v1/status. " +
		"It comes at the start and when the status changes, at most four times a second. " +
		"An event \"change\" has one change as in /api/v1/changes; its id is the seq. " +
		"A slow reader misses some states, but never the last one. The stream ends when the service stops."
	o.Responses["200"] = &huma.Response{
		Description: "Events, until one side ends the stream",
		Content:     map[string]*huma.MediaType{mediaEvents: {Schema: &huma.Schema{Type: huma.TypeString}}},
	}
	huma.Register(h, o, func(ctx context.Context, in *streamInput) (*huma.StreamResponse, error) {
		if stopped(a.o.Stopping) {
			return nil, problem(http.StatusServiceUnavailable,
				"the service is stopping; another replica answers").retry(time.Second)
		}
		reader := cmp.Or(traceOf(ctx).user, traceOf(ctx).remote)
		if p := a.streams.begin(reader, a.limits.streams); p != nil {
			return nil, p
		}
		return &huma.StreamResponse{Body: func(ctx huma.Context) {
			defer a.streams.end(reader)
			a.stream(ctx, in)
		}}, nil
	})
}

func stopped(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}

// follower serves one reader of the stream. It holds only what it sent last: a slow reader costs no memory and delays
// no other reader.
type follower struct {
	api     *API
	ctx     context.Context
	request *http.Request
	to      http.ResponseWriter
	control *http.ResponseController
	user    string
	sure    time.Time // when the reader had the right
	seq     uint64    // of the last change sent
	status  Status    // last sent, without its times
}

func (a *API) stream(x huma.Context, in *streamInput) {
	r, w := humago.Unwrap(x)
	w.Header().Set("Content-Type", mediaEvents)
	w.Header().Set("X-Accel-Buffering", "no") // so that proxies do not buffer events
	w.WriteHeader(http.StatusOK)
	t := traceOf(r.Context())
	t.stream = true
	f := &follower{
		api: a, ctx: r.Context(), request: r, to: w, control: http.NewResponseController(w), user: t.user,
		sure: time.Now(), seq: a.o.History.Last(),
	}
	if seq, ok := in.from(); ok && seq <= f.seq { // a greater seq is from an earlier process
		f.seq = seq
	} else if ok {
		f.seq = 0
	}
	if r.Method == http.MethodHead {
		return
	}
	if err := f.follow(); err != nil {
		a.o.Log.Debug("stream ended", "request_id", traceOf(f.ctx).id, "err", err)
	}
}

// from returns the seq after which to begin, and whether the request has one.
func (in *streamInput) from() (uint64, bool) {
	if seq, err := strconv.ParseUint(in.Last, 10, 64); err == nil {
		return seq, true
	}
	return in.Since.Value, in.Since.Set
}

// follow sends events until either side ends the stream. The error says why it ended.
func (f *follower) follow() error {
	limits := &f.api.limits
	alive, look := time.NewTicker(limits.keepAlive), time.NewTicker(limits.look)
	authorize, gathered := time.NewTicker(limits.authorize), time.NewTimer(0)
	defer alive.Stop()
	defer look.Stop()
	defer authorize.Stop()
	defer gathered.Stop()
	if err := f.write([]byte("retry: 3000\n\n")); err != nil {
		return err
	}
	wanted, waiting := true, true // there may be something to send; the timer has not fired
	for {
		updated := f.api.o.State.Updated() // before the snapshot is read, so that no update is missed
		if wanted && !waiting {
			if err := f.send(); err != nil {
				return err
			}
			wanted, waiting = false, true
			gathered.Reset(limits.gather)
		}
		select {
		case <-f.ctx.Done():
			return f.ctx.Err()
		case <-f.api.o.Stopping:
			return errors.New("the service is stopping")
		case <-updated:
			wanted = true
		case <-look.C: // for changes that come without a new snapshot
			wanted = true
		case <-gathered.C:
			waiting = false
		case <-alive.C:
			if err := f.write([]byte(": keep-alive\n\n")); err != nil {
				return err
			}
		case <-authorize.C:
			if err := f.authorize(); err != nil {
				return err
			}
		}
	}
}

// authorize checks again whether the reader has the right. A reader that lost it gets the reason when it reconnects. If
// there are too many reviews, the stream goes on for a while, but not longer: a reader could make them too many.
func (f *follower) authorize() error {
	now := time.Now()
	_, err := f.api.o.Authorizer.Authorize(f.ctx, bearerToken(f.request),
		Right{Verb: "watch", Resource: ResourceToolsets})
	switch {
	case err == nil:
		f.sure = now
	case errors.Is(err, ErrBusy) && now.Sub(f.sure) < f.api.limits.doubt:
		return nil
	}
	return err
}

// send sends the changes since the last call, and the status if it has changed.
func (f *follower) send() error {
	var out bytes.Buffer
	for _, c := range f.api.o.History.Since(f.seq) {
		text, err := json.Marshal(newChange(&c))
		if err != nil {
			return fmt.Errorf("encode a change: %w", err)
		}
		fmt.Fprintf(&out, "event: change\nid: %d\ndata: %s\n\n", c.Seq, text)
		f.seq = c.Seq
	}
	status := f.api.status(f.user)
	text, err := json.Marshal(status)
	if err != nil {
		return fmt.Errorf("encode the status: %w", err)
	}
	status.DiscoveredAt, status.Took = time.Time{}, ""
	if !reflect.DeepEqual(status, f.status) {
		f.status = status
		fmt.Fprintf(&out, "event: status\ndata: %s\n\n", text)
	}
	if out.Len() == 0 {
		return nil
	}
	return f.write(out.Bytes())
}

// write sends a text immediately. It fails if the reader does not read it in time.
func (f *follower) write(text []byte) error {
	if err := f.control.SetWriteDeadline(time.Now().Add(f.api.limits.write)); err != nil {
		return fmt.Errorf("set a deadline: %w", err)
	}
	if _, err := f.to.Write(text); err != nil {
		return fmt.Errorf("send events: %w", err)
	}
	if err := f.control.Flush(); err != nil {
		return fmt.Errorf("send events: %w", err)
	}
	return nil
}
