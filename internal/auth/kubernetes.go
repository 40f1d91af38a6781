package auth

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"golang.org/x/sync/singleflight"
	"golang.org/x/time/rate"
	authenticationv1 "k8s.io/api/authentication/v1"
	authorizationv1 "k8s.io/api/authorization/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// TokenReviews is client-go's AuthenticationV1().TokenReviews().
type TokenReviews interface {
	Create(context.Context, *authenticationv1.TokenReview, metav1.CreateOptions) (*authenticationv1.TokenReview, error)
}

// AccessReviews is client-go's AuthorizationV1().SubjectAccessReviews().
type AccessReviews interface {
	Create(context.Context, *authorizationv1.SubjectAccessReview, metav1.CreateOptions) (*authorizationv1.SubjectAccessReview, error)
}

// Options of Kubernetes.
type Options struct {
	Namespace  string        // where Roles grant rights: output.namespace
	AllowedFor time.Duration // how long a yes is remembered; 0: 60 s
	DeniedFor  time.Duration // how long a no is remembered; 0: 10 s
	Log        *slog.Logger  // nil: no log
}

const (
	defaultAllowedFor = 60 * time.Second
	defaultDeniedFor  = 10 * time.Second

	// maxToken is far more than any token has: a certificate chain in one is some kilobytes.
	maxToken = 16 << 10
	// reviewTimeout bounds a question, with all its reviews and the wait for them.
	reviewTimeout = 10 * time.Second
	// maxWait is how long a review waits for its turn.
	maxWait = time.Second

	// Reviews per second, and at once, each for what was allowed the last time and for all else: a flood of tokens, made up
	// or good for nothing, keeps new ones out, and not those that are known.
	reviewRate  = 10
	reviewBurst = 20
)

// Kubernetes asks the cluster.
type Kubernetes struct {
	tokens  TokenReviews
	access  AccessReviews
	options Options
	log     *slog.Logger

	secret           []byte // of the hash; made anew by each process
	cache            *cache
	flights          singleflight.Group
	known, strangers *rate.Limiter
	// Apart, since the rights to ask may be there for one alone.
	tokenOutage, accessOutage outage
}

// NewKubernetes makes one from typed clients, which need the rights of the ClusterRole system:auth-delegator. The clients
// should have no rate limit of their own: reviews have one here, with a bounded wait.
func NewKubernetes(tokens TokenReviews, access AccessReviews, o Options) *Kubernetes {
	if o.AllowedFor == 0 {
		o.AllowedFor = defaultAllowedFor
	}
	if o.DeniedFor == 0 {
		o.DeniedFor = defaultDeniedFor
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	secret := make([]byte, sha256.Size)
	_, _ = rand.Read(secret) // never fails
	return &Kubernetes{
		tokens: tokens, access: access, options: o, log: o.Log, secret: secret, cache: newCache(),
		known: rate.NewLimiter(reviewRate, reviewBurst), strangers: rate.NewLimiter(reviewRate, reviewBurst),
		tokenOutage: outage{log: o.Log, review: "TokenReview"}, accessOutage: outage{log: o.Log, review: "SubjectAccessReview"},
	}
}

// Authorize says who sends the token and whether that user may do what is asked. The user is there with ErrForbidden too. A
// right that is taken away, or a token that is revoked, is noticed when the remembered yes ends; the API server itself
// remembers tokens for some ten seconds more.
func (k *Kubernetes) Authorize(ctx context.Context, token string, a Attributes) (User, error) {
	if err := plausible(token); err != nil {
		return User{}, err
	}
	who, what := k.hash("token", token), k.hash("access", token, a.Verb, a.Resource, a.Name, a.NonResourcePath)
	limiter := k.strangers
	if k.cache.known(what) { // a good token alone is not enough: tokens of one who may nothing are easily made
		limiter = k.known
	}
	user, err := k.ask(ctx, who, func(ctx context.Context) (User, error) { return k.reviewToken(ctx, limiter, token) })
	if err != nil {
		return User{}, err
	}
	_, err = k.ask(ctx, what, func(ctx context.Context) (User, error) { return user, k.reviewAccess(ctx, limiter, user, a) })
	return user, err
}

// plausible refuses what need not be reviewed. White space and the like would be worse than useless: the API server takes a
// token that begins with a space for none at all, and then the user is system:anonymous.
func plausible(token string) error {
	switch {
	case token == "":
		return fmt.Errorf("%w: no token; send one in the header Authorization: Bearer TOKEN, where kubectl create token "+
			"SERVICEACCOUNT --audience %s makes one", ErrUnauthenticated, Audience)
	case len(token) > maxToken:
		return fmt.Errorf("%w: the token is longer than %d bytes", ErrUnauthenticated, maxToken)
	}
	for i := range len(token) {
		if token[i] <= ' ' || token[i] > '~' {
			return fmt.Errorf("%w: the token has characters that no token has; send the token alone after Bearer", ErrUnauthenticated)
		}
	}
	return nil
}

// hash is the key of a list of texts. Nobody without the secret can tell a token from it, or find two with the same one.
func (k *Kubernetes) hash(parts ...string) key {
	h := hmac.New(sha256.New, k.secret)
	for _, p := range parts {
		var size [8]byte
		binary.BigEndian.PutUint64(size[:], uint64(len(p)))
		_, _ = h.Write(size[:])
		_, _ = h.Write([]byte(p))
	}
	return key(h.Sum(nil))
}

// ask is the remembered answer, or a new one. Callers that want the same at the same time share one review, which goes on
// when one of them leaves.
func (k *Kubernetes) ask(ctx context.Context, id key, review func(context.Context) (User, error)) (User, error) {
	if a, ok := k.cache.get(id); ok {
		return a.user, a.err
	}
	done := k.flights.DoChan(string(id[:]), func() (any, error) {
		if a, ok := k.cache.get(id); ok { // it came in just before
			return a.user, a.err
		}
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), reviewTimeout)
		defer cancel()
		start := time.Now() // what changes while it is reviewed may be missed
		user, err := review(ctx)
		switch {
		case err == nil:
			k.cache.put(id, answer{user: user, until: start.Add(k.options.AllowedFor)})
		case errors.Is(err, ErrUnauthenticated), errors.Is(err, ErrForbidden):
			k.cache.put(id, answer{user: user, err: err, until: start.Add(k.options.DeniedFor)})
		}
		return user, err
	})
	select {
	case r := <-done:
		return r.Val.(User), r.Err
	case <-ctx.Done():
		return User{}, fmt.Errorf("%w: %w", ErrUnavailable, context.Cause(ctx))
	}
}

// wait waits for the turn of one review.
func wait(ctx context.Context, l *rate.Limiter) error {
	ctx, cancel := context.WithTimeout(ctx, maxWait)
	defer cancel()
	if err := l.Wait(ctx); err != nil {
		return fmt.Errorf("%w; try again in some seconds", ErrBusy)
	}
	return nil
}
