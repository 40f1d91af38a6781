package view

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"kubernaut.io/dynamic-toolset/internal/backend"
)

// The advice follows what was found, and never contradicts it.
func TestAdviceFollowsTheFinding(t *testing.T) {
	t.Attr("req", "DTS-PRB-8 DTS-PRB-11")
	asked := func(statuses ...int) (list []backend.Request) {
		for _, s := range statuses {
			list = append(list, backend.Request{Seen: backend.Seen{Answer: &backend.Answer{Status: s}}})
		}
		return list
	}
	unavailable, rejected, accepted := backend.Unavailable, backend.Rejected, backend.Accepted
	const custom = "toolset-type=custom"
	tests := map[string]struct {
		verdict  backend.Verdict
		o        backend.Observation
		strength backend.Strength
		want     string
		never    string
	}{
		"its own port":      {unavailable, backend.Observation{Outcome: backend.NotReady, Identity: true}, backend.Strong, "kubectl -n shop get endpointslices", "toolset-port"},
		"no endpoints":      {unavailable, backend.Observation{Outcome: backend.NoEndpoints}, backend.Strong, "get endpointslices -l kubernetes.io/service-name=web", "get pods"},
		"refused":           {unavailable, backend.Observation{Outcome: backend.Unreachable}, backend.Strong, "published as soon as it answers", custom},
		"its owner's word":  {rejected, backend.Observation{Outcome: backend.WrongIdentity, Requests: asked(404, 200)}, backend.Explicit, "toolset-port=PORT", custom},
		"a mesh":            {unavailable, backend.Observation{Outcome: backend.ForbiddenByMesh}, backend.Strong, "authorization policy", custom},
		"a login":           {unavailable, backend.Observation{Outcome: backend.LoginRequired}, backend.Strong, "past the proxy", custom},
		"forbidden":         {unavailable, backend.Observation{Outcome: backend.Forbidden}, backend.Strong, "allow those of HolmesGPT and of this service", custom},
		"a certificate":     {unavailable, backend.Observation{Outcome: backend.AuthRequired, Wants: backend.KindCertificate}, backend.Strong, "no client certificate", "credentials:"},
		"reset":             {unavailable, backend.Observation{Outcome: backend.Unreachable, Cause: backend.CauseReset}, backend.Strong, "service mesh", custom},
		"the CA":            {unavailable, backend.Observation{Outcome: backend.UntrustedTLS, Missing: backend.MissingCA}, backend.Strong, "caFile", custom},
		"the name":          {unavailable, backend.Observation{Outcome: backend.UntrustedTLS, Missing: backend.MissingName}, backend.Strong, "web.shop.svc", "caFile"},
		"expired":           {unavailable, backend.Observation{Outcome: backend.UntrustedTLS}, backend.Strong, "renewed", "caFile"},
		"no HTTP":           {rejected, backend.Observation{Outcome: backend.WrongIdentity, Requests: asked(0)}, backend.Weak, "toolset-port", custom},
		"404 everywhere":    {rejected, backend.Observation{Outcome: backend.WrongIdentity, Requests: asked(404, 404)}, backend.Strong, "toolset-path", custom},
		"404, weak":         {rejected, backend.Observation{Outcome: backend.WrongIdentity, Requests: asked(404, 404)}, backend.Weak, custom, "toolset-path"},
		"something else":    {rejected, backend.Observation{Outcome: backend.WrongIdentity, Requests: asked(404, 200)}, backend.Strong, custom, "toolset-path"},
		"a CA of one's own": {accepted, backend.Observation{Outcome: backend.Ready, OwnCA: true}, backend.Strong, "REQUESTS_CA_BUNDLE", custom},
		"a public CA":       {accepted, backend.Observation{Outcome: backend.Ready}, backend.Strong, "toolset=false", "REQUESTS_CA_BUNDLE"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			ref := backend.Ref{Namespace: "shop", Name: "web"}
			s := &backend.Service{Ref: ref, Ports: []backend.Port{{Number: 80}}}
			f := &backend.Finding{
				Ref: ref, Service: s, Type: "loki", Candidate: &backend.Candidate{Service: s, Type: "loki", Strength: tt.strength},
				Observation: tt.o, Verdict: tt.verdict, Reason: backend.Reason{Code: backend.CodeObserved},
			}
			text := ""
			for _, a := range (Hints{}).advise(f) {
				text += a.Text + " " + a.Command + "\n"
			}
			if !strings.Contains(text, tt.want) || strings.Contains(text, tt.never) {
				t.Errorf("want %q and not %q in:\n%s", tt.want, tt.never, text)
			}
		})
	}
}

// Tries that went alike are one round.
func TestRounds(t *testing.T) {
	t.Attr("req", "DTS-CLI-4")
	r := func(try, status int, took string) Request {
		return Request{Purpose: "identity", URL: "/", Status: status, Took: took, Try: try}
	}
	for name, tt := range map[string]struct {
		in   []Request
		want []Round
	}{
		"none":      {nil, nil},
		"one":       {[]Request{r(1, 200, "1ms"), r(1, 404, "1ms")}, []Round{{First: 1, Last: 1}}},
		"alike":     {[]Request{r(1, 503, "1ms"), r(2, 503, "2ms"), r(3, 503, "3ms")}, []Round{{First: 1, Last: 3}}},
		"different": {[]Request{r(1, 503, "1ms"), r(2, 503, "1ms"), r(2, 200, "1ms"), r(3, 200, "1ms")}, []Round{{First: 1, Last: 1}, {First: 2, Last: 2}, {First: 3, Last: 3}}},
	} {
		if d := cmp.Diff(tt.want, Rounds(tt.in), cmpopts.IgnoreFields(Round{}, "Requests")); d != "" {
			t.Errorf("%s (-want +got)\n%s", name, d)
		}
	}
}
