package server

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	authenticationv1 "k8s.io/api/authentication/v1"
	authorizationv1 "k8s.io/api/authorization/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

func TestAuthorize(t *testing.T) {
	t.Attr("req", "DTS-API-3")
	token := jwt(t, `{"aud":["`+apiAudience+`"]}`)
	const user = "jane"
	tests := []struct {
		name   string
		token  string
		ask    Right
		change func(*cluster)
		want   error
		says   []string
		user   string
		tokens int // reviews
		access int
	}{
		{name: "allowed", token: token, ask: toGetToolsets, user: user, tokens: 1, access: 1},
		{name: "no token", ask: toGetToolsets, want: ErrUnauthenticated, says: []string{"no token", "kubectl create token"}},
		{name: "unknown token", token: token + "x", ask: toGetToolsets, want: ErrUnauthenticated, says: []string{"expired", "audience"}, tokens: 1},
		{name: "long token", token: strings.Repeat("a", maxToken+1), ask: toGetToolsets, want: ErrUnauthenticated, says: []string{"longer than 16384"}},
		{name: "longest token", token: strings.Repeat("a", maxToken), ask: toGetToolsets, want: ErrUnauthenticated, tokens: 2},
		{name: "space in the token", token: " " + token, ask: toGetToolsets, want: ErrUnauthenticated, says: []string{"characters"}},
		{name: "newline in the token", token: token + "\n", ask: toGetToolsets, want: ErrUnauthenticated},
		{name: "not ASCII", token: "tökén", ask: toGetToolsets, want: ErrUnauthenticated},
		{
			name: "other verb", token: token, ask: Right{Verb: "create", Resource: ResourceDiscoveries}, want: ErrForbidden, user: user,
			says:   []string{`"jane"`, "create discoveries", "toolset.kubernaut.io", "toolsets-here", "a Role there with the rule {apiGroups: [toolset.kubernaut.io], resources: [discoveries], verbs: [create]}"},
			tokens: 1, access: 1,
		},
		{
			name: "path without the right", token: token, ask: Right{Verb: "get", Path: "/metrics"}, want: ErrForbidden, user: user,
			says: []string{`"jane" may not get the path /metrics`, `ClusterRole with the rule {nonResourceURLs: ["/metrics"], verbs: [get]}`}, tokens: 1, access: 1,
		},
		{
			name: "path", token: token, ask: Right{Verb: "get", Path: "/metrics"}, user: user, tokens: 1, access: 1,
			change: func(c *cluster) { c.grants[token].may = []Right{{Verb: "get", Path: "/metrics"}} },
		},
		{
			name: "vetoed", token: token, ask: toGetToolsets, want: ErrForbidden, user: user, tokens: 1, access: 1,
			change: func(c *cluster) { c.denied = true },
		},
		{
			name: "anonymous", token: token, ask: toGetToolsets, want: ErrUnauthenticated, tokens: 1,
			change: func(c *cluster) { c.grants[token].user.Username = "system:anonymous" },
		},
		{
			name: "nobody", token: token, ask: toGetToolsets, want: ErrUnauthenticated, tokens: 1,
			change: func(c *cluster) { c.grants[token].user = authenticationv1.UserInfo{} },
		},
		{
			name: "token cannot be reviewed", token: token, ask: toGetToolsets, want: ErrUnavailable, tokens: 1,
			change: func(c *cluster) { c.tokenErr = errors.New("connection to 10.0.0.1 refused") },
		},
		{
			name: "this service may not ask", token: token, ask: toGetToolsets, want: ErrUnavailable, user: user, tokens: 1, access: 1,
			change: func(c *cluster) {
				c.allowErr = apierrors.NewForbidden(schema.GroupResource{Resource: "subjectaccessreviews"}, "", nil)
			},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := newCluster(token)
			if tt.change != nil {
				tt.change(c)
			}
			got, err := c.authorizer(nil).Authorize(t.Context(), tt.token, tt.ask)
			if !errors.Is(err, tt.want) {
				t.Errorf("error %v, want %v", err, tt.want)
			}
			for _, part := range tt.says {
				if err == nil || !strings.Contains(err.Error(), part) {
					t.Errorf("error %q does not say %q", err, part)
				}
			}
			if err != nil && strings.Contains(err.Error(), "10.0.0.1") {
				t.Errorf("error %q tells strangers about the network", err)
			}
			if got != tt.user {
				t.Errorf("user %q, want %q", got, tt.user)
			}
			if tokens, access := c.reviewed(); tokens != tt.tokens || access != tt.access {
				t.Errorf("%d token and %d access reviews, want %d and %d", tokens, access, tt.tokens, tt.access)
			}
		})
	}
}

// All that is known of the user is passed on, since authorisers other than RBAC look at it.
func TestAccessReviewHasTheWholeUser(t *testing.T) {
	t.Attr("req", "DTS-API-3")
	c := newCluster("t")
	if _, err := c.authorizer(nil).Authorize(t.Context(), "t", toGetToolsets); err != nil {
		t.Fatal(err)
	}
	want := []*authorizationv1.SubjectAccessReviewSpec{{
		ResourceAttributes: &authorizationv1.ResourceAttributes{
			Namespace: "toolsets-here", Verb: "get", Group: "toolset.kubernaut.io", Version: "*", Resource: "toolsets",
		},
		User: "jane", UID: "42", Groups: []string{"sre", "system:authenticated"},
		Extra: map[string]authorizationv1.ExtraValue{"scopes": {"a", "b"}},
	}}
	if diff := cmp.Diff(want, c.access); diff != "" {
		t.Errorf("reviews (-want +got):\n%s", diff)
	}
}

func TestAudiences(t *testing.T) {
	t.Attr("req", "DTS-API-3")
	ours, both := []string{Audience}, []string{"other", Audience, apiAudience}
	tests := []struct {
		name    string
		token   string
		has     []string
		unaware bool
		want    error
		asked   [][]string
	}{
		{name: "the API server's", token: jwt(t, `{"aud":["`+apiAudience+`"]}`), asked: [][]string{nil}},
		{name: "no claim, as old tokens", token: jwt(t, `{"sub":"x"}`), asked: [][]string{nil}},
		{name: "ours", token: jwt(t, `{"aud":["dynamic-toolset"]}`), has: ours, asked: [][]string{ours}},
		{name: "ours as text", token: jwt(t, `{"aud":"dynamic-toolset"}`), has: ours, asked: [][]string{ours}},
		{name: "both", token: jwt(t, `{"aud":["other","dynamic-toolset","`+apiAudience+`"]}`), has: both, asked: [][]string{ours}},
		{name: "ours with an issuer that knows no audiences", token: jwt(t, `{"aud":"dynamic-toolset"}`), asked: [][]string{ours, nil}},
		{name: "another", token: jwt(t, `{"aud":["vault"]}`), has: []string{"vault"}, want: ErrUnauthenticated, asked: [][]string{nil}},
		{name: "claimed but not so", token: jwt(t, `{"aud":["dynamic-toolset"]}`), has: []string{"vault"}, want: ErrUnauthenticated, asked: [][]string{ours, nil}},
		{name: "opaque, the API server's", token: "opaque", asked: [][]string{nil}},
		{name: "opaque, ours", token: "opaque", has: ours, asked: [][]string{nil, ours}},
		{name: "opaque, another", token: "opaque", has: []string{"vault"}, want: ErrUnauthenticated, asked: [][]string{nil, ours}},
		{name: "no token of three parts", token: "a.b.c", has: ours, asked: [][]string{nil, ours}},
		// What the first answer lacks shows that nobody looked at the audience; the second is about the API server's.
		{name: "nobody looks at audiences", token: jwt(t, `{"aud":"dynamic-toolset"}`), has: []string{"vault"}, unaware: true, asked: [][]string{ours, nil}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := newCluster(tt.token, tt.has...)
			c.grants[tt.token].unaware = tt.unaware
			if _, err := c.authorizer(nil).Authorize(t.Context(), tt.token, toGetToolsets); !errors.Is(err, tt.want) {
				t.Errorf("error %v, want %v", err, tt.want)
			}
			var asked [][]string
			for _, spec := range c.tokens {
				asked = append(asked, spec.Audiences)
			}
			if diff := cmp.Diff(tt.asked, asked); diff != "" {
				t.Errorf("audiences of the reviews (-want +got):\n%s", diff)
			}
		})
	}
}

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
		ask   Right
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
		{"forbidden for 10 s, the token for 60 s", Right{Verb: "create", Resource: ResourceDiscoveries}, []step{
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

// Nobody waits longer than ten seconds for an API server that hangs, and who is remembered is not held up.
func TestAPIServerHangs(t *testing.T) {
	t.Attr("req", "DTS-API-3 DTS-SEC-3")
	synctest.Test(t, func(t *testing.T) {
		c := newCluster("known")
		k := c.authorizer(nil)
		ask := func(token string) error {
			_, err := k.Authorize(t.Context(), token, toGetToolsets)
			return err
		}
		if err := ask("known"); err != nil {
			t.Fatal(err)
		}
		c.set(func() { c.takes = time.Hour })
		start := time.Now()
		var all sync.WaitGroup
		for i := range 1000 {
			all.Go(func() {
				if err := ask(fmt.Sprint("stranger", i)); !errors.Is(err, ErrUnavailable) && !errors.Is(err, ErrBusy) {
					t.Errorf("a stranger: %v", err)
				}
			})
		}
		synctest.Wait()
		if err := ask("known"); err != nil || time.Since(start) > 0 {
			t.Errorf("who is remembered: %v after %s", err, time.Since(start))
		}
		all.Wait()
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
		c, w := newCluster("other"), new(lines)
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
		if got := strings.Count(w.String(), "review of a caller failed"); got != 2 {
			t.Errorf("an outage of 70 s was told %d times, want 2:\n%s", got, w)
		}
		c.set(func() { c.tokenErr = nil })
		ask()
		<-time.After(10 * time.Second)
		ask()
		if got := strings.Count(w.String(), "works again"); got != 1 {
			t.Errorf("the end of the outage was told %d times, want once:\n%s", got, w)
		}
		if s := w.String(); strings.Contains(s, part) || !strings.Contains(s, "[token]") {
			t.Errorf("the token is in the log, or nothing about it:\n%s", s)
		}
	})
}

func TestBearerToken(t *testing.T) {
	t.Attr("req", "DTS-API-3")
	tests := []struct {
		name    string
		headers []string
		want    string
	}{
		{"none", nil, ""},
		{"usual", []string{"Bearer abc.def"}, "abc.def"},
		{"any case", []string{"bEARER abc"}, "abc"},
		{"more spaces", []string{"  Bearer   abc  "}, "abc"},
		{"another scheme", []string{"Basic abc"}, ""},
		{"scheme alone", []string{"Bearer"}, ""},
		{"scheme and space", []string{"Bearer "}, ""},
		{"no scheme", []string{"abc"}, ""},
		{"longer scheme", []string{"BearerX abc"}, ""},
		{"two headers", []string{"Bearer abc", "Bearer abc"}, ""},
		{"two tokens stay together, and are refused later", []string{"Bearer abc def"}, "abc def"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := &http.Request{Header: http.Header{"Authorization": tt.headers}}
			if got := bearerToken(r); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}
