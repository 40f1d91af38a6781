package server

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
	"unsafe"
	"weak"

	authenticationv1 "k8s.io/api/authentication/v1"
)

// Whoever asks the same at the same time shares one review, and it goes on when the first of them leaves.
func TestSharedReview(t *testing.T) {
	t.Attr("req", "DTS-API-3")
	synctest.Test(t, func(t *testing.T) {
		c := newCluster("t")
		c.takes = time.Second
		k := c.authorizer(nil)
		first, leave := context.WithCancel(t.Context())
		var all sync.WaitGroup
		all.Go(func() {
			if _, err := k.Authorize(first, "t", toGetToolsets); !errors.Is(err, ErrUnavailable) || !errors.Is(err, context.Canceled) {
				t.Errorf("the one that left: %v", err)
			}
		})
		synctest.Wait()
		for range 50 {
			all.Go(func() {
				if u, err := k.Authorize(t.Context(), "t", toGetToolsets); err != nil || u != "jane" {
					t.Errorf("one that stayed: %q %v", u, err)
				}
			})
		}
		synctest.Wait()
		leave()
		all.Wait()
		if tokens, access := c.reviewed(); tokens != 1 || access != 1 {
			t.Errorf("%d token and %d access reviews, want one each", tokens, access)
		}
	})
}

// A flood of made-up tokens reaches the API server at the rate that is allowed, is refused within a second, and neither
// displaces those that are known nor keeps them from being reviewed again.
func TestFlood(t *testing.T) {
	t.Attr("req", "DTS-API-3")
	synctest.Test(t, func(t *testing.T) {
		const seconds, perSecond = 100, 200
		c := newCluster("good")
		k := c.authorizer(nil)
		ask := func() {
			if _, err := k.Authorize(t.Context(), "good", toGetToolsets); err != nil {
				t.Errorf("the good token: %v", err)
			}
		}
		ask()
		c.reviewed()
		var flood sync.WaitGroup
		var mu sync.Mutex
		refused := map[error]int{}
		for second := range seconds {
			for i := range perSecond {
				flood.Go(func() {
					start := time.Now()
					_, err := k.Authorize(t.Context(), jwt(t, fmt.Sprintf(`{"jti":"%d-%d"}`, second, i)), toGetToolsets)
					if took := time.Since(start); took > time.Second {
						t.Errorf("refused after %s", took)
					}
					mu.Lock()
					defer mu.Unlock()
					for _, kind := range []error{ErrUnauthenticated, ErrBusy} {
						if errors.Is(err, kind) {
							refused[kind]++
						}
					}
				})
			}
			synctest.Wait()
			ask() // in the middle of it
			<-time.After(time.Second)
		}
		flood.Wait()
		if refused[ErrUnauthenticated]+refused[ErrBusy] != seconds*perSecond || refused[ErrUnauthenticated] == 0 || refused[ErrBusy] == 0 {
			t.Errorf("refused: %v", refused)
		}
		tokens, access := c.reviewed()
		if most := 20 + 10*(seconds+1) + 2; tokens > most || access > 2 {
			t.Errorf("%d token and %d access reviews, want at most %d and 2", tokens, access, most)
		}
	})
}

// Whoever may make tokens of a ServiceAccount can send thousands that are good and may do nothing: they take the turns of
// strangers, and neither displace those who may nor keep them from being reviewed again.
func TestFloodOfForbidden(t *testing.T) {
	t.Attr("req", "DTS-API-3 DTS-SEC-3")
	synctest.Test(t, func(t *testing.T) {
		const seconds, tokens = 200, 2000
		c := newCluster("good")
		for i := range tokens {
			c.grants[fmt.Sprint("eve", i)] = &grant{user: authenticationv1.UserInfo{Username: "eve"}}
		}
		k := c.authorizer(nil)
		var flood sync.WaitGroup
		for second := range seconds {
			if _, err := k.Authorize(t.Context(), "good", toGetToolsets); err != nil {
				t.Errorf("the good token after %d s: %v", second, err)
			}
			for i := range 200 {
				flood.Go(func() {
					_, err := k.Authorize(t.Context(), fmt.Sprint("eve", (second*200+i)%tokens), toGetToolsets)
					if !errors.Is(err, ErrForbidden) && !errors.Is(err, ErrBusy) {
						t.Errorf("eve: %v", err)
					}
				})
			}
			<-time.After(time.Second)
		}
		flood.Wait()
		reviews, access := c.reviewed()
		if most := 20 + 10*(seconds+2) + 2*seconds/60; reviews+access > most+20 {
			t.Errorf("%d reviews, want at most %d", reviews+access, most)
		}
	})
}

// One address with made-up tokens leaves turns to callers of others, whose tokens are new.
func TestFloodOfOneAddress(t *testing.T) {
	t.Attr("req", "DTS-API-3 DTS-SEC-3")
	synctest.Test(t, func(t *testing.T) {
		c := newCluster("good")
		k := c.authorizer(nil)
		from := func(address string) context.Context {
			return context.WithValue(t.Context(), connKey{}, &conn{name: address})
		}
		for i := range 1000 {
			if i%20 == 0 {
				<-time.After(100 * time.Millisecond)
			}
			go k.Authorize(from("10.0.0.1"), fmt.Sprint("bad", i), toGetToolsets) //nolint:errcheck // part of a flood
		}
		if _, err := k.Authorize(from("10.0.0.2"), "good", toGetToolsets); err != nil {
			t.Errorf("within the flood: %v", err)
		}
		<-time.After(2 * time.Second)
	})
}

// One address with thousands of tokens that may do something leaves turns to callers of others that are known as well.
func TestFloodOfKnown(t *testing.T) {
	t.Attr("req", "DTS-API-3 DTS-SEC-3")
	synctest.Test(t, func(t *testing.T) {
		const tokens = 1000
		c := newCluster("good")
		k := c.authorizer(nil)
		ask := func(address, token string) error {
			ctx := context.WithValue(t.Context(), connKey{}, &conn{name: address})
			_, err := k.Authorize(ctx, token, toGetToolsets)
			return err
		}
		for i := range tokens {
			name := fmt.Sprint("eve", i)
			c.grants[name] = &grant{user: authenticationv1.UserInfo{Username: "eve"}, may: []Right{toGetToolsets}}
			if err := ask("10.0.0.1", name); err != nil { // one after the other, as slowly as strangers may
				t.Fatal(err)
			}
		}
		if err := ask("10.0.0.2", "good"); err != nil {
			t.Fatal(err)
		}
		<-time.After(2 * allowedFor)
		var flood sync.WaitGroup
		for i := range tokens {
			flood.Go(func() {
				if err := ask("10.0.0.1", fmt.Sprint("eve", i)); err != nil && !errors.Is(err, ErrBusy) {
					t.Errorf("eve: %v", err)
				}
			})
		}
		synctest.Wait()
		if err := ask("10.0.0.2", "good"); err != nil {
			t.Errorf("within the flood: %v", err)
		}
		flood.Wait()
	})
}

// What a user may do is known no longer than the user's groups are, and both together take no longer than one review may.
func TestAccessEndsWithToken(t *testing.T) {
	t.Attr("req", "DTS-API-3")
	synctest.Test(t, func(t *testing.T) {
		c := newCluster("t")
		k := c.authorizer(nil)
		other := Right{Verb: "list", Resource: ResourceToolsets}
		c.grants["t"].may = []Right{toGetToolsets, other}
		if _, err := k.Authorize(t.Context(), "t", toGetToolsets); err != nil {
			t.Fatal(err)
		}
		<-time.After(allowedFor - time.Second)
		if _, err := k.Authorize(t.Context(), "t", other); err != nil {
			t.Fatal(err)
		}
		c.set(func() { c.grants["t"].may = nil })
		<-time.After(time.Second)
		if _, err := k.Authorize(t.Context(), "t", other); !errors.Is(err, ErrForbidden) {
			t.Errorf("a minute after the token was reviewed: %v", err)
		}
		<-time.After(allowedFor)
		c.set(func() { c.takes, c.thinks = reviewTimeout-time.Second, time.Hour })
		start := time.Now()
		if _, err := k.Authorize(t.Context(), "t", toGetToolsets); !errors.Is(err, ErrUnavailable) || time.Since(start) > reviewTimeout {
			t.Errorf("after %s: %v", time.Since(start), err)
		}
	})
}

// A new token is reviewed as soon as a flood is over.
func TestAfterFlood(t *testing.T) {
	t.Attr("req", "DTS-API-3")
	synctest.Test(t, func(t *testing.T) {
		c := newCluster("good")
		k := c.authorizer(nil)
		for i := range 100 {
			go k.Authorize(t.Context(), fmt.Sprint("bad", i), toGetToolsets) //nolint:errcheck // part of a flood
		}
		synctest.Wait()
		if _, err := k.Authorize(t.Context(), "good", toGetToolsets); !errors.Is(err, ErrBusy) {
			t.Errorf("within the flood: %v, want %v", err, ErrBusy)
		}
		<-time.After(2 * time.Second)
		if _, err := k.Authorize(t.Context(), "good", toGetToolsets); err != nil {
			t.Errorf("after the flood: %v", err)
		}
	})
}

func TestCacheIsBounded(t *testing.T) {
	t.Attr("req", "DTS-API-3")
	k := newCluster("t").authorizer(nil)
	until := time.Now().Add(time.Hour)
	first := k.hash("token", "first")
	k.cache.put(first, reviewAnswer{until: until})
	for i := range 10_000 {
		k.cache.put(k.hash("token", fmt.Sprint("bad", i)), reviewAnswer{err: ErrUnauthenticated, until: until})
	}
	if _, ok := k.cache.get(first); !ok {
		t.Error("refused tokens displaced a good one")
	}
	for i := range 10_000 {
		k.cache.put(k.hash("token", fmt.Sprint("good", i)), reviewAnswer{until: until})
	}
	if _, ok := k.cache.get(first); ok {
		t.Error("the cache is not bounded")
	}
	if got := k.cache.allowed.Len() + k.cache.denied.Len(); got != 4096 {
		t.Errorf("%d entries, want 4096", got)
	}
	if _, ok := k.cache.get(k.hash("token", "good9999")); !ok {
		t.Error("the newest is not there")
	}
}

// A token that was refused the last time is no longer among those that are known.
func TestRevokedIsUnknown(t *testing.T) {
	t.Attr("req", "DTS-API-3")
	synctest.Test(t, func(t *testing.T) {
		c := newCluster("t")
		k := c.authorizer(nil)
		for _, known := range []bool{true, false, true} {
			_, err := k.Authorize(t.Context(), "t", toGetToolsets)
			if got := k.cache.known(k.hash("token", "t")); got != known {
				t.Errorf("after %v: known is %t", err, got)
			}
			c.set(func() {
				if _, ok := c.grants["t"]; ok {
					delete(c.grants, "t")
				} else {
					c.grants = newCluster("t").grants
				}
			})
			<-time.After(time.Minute)
		}
	})
}

func TestHash(t *testing.T) {
	t.Attr("req", "DTS-API-3")
	a, b := newCluster("t").authorizer(nil), newCluster("t").authorizer(nil)
	if first, second := a.hash("token", "t"), a.hash("token", "t"); first != second {
		t.Error("one token has two hashes")
	}
	if a.hash("token", "t") == b.hash("token", "t") {
		t.Error("two processes have the same secret")
	}
	if a.hash("access", "ab", "c") == a.hash("access", "a", "bc") {
		t.Error("two questions have one hash")
	}
}

// The garbage collector tells whether anything still holds the token.
func TestTokenIsForgotten(t *testing.T) {
	t.Attr("req", "DTS-API-3")
	c := newCluster("")
	k := c.authorizer(nil)
	used := func() weak.Pointer[byte] {
		token := strings.Repeat("secret", 100)
		c.grants[token] = c.grants[""]
		if _, err := k.Authorize(t.Context(), token, toGetToolsets); err != nil {
			t.Fatal(err)
		}
		c.grants = nil
		c.reviewed() // which forgets them
		return weak.Make(unsafe.StringData(token))
	}()
	for range 100 { // the goroutine of the review may be ending still
		if runtime.GC(); used.Value() == nil {
			break
		}
		runtime.Gosched()
	}
	if used.Value() != nil {
		t.Error("the token is still in memory")
	}
	if k.cache.allowed.Len() != 2 {
		t.Errorf("%d answers are remembered, want 2", k.cache.allowed.Len())
	}
	runtime.KeepAlive(k)
}
