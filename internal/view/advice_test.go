package view

import (
	"fmt"
	"strings"
	"testing"

	"kubernaut.io/dynamic-toolset/internal/backend"
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
