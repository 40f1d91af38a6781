package view

import (
	"fmt"
	"strings"
	"testing"

	"kubernaut.io/dynamic-toolset/internal/backend"
	"kubernaut.io/dynamic-toolset/internal/safetext"
)

func TestAdvice(t *testing.T) {
	t.Attr("req", "DTS-CLI-4")
	service := &backend.Service{Ref: backend.Ref{Namespace: "a", Name: "b"}, Ports: []backend.Port{{Number: 80}}}
	annotation := func(code backend.Code, name string) backend.Reason {
		return backend.Reason{Code: code, Details: backend.Details{Annotation: "kubernaut.io/toolset-" + name}}
	}
	outside := &backend.Service{Ref: service.Ref, Type: "ExternalName", ExternalName: "logs.example.org"}
	external := backend.Finding{Ref: service.Ref, Service: outside, Type: "loki", Verdict: backend.Rejected, Reason: backend.Reason{Code: backend.CodeExternalName}}
	advice := (Hints{}).advise(&external)
	if len(advice) != 2 || !strings.Contains(advice[0].Command, "toolset-type=loki kubernaut.io/toolset-endpoint=https://logs.example.org") ||
		advice[1].Command != "security: {allowedEndpointHosts: [logs.example.org]}" {
		t.Errorf("an ExternalName Service: %v", advice)
	}
	outside.Annotations = map[string]string{"kubernaut.io/toolset-endpoint": "https://$(id)/"}
	external.Reason = annotation(backend.CodeExternalURLNotAllowed, "endpoint")
	if advice := (Hints{}).advise(&external); len(advice) != 1 || advice[0].Command != "security: {allowedEndpointHosts: [logs.example.org]}" {
		t.Errorf("what is no name is not shown as one: %v", advice)
	}
	bad := backend.Finding{Ref: service.Ref, Service: service, Verdict: backend.Rejected, Reason: annotation(backend.CodeAnnotationScheme, "scheme")}
	got := (Hints{Files: true}).advise(&bad)
	if want := "metadata.annotations:\n  kubernaut.io/toolset-scheme: \"VALUE\""; len(got) != 1 || got[0].Command != want {
		t.Errorf("a Service in a file is annotated there: %q, want %q", got, want)
	}
	misnamed := backend.Finding{Ref: service.Ref, Service: service, Type: "loki", Verdict: backend.Unavailable,
		Observation: backend.Observation{Outcome: backend.UntrustedTLS, Missing: backend.MissingName}}
	for files, want := range map[bool]string{
		true:  "metadata.annotations:\n  kubernaut.io/toolset-endpoint: \"https://NAME:PORT\"",
		false: "kubectl -n " + service.Namespace + " annotate service " + service.Name + " kubernaut.io/toolset-endpoint=https://NAME:PORT",
	} {
		if got := (Hints{Files: files}).advise(&misnamed); len(got) == 0 || got[0].Command != want {
			t.Errorf("a certificate for another name: %q, want %q", got, want)
		}
	}
}

// The URL of a redirect is clean, but its host may be escaped, and then hold what no text may hold.
func TestAdviceNamesNoHiddenHost(t *testing.T) {
	t.Attr("req", "DTS-ANN-2 DTS-SEC-3")
	s := &backend.Service{Ref: backend.Ref{Namespace: "a", Name: "b"}, Ports: []backend.Port{{Number: 80}}}
	for host, want := range map[string]string{
		"grafana.example.org":              "host names to grafana.example.org. ",
		"a%E2%80%AEb%C2%9B31mc%FF.example": "host names to a b 31mc\ufffd.example. ", // right to left, the start of an escape sequence
		"a%F3%A0%81%A1b.example":           "host names to a b.example. ",            // a hidden letter
		strings.Repeat("a", 400):           "host names to " + strings.Repeat("a", ShownText-1) + "…. ",
	} {
		f := backend.Finding{
			Ref: s.Ref, Service: s, Type: "grafana", Verdict: backend.Unavailable, Candidate: &backend.Candidate{Service: s, Host: "b.a.svc"},
			Observation: backend.Observation{Outcome: backend.NotReady, Requests: []backend.Request{
				{Seen: backend.Seen{Answer: &backend.Answer{Status: 302, Redirect: "http://" + host + "/x"}}},
			}},
		}
		advice := (Hints{}).advise(&f)
		if len(advice) != 1 || !strings.Contains(advice[0].Text, want) || safetext.Check(advice[0].Text) != nil {
			t.Errorf("%s: %+q, want %q in it", host, advice, want)
		}
	}
}

// A backend that the configuration names has no Service, so no advice and no reason may send people to one.
func TestAdviceOutside(t *testing.T) {
	t.Attr("req", "DTS-DET-13")
	s := &backend.Service{Ref: backend.Ref{Namespace: backend.OutsideNamespace, Name: "amp"}, Type: backend.TypeOutside, Ports: []backend.Port{{Number: 443}}}
	tests := []struct {
		code        backend.Code
		observation backend.Observation
		want        string
	}{
		{backend.CodeCertificateName, backend.Observation{Outcome: backend.UntrustedTLS, Missing: backend.MissingName}, "tls: {insecureSkipVerify: [outside/amp]}"},
		{backend.CodeAddressDenied, backend.Observation{Outcome: backend.Unreachable, Cause: backend.CauseDenied}, "security.denyCIDRs"},
		{backend.CodeTenantMissing, backend.Observation{Outcome: backend.AuthRequired, Wants: backend.KindTenant}, "tenants: {mimir: {outside/amp: [TENANT]}}"},
		{backend.CodeTimeout, backend.Observation{Outcome: backend.Unreachable}, "reached from where this runs"},
	}
	for _, tt := range tests {
		f := backend.Finding{
			Ref: s.Ref, Service: s, Type: "mimir", Verdict: backend.Unavailable, Candidate: &backend.Candidate{Service: s, Type: "mimir"},
			Observation: tt.observation, Reason: backend.Reason{Code: tt.code}, Remedies: []string{"tenants: {mimir: {outside/amp: [TENANT]}}"},
		}
		said := fmt.Sprint((Hints{}).advise(&f))
		if !strings.Contains(said, tt.want) || !strings.Contains(said, "backends: [{name: amp, …}]") {
			t.Errorf("%s: %s", tt.code, said)
		}
		if said += Reason(&f); strings.Contains(said, "kubectl") || strings.Contains(said, "annotat") || strings.Contains(said, ".svc") {
			t.Errorf("%s: there is no such Service: %s", tt.code, said)
		}
	}
}
