package auth

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	authenticationv1 "k8s.io/api/authentication/v1"
	authorizationv1 "k8s.io/api/authorization/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

func TestAuthorize(t *testing.T) {
	t.Attr("req", "DTS-API-3")
	token := jwt(t, `{"aud":["`+apiAudience+`"]}`)
	user := User{
		Name: "jane", UID: "42", Groups: []string{"sre", "system:authenticated"}, Extra: map[string][]string{"scopes": {"a", "b"}},
	}
	metrics := authorizationv1.SubjectAccessReviewSpec{
		NonResourceAttributes: &authorizationv1.NonResourceAttributes{Path: "/metrics", Verb: "get"},
	}
	tests := []struct {
		name   string
		token  string
		ask    Attributes
		change func(*cluster)
		want   error
		says   []string
		user   User
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
			name: "other verb", token: token, ask: Attributes{Verb: "create", Resource: Discoveries}, want: ErrForbidden, user: user,
			says:   []string{`"jane"`, "create discoveries", "toolset.kubernaut.io", "toolsets-here", "a Role there with the rule {apiGroups: [toolset.kubernaut.io], resources: [discoveries], verbs: [create]}"},
			tokens: 1, access: 1,
		},
		{
			name: "one object", token: token, ask: Attributes{Verb: "get", Resource: Toolsets, Name: "grafana"},
			want: ErrForbidden, says: []string{`toolsets "grafana"`}, user: user, tokens: 1, access: 1,
		},
		{
			name: "path without the right", token: token, ask: Attributes{Verb: "get", NonResourcePath: "/metrics"}, want: ErrForbidden, user: user,
			says: []string{`"jane" may not get the path /metrics`, `ClusterRole with the rule {nonResourceURLs: ["/metrics"], verbs: [get]}`}, tokens: 1, access: 1,
		},
		{
			name: "path", token: token, ask: Attributes{Verb: "get", NonResourcePath: "/metrics"}, user: user, tokens: 1, access: 1,
			change: func(c *cluster) { g := c.grants[token]; g.may = append(g.may, metrics) },
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
			if diff := cmp.Diff(tt.user, got); diff != "" {
				t.Errorf("user (-want +got):\n%s", diff)
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
	want := getToolsets()
	want.ResourceAttributes.Version = "*"
	want.User, want.UID, want.Groups = "jane", "42", []string{"sre", "system:authenticated"}
	want.Extra = map[string]authorizationv1.ExtraValue{"scopes": {"a", "b"}}
	if diff := cmp.Diff([]*authorizationv1.SubjectAccessReviewSpec{&want}, c.access); diff != "" {
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
		{name: "a strange claim", token: jwt(t, `{"aud":{"a":1}}`), has: ours, asked: [][]string{nil, ours}},
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

func TestNone(t *testing.T) {
	t.Attr("req", "DTS-API-3")
	if _, err := (None{}).Authorize(t.Context(), "", Attributes{}); err != nil {
		t.Error(err)
	}
}
