package auth

import (
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// step is a request at a time after the start, and what it costs.
type step struct {
	at     time.Duration
	change func(*cluster) // before the request
	want   error
	tokens int // reviews
	access int
}

func TestRemembered(t *testing.T) {
	t.Attr("req", "DTS-API-3")
	const token = "opaque" // two reviews where it is refused, one for each audience
	revoke := func(c *cluster) { delete(c.grants, token) }
	forbid := func(c *cluster) { c.grants[token].may = nil }
	away := func(c *cluster) { c.tokenErr, c.allowErr = errors.New("refused"), errors.New("refused") }
	back := func(c *cluster) { c.tokenErr, c.allowErr = nil, nil }
	almost := time.Minute - time.Millisecond
	tests := []struct {
		name  string
		ask   Attributes
		steps []step
	}{
		{"allowed for 60 s", toGetToolsets, []step{
			{at: 0, tokens: 1, access: 1}, {at: almost}, {at: time.Minute, tokens: 1, access: 1},
		}},
		{"bad token for 10 s", toGetToolsets, []step{
			{at: 0, change: revoke, want: ErrUnauthenticated, tokens: 2},
			{at: 10*time.Second - 1, want: ErrUnauthenticated},
			{at: 10 * time.Second, want: ErrUnauthenticated, tokens: 2},
		}},
		{"forbidden for 10 s, the token for 60 s", Attributes{Verb: "create", Resource: Discoveries}, []step{
			{at: 0, want: ErrForbidden, tokens: 1, access: 1},
			{at: 10*time.Second - 1, want: ErrForbidden},
			{at: 10 * time.Second, want: ErrForbidden, access: 1},
		}},
		{"token revoked while remembered", toGetToolsets, []step{
			{at: 0, tokens: 1, access: 1}, {at: time.Second, change: revoke}, {at: almost},
			{at: time.Minute, want: ErrUnauthenticated, tokens: 2},
		}},
		{"right taken away while remembered", toGetToolsets, []step{
			{at: 0, tokens: 1, access: 1}, {at: time.Second, change: forbid}, {at: almost},
			{at: time.Minute, want: ErrForbidden, tokens: 1, access: 1},
		}},
		{"right granted", toGetToolsets, []step{
			{at: 0, change: forbid, want: ErrForbidden, tokens: 1, access: 1},
			{at: 10 * time.Second, change: func(c *cluster) { c.grants[token].may = newCluster(token).grants[token].may }, access: 1},
		}},
		{"API server away", toGetToolsets, []step{
			{at: 0, tokens: 1, access: 1}, {at: time.Second, change: away}, {at: almost},
			{at: time.Minute, want: ErrUnavailable, tokens: 1},
			{at: time.Minute + 1, want: ErrUnavailable, tokens: 1}, // not remembered
			{at: time.Minute + 2, change: back, tokens: 1, access: 1},
		}},
		{"API server away from the start", toGetToolsets, []step{
			{at: 0, change: away, want: ErrUnavailable, tokens: 1}, {at: 1, change: back, tokens: 1, access: 1},
		}},
		{"away for the second question only", toGetToolsets, []step{
			{at: 0, change: func(c *cluster) { c.allowErr = errors.New("refused") }, want: ErrUnavailable, tokens: 1, access: 1},
			{at: 1, change: back, access: 1},
		}},
		{"counted from when the review began", toGetToolsets, []step{
			{at: 0, change: func(c *cluster) { c.takes = 8 * time.Second }, tokens: 1, access: 1},
			{at: almost},
			{at: time.Minute, tokens: 1, access: 1}, // the answer came at 8 s
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := newCluster(token)
				k := c.authorizer(nil)
				start := time.Now()
				for _, s := range tt.steps {
					<-time.After(time.Until(start.Add(s.at)))
					if s.change != nil {
						c.set(func() { s.change(c) })
					}
					_, err := k.Authorize(t.Context(), token, tt.ask)
					if !errors.Is(err, s.want) {
						t.Errorf("at %s: %v, want %v", s.at, err, s.want)
					}
					if tokens, access := c.reviewed(); tokens != s.tokens || access != s.access {
						t.Errorf("at %s: %d token and %d access reviews, want %d and %d", s.at, tokens, access, s.tokens, s.access)
					}
				}
			})
		})
	}
}

// Nobody waits longer than ten seconds for an API server that hangs.
func TestAPIServerHangs(t *testing.T) {
	t.Attr("req", "DTS-API-3")
	synctest.Test(t, func(t *testing.T) {
		c := newCluster("t")
		c.takes = time.Hour
		start := time.Now()
		if _, err := c.authorizer(nil).Authorize(t.Context(), "t", toGetToolsets); !errors.Is(err, ErrUnavailable) {
			t.Errorf("error %v, want %v", err, ErrUnavailable)
		}
		if took := time.Since(start); took != 10*time.Second {
			t.Errorf("took %s, want 10s", took)
		}
	})
}

func TestLog(t *testing.T) {
	t.Attr("req", "DTS-API-3")
	synctest.Test(t, func(t *testing.T) {
		token := jwt(t, `{"aud":["dynamic-toolset"],"sub":"a-secret-of-some-length"}`)
		part := strings.Split(token, ".")[1]
		c, w := newCluster("other"), new(logged)
		k := c.authorizer(w)
		ask := func() {
			if _, err := k.Authorize(t.Context(), token, toGetToolsets); err == nil || strings.Contains(err.Error(), part) {
				t.Errorf("error %v", err)
			}
		}
		c.status = "; malformed payload " + part
		ask()
		c.set(func() { c.tokenErr = errors.New("admission refused spec.token " + token + " with " + part) })
		<-time.After(10 * time.Second) // no longer remembered
		for range 70 {
			ask()
			<-time.After(time.Second)
		}
		if got := strings.Count(w.String(), "cannot ask the API server"); got != 2 {
			t.Errorf("an outage of 70 s was told %d times, want 2:\n%s", got, w)
		}
		c.set(func() { c.tokenErr = nil })
		ask()
		<-time.After(10 * time.Second)
		ask()
		if got := strings.Count(w.String(), "answers again"); got != 1 {
			t.Errorf("the end of the outage was told %d times, want once:\n%s", got, w)
		}
		if s := w.String(); strings.Contains(s, part) || !strings.Contains(s, "[token]") {
			t.Errorf("the token is in the log, or nothing about it:\n%s", s)
		}
	})
}
