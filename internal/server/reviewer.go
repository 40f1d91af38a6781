package server

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"golang.org/x/sync/singleflight"
	"golang.org/x/time/rate"
	authenticationv1 "k8s.io/api/authentication/v1"
	authentication "k8s.io/client-go/kubernetes/typed/authentication/v1"
	authorization "k8s.io/client-go/kubernetes/typed/authorization/v1"
	"k8s.io/client-go/rest"
	"k8s.io/utils/lru"
)

const (
	// maxToken limits the length of a token. Even a token with a certificate chain has only some kilobytes.
	maxToken = 16 << 10
	// maxReview limits the response to a review, because client-go reads all of it.
	maxReview = 256 << 10
	// reviewTimeout bounds one call of Authorize, with all its reviews and the waits for them.
	reviewTimeout = 10 * time.Second
	// reviewWait bounds the wait of one review for its turn.
	reviewWait = time.Second
	// Reviews per second, and at once. Callers that were allowed the last time have a limiter of their own, so that a
	// flood of invented tokens, or of tokens without rights, does not block them.
	reviewRate  = 10
	reviewBurst = 20
	// The same for one address: half of it for callers that were allowed the last time, less for others. So one pod
	// with invented tokens leaves turns to those whose token is new. One with thousands of good tokens, which anyone
	// can make who may use one ServiceAccount, leaves turns to those who are known.
	knownRate  = reviewRate / 2
	knownBurst = reviewBurst / 2
	shareRate  = 2
	shareBurst = 10
	maxShares  = 1024 // addresses that are remembered
	// Lifetime and number of the cached answers.
	allowedFor = time.Minute
	deniedFor  = 10 * time.Second
	maxAllowed = 3072
	maxDenied  = 1024
)

// ReviewOptions are options of a Reviewer.
type ReviewOptions struct {
	Namespace  string        // where Roles grant rights: output.namespace
	AllowedFor time.Duration // how long an allowed user is cached; 0: a minute
	Log        *slog.Logger  // nil: no log
}

// Reviewer authorizes callers through the API server, as kubelet does: a TokenReview finds the user of a token, and a
// SubjectAccessReview decides whether that user has the right.
type Reviewer struct {
	tokens  authentication.TokenReviewInterface
	access  authorization.SubjectAccessReviewInterface
	options ReviewOptions

	secret           []byte // key of the hash; each process creates a new one
	cache            reviewCache
	flights          singleflight.Group
	known, strangers reviewLimits
	// Separate, because the service may have the right to create only one kind of review.
	tokenOutage, accessOutage outage
}

// ReviewerFor creates a Reviewer from a client configuration, whose user needs the ClusterRole system:auth-delegator.
func ReviewerFor(config *rest.Config, o ReviewOptions) (*Reviewer, error) {
	c := rest.CopyConfig(config)
	c.QPS = -1 // reviews have their own limit
	c.Wrap(func(next http.RoundTripper) http.RoundTripper { return bounded{next} })
	tokens, err := authentication.NewForConfig(c)
	if err != nil {
		return nil, fmt.Errorf("client for TokenReviews: %w", err)
	}
	access, err := authorization.NewForConfig(c)
	if err != nil {
		return nil, fmt.Errorf("client for SubjectAccessReviews: %w", err)
	}
	return NewReviewer(tokens.TokenReviews(), access.SubjectAccessReviews(), o), nil
}

// bounded limits the length of responses to maxReview.
type bounded struct{ next http.RoundTripper }

// RoundTrip implements http.RoundTripper.
func (b bounded) RoundTrip(r *http.Request) (*http.Response, error) {
	answer, err := b.next.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	answer.Body = http.MaxBytesReader(nil, answer.Body, maxReview)
	return answer, nil
}

// NewReviewer creates a Reviewer from typed clients, which should have no rate limit.
func NewReviewer(
	tokens authentication.TokenReviewInterface, access authorization.SubjectAccessReviewInterface, o ReviewOptions,
) *Reviewer {
	if o.AllowedFor == 0 {
		o.AllowedFor = allowedFor
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	secret := make([]byte, sha256.Size)
	_, _ = rand.Read(secret) // never fails
	return &Reviewer{
		tokens: tokens, access: access, options: o, secret: secret,
		cache: reviewCache{allowed: lru.New(maxAllowed), denied: lru.New(maxDenied)},
		known: newReviewLimits(knownRate, knownBurst), strangers: newReviewLimits(shareRate, shareBurst),
		tokenOutage:  outage{log: o.Log, review: "TokenReview"},
		accessOutage: outage{log: o.Log, review: "SubjectAccessReview"},
	}
}

// Authorize implements Authorizer. A revoked token or right takes effect when the cached answer expires. The API server
// itself caches tokens for about ten seconds more.
func (r *Reviewer) Authorize(ctx context.Context, token string, right Right) (string, error) {
	if err := plausible(token); err != nil {
		return "", err
	}
	who, what := r.hash("token", token), r.hash("access", token, right.Verb, right.Resource, right.Path)
	limits := r.strangers.of(ctx)
	if r.cache.known(what) { // a valid token is not enough: tokens of a user without rights are easy to create
		limits = r.known.of(ctx)
	}
	start := time.Now() // the answer may miss a change during the review
	last := start.Add(reviewTimeout)
	a, err := r.ask(ctx, who, last, start.Add(r.options.AllowedFor),
		func(ctx context.Context) (authenticationv1.UserInfo, error) { return r.reviewToken(ctx, limits, token) })
	if err != nil {
		return "", err
	}
	// What the user may do is known no longer than who the user is: the groups may change.
	_, err = r.ask(ctx, what, last, a.until, func(ctx context.Context) (authenticationv1.UserInfo, error) {
		return a.user, r.reviewAccess(ctx, limits, a.user, right)
	})
	return a.user.Username, err
}

// reviewLimits limit the reviews of one kind of callers.
type reviewLimits struct {
	all    *rate.Limiter
	shares *lru.Cache // *rate.Limiter by address
	rate   rate.Limit // of a share
	burst  int
}

func newReviewLimits(share rate.Limit, burst int) reviewLimits {
	return reviewLimits{rate.NewLimiter(reviewRate, reviewBurst), lru.New(maxShares), share, burst}
}

// of returns the limits of a caller.
func (l *reviewLimits) of(ctx context.Context) turns {
	c, ok := ctx.Value(connKey{}).(*conn)
	if !ok {
		return turns{l.all}
	}
	share, ok := l.shares.Get(c.name)
	if !ok {
		share = rate.NewLimiter(l.rate, l.burst)
		l.shares.Add(c.name, share)
	}
	return turns{share.(*rate.Limiter), l.all}
}

// hash returns the cache key of a list of texts. Without the secret, a key reveals no token, and nobody can construct
// two texts with the same key.
func (r *Reviewer) hash(parts ...string) reviewKey {
	h := hmac.New(sha256.New, r.secret)
	for _, p := range parts {
		_, _ = h.Write(binary.BigEndian.AppendUint64(nil, uint64(len(p))))
		_, _ = h.Write([]byte(p))
	}
	return reviewKey(h.Sum(nil))
}

// ask returns the cached answer, or calls review, which ends at the time last. The answer that somebody is allowed is
// cached until the other time. Concurrent callers with the same id share one review, which continues if one of them
// gives up.
func (r *Reviewer) ask(
	ctx context.Context, id reviewKey, last, until time.Time,
	review func(context.Context) (authenticationv1.UserInfo, error),
) (reviewAnswer, error) {
	if a, ok := r.cache.get(id); ok {
		return a, a.err
	}
	done := r.flights.DoChan(string(id[:]), func() (any, error) {
		if a, ok := r.cache.get(id); ok { // another review has just ended
			return a, a.err
		}
		ctx, cancel := context.WithDeadline(context.WithoutCancel(ctx), last)
		defer cancel()
		begun := time.Now()
		user, err := review(ctx)
		a := reviewAnswer{user: user, err: err, until: until}
		switch {
		case err == nil:
			r.cache.put(id, a)
		case errors.Is(err, ErrUnauthenticated), errors.Is(err, ErrForbidden):
			a.until = begun.Add(deniedFor)
			r.cache.put(id, a)
		}
		return a, err
	})
	select {
	case a := <-done:
		return a.Val.(reviewAnswer), a.Err
	case <-ctx.Done():
		return reviewAnswer{}, fmt.Errorf("%w: %w", ErrUnavailable, context.Cause(ctx))
	}
}

// reviewKey is the hash of a token, or of a token and a right.
type reviewKey [sha256.Size]byte

// reviewAnswer is the result of a review.
type reviewAnswer struct {
	user  authenticationv1.UserInfo
	err   error // nil, ErrUnauthenticated or ErrForbidden
	until time.Time
}

// reviewCache keeps the most recently used answers. Refusals have their own cache, so that invented tokens displace
// only each other.
type reviewCache struct{ allowed, denied *lru.Cache }

// get returns the cached answer if it has not expired.
func (c *reviewCache) get(k reviewKey) (reviewAnswer, bool) {
	for _, all := range []*lru.Cache{c.allowed, c.denied} {
		if found, ok := all.Get(k); ok && time.Now().Before(found.(reviewAnswer).until) {
			return found.(reviewAnswer), true
		}
	}
	return reviewAnswer{}, false
}

// known reports whether the last answer was to allow, even if that answer has expired.
func (c *reviewCache) known(k reviewKey) bool {
	_, ok := c.allowed.Get(k)
	return ok
}

func (c *reviewCache) put(k reviewKey, a reviewAnswer) {
	into, other := c.allowed, c.denied
	if a.err != nil {
		into, other = other, into
	}
	other.Remove(k)
	into.Add(k, a)
}
