package view

import (
	"flag"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/util/intstr"

	"kubernaut.io/dynamic-toolset/internal/backend"
)

var update = flag.Bool("update", false, "write the golden files anew")

// constants are the values of a file's constants, in their order. Each must have a comment.
func constants[T ~string](t *testing.T, path string) (list []T) {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ParseComments)
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range file.Decls {
		group, ok := d.(*ast.GenDecl)
		if !ok || group.Tok != token.CONST {
			continue
		}
		for _, spec := range group.Specs {
			v := spec.(*ast.ValueSpec)
			if v.Comment == nil {
				t.Errorf("%s has no comment", v.Names[0])
			}
			text, err := strconv.Unquote(v.Values[0].(*ast.BasicLit).Value)
			if err != nil {
				t.Error(err)
			}
			list = append(list, T(text))
		}
	}
	return list
}

// golden compares a text with a golden file, which -update writes anew.
func golden(t *testing.T, name, got string) {
	t.Helper()
	file := filepath.Join("testdata", name+".golden")
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(string(want), got); d != "" {
		t.Errorf("%s (-want +got); write it with -update:\n%s", file, d)
	}
}

// example is a finding with all that a text may need.
func example(code backend.Code) *backend.Finding {
	ref := backend.Ref{Namespace: "shop", Name: "metrics"}
	port := backend.Port{Name: "http", Number: 80, Protocol: "TCP", Target: intstr.FromInt32(9090)}
	s := &backend.Service{Ref: ref, Ports: []backend.Port{port, {Name: "udp", Number: 53, Protocol: "UDP"}}, Selector: map[string]string{"app": "metrics"},
		ExternalName: "metrics.example.org", Excess: &backend.Excess{Of: backend.PartSelector, Number: 70, Limit: 64}}
	winner := backend.Ref{Namespace: "monitoring", Name: "prometheus"}
	f := &backend.Finding{
		Ref: ref, Service: s, Type: "prometheus", Verdict: verdict(code), Winner: winner, Blocker: winner,
		Kept:        backend.Kept{For: winner, By: backend.PrimaryRecorded, Verdict: backend.Unavailable},
		Credentials: map[string]string{"token": "METRICS_TOKEN"}, Remedies: []string{"credentials: {prometheus: {shop/metrics: {token: METRICS_TOKEN}}}"},
		Observation: backend.Observation{
			Seen: backend.Seen{Code: backend.CodeConnectionRefused}, Wants: backend.KindBearer,
			Requests: []backend.Request{{Seen: backend.Seen{Answer: &backend.Answer{Status: 200}}}},
		},
		Candidate: &backend.Candidate{Service: s, Type: "prometheus", Port: port, Strength: backend.Strong, Signs: []backend.Sign{{Code: backend.SignLabel, Key: "app", Value: "prometheus"}, {Code: backend.SignName, Value: "metrics"}}},
		Reason: backend.Reason{Code: code, Details: backend.Details{
			Type: "Prometheus", Key: "app", Value: "text", Because: "something else", Host: "metrics.example.org", Number: 70, Limit: 64,
			Wait: 30 * time.Second, Other: backend.Ref{Namespace: "ops", Name: "older"}, Port: &port,
		}},
	}
	probed(f, code)
	if strings.HasPrefix(string(code), "credentials-") {
		f.Observation.Outcome = backend.AuthRequired
	}
	if strings.Contains(template(code), "{annotation}") {
		f.Reason.Annotation = "kubernaut.io/toolset-name"
	}
	if f.Verdict == backend.Rejected && !observed(f) && code != backend.CodeNameTaken && code.Limit() == "" {
		f.Candidate = nil // detection's
	}
	return f
}

// verdict that a code goes with.
func verdict(code backend.Code) backend.Verdict {
	switch {
	case strings.HasPrefix(string(code), "duplicate-"):
		return backend.Duplicate
	case strings.HasPrefix(string(code), "weak-"), code == backend.CodePortUnknown:
		return backend.Unconfirmed
	case code == backend.CodeIncludedUnproven, code == backend.CodeRecognised, code == backend.CodeAnswers, code == backend.CodeWorks,
		code == backend.CodeCredentialsWanted, code == backend.CodeCredentialsGiven, code == backend.CodeCertificateGiven, code == backend.CodeStillPublished,
		code == backend.CodeMoved:
		return backend.Accepted
	case seenTexts[code] != "", code == backend.CodeObserved, code == backend.CodeNotAskedYet, code == backend.CodeTenantMissing, code == backend.CodeNamespaceBudget,
		code == backend.CodeNamespaceTurn, code == backend.CodeChangesTooOften, strings.HasPrefix(string(code), "credentials-"):
		return backend.Unavailable
	}
	return backend.Rejected
}

// probed enters what a probe comes to where it sees what the code says.
func probed(f *backend.Finding, code backend.Code) {
	o := &f.Observation
	switch code {
	case backend.CodeWrongAnswer, backend.CodeOtherProduct, backend.CodeNotHTTP, backend.CodeHeaderSize, backend.CodeHeaderLines,
		backend.CodeBadHTTP, backend.CodeRequestsSpent:
		o.Outcome, f.Verdict = backend.WrongIdentity, backend.Rejected
	case backend.CodeAddressDenied, backend.CodeSlicesUnchecked, backend.CodeNamesUnchecked:
		o.Outcome, o.Cause, f.Verdict = backend.Unreachable, backend.CauseDenied, backend.Rejected
	case backend.CodeNotReady, backend.CodeNoQuery, backend.CodeDegraded, backend.CodeNoProof, backend.CodeServerError:
		o.Outcome = backend.NotReady
	case backend.CodeRefused, backend.CodeRefusedProof:
		o.Outcome = backend.Forbidden
	case backend.CodeNoEndpoints, backend.CodeNoAddresses:
		o.Outcome = backend.NoEndpoints
	case backend.CodeProxyForbidden:
		o.Outcome, o.Cause = backend.Unreachable, backend.CauseForbidden
	case backend.CodeConnectionReset:
		o.Outcome, o.Cause = backend.Unreachable, backend.CauseReset
	case backend.CodeConnectionClosed:
		o.Outcome, o.Cause = backend.Unreachable, backend.CauseClosed
	case backend.CodeClientCertificate:
		o.Outcome, o.Wants = backend.AuthRequired, backend.KindCertificate
	case backend.CodeCertificateCA:
		o.Outcome, o.Missing = backend.UntrustedTLS, backend.MissingCA
	case backend.CodeCertificateName, backend.CodeServerName:
		o.Outcome, o.Missing = backend.UntrustedTLS, backend.MissingName
	case backend.CodeCertificate, backend.CodeCertificateDates:
		o.Outcome = backend.UntrustedTLS
	case backend.CodeProven, backend.CodeAnswered:
		o.Outcome, f.Verdict = backend.Ready, backend.Accepted
	}
	if seenTexts[code] != "" {
		o.Seen = seenExample(code)
		switch code {
		case backend.CodeAnswered, backend.CodeServerError:
			o.Seen.Answer = &backend.Answer{Status: http.StatusBadGateway, Text: "no upstream"}
		case backend.CodeRefused, backend.CodeRefusedProof:
			o.Seen.Value = backend.MeshLinkerd
			o.Seen.Answer = &backend.Answer{Status: http.StatusForbidden, Challenge: "None"}
		case backend.CodeSchemeFixed:
			o.Seen.Value = "https"
		}
	}
}

// seenExample is what a probe saw, with all that a text may need.
func seenExample(code backend.Code) backend.Seen {
	return backend.Seen{
		Code: code, Type: "Prometheus", Value: "text", Because: "it is something else", Host: "metrics.shop.svc",
		Number: 4, Limit: 8, Wait: 5 * time.Second, Names: []string{"a.example.org", "b.example.org"},
		From: time.Date(2026, 1, 2, 0, 0, 0, 0, time.UTC), Until: time.Date(2026, 4, 2, 0, 0, 0, 0, time.UTC),
		Answer: &backend.Answer{
			Path: "/api/v1/query", Status: http.StatusNotFound, Title: "Not here",
			Lack: backend.Lack{Part: backend.LackStatus, Value: "200, 204"}, Because: "as older ones do",
		},
		Paths: []string{"/prometheus"},
		Denial: backend.Denial{
			Of: backend.AddressOfEndpoint, Address: netip.MustParseAddr("64:ff9b::a9fe:a9fe"),
			Carried: netip.MustParseAddr("169.254.169.254"), Network: netip.MustParsePrefix("169.254.0.0/16"),
		},
	}
}

// TestReasons holds the text and the advice of each code; there are no others.
func TestReasons(t *testing.T) {
	t.Attr("req", "DTS-API-1 DTS-CLI-4")
	var b strings.Builder
	all := constants[backend.Code](t, "../backend/code.go")
	for _, code := range all {
		f := example(code)
		said := Reason(f)
		if template(code) == "" || strings.ContainsAny(said, "{}") && !strings.Contains(said, "credentials: {") {
			t.Errorf("%s: %q", code, said)
		}
		fmt.Fprintf(&b, "%s (%s)\n  %s\n", code, f.Verdict, said)
		if strings.HasPrefix(string(code), "port-") && code != backend.CodePortUnknown {
			continue // of a candidate's port, not of a finding
		}
		for _, a := range (Hints{HowToProbe: "run this with --probe=proxy"}).advise(f) {
			fmt.Fprintf(&b, "    - %s\n", a.Text)
			if a.Command != "" {
				fmt.Fprintf(&b, "      %s\n", a.Command)
			}
		}
	}
	for _, list := range [...]map[backend.Code]string{texts, seenTexts} {
		for code := range list {
			if !slices.Contains(all, code) || texts[code] != "" && seenTexts[code] != "" {
				t.Errorf("%s has two texts, or is no code", code)
			}
		}
	}
	slices.Sort(all)
	if d := cmp.Diff(all, Codes()); d != "" {
		t.Errorf("the list of all codes (-want +got):\n%s", d)
	}
	golden(t, "reasons", b.String())
}

var placeholder = regexp.MustCompile(`\{(\w+)\}`)

// A placeholder that no value stands for would leave a hole.
func TestPlaceholdersHaveValues(t *testing.T) {
	t.Attr("req", "DTS-CLI-4")
	for code, template := range seenTexts {
		f := example(code)
		for _, name := range placeholder.FindAllStringSubmatch(template, -1) {
			if value := seenValues[name[1]]; value == nil || value(sight{f, &f.Observation.Seen}) == "" {
				t.Errorf("%s: {%s} has no value", code, name[1])
			}
		}
	}
	for code, template := range texts {
		f := example(code)
		if f.Reason.Annotation == "" {
			f.Reason.Annotation = "kubernaut.io/toolset"
		}
		for _, name := range placeholder.FindAllStringSubmatch(template, -1) {
			if value := reasonValues[name[1]]; value == nil || value(subject{f, f.Reason}) == "" {
				t.Errorf("%s: {%s} has no value", code, name[1])
			}
		}
	}
}
