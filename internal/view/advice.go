package view

import (
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"

	"kubernaut.io/dynamic-toolset/internal/backend"
	"kubernaut.io/dynamic-toolset/internal/safetext"
)

// Advice is one step that a person can take.
type Advice struct {
	Text    string `json:"text"`
	Command string `json:"command,omitempty" doc:"The command for it, or the lines to add"`
}

// Hints holds what advice depends on besides the finding.
type Hints struct {
	Unprobed   bool   // no backend was probed
	HowToProbe string // how to probe then, without a full stop
	Files      bool   // the Services come from files, so annotations are written there
	HolmesGPT  string // the namespace of HolmesGPT

	recipes []Recipe // how the finding's credentials get to HolmesGPT
}

// advise returns what a person can do about a verdict.
func (h Hints) advise(f *backend.Finding) []Advice {
	if f.Service != nil && f.Service.Type == backend.TypeOutside {
		return h.adviseOutside(f)
	}
	switch f.Verdict {
	case backend.Accepted:
		out := []Advice{{"To keep it out of the toolsets:", h.annotate(f, "kubernaut.io/toolset=false")}}
		out = append(h.adviseCredentials(f), out...)
		if f.Observation.OwnCA {
			out = append(out, Advice{SameCA + ":", "REQUESTS_CA_BUNDLE=/path/to/bundle.pem"})
		}
		out = append(adviseWants(f), out...)
		if h.Unprobed && !f.Candidate.Unproven {
			out = append([]Advice{{"To see whether it works, " + h.HowToProbe + ".", ""}}, out...)
		}
		return out
	case backend.Duplicate:
		return []Advice{
			{fmt.Sprintf("If both lead to the same backend, do nothing: "+
				"the verdict on %s holds for both.", f.Winner), ""},
			{"If they are two backends, include this one too:", h.include(f)},
		}
	case backend.Unconfirmed:
		out := []Advice{{"If you know that it is " + f.Type + ", include it:", h.include(f)}}
		if h.Unprobed {
			out = append([]Advice{{"To find out, " + h.HowToProbe + ".", ""}}, out...)
		}
		if f.Observation.Cause == backend.CauseForbidden {
			out = append(adviseForbidden(f), out...)
		}
		return out
	case backend.Unavailable:
		return h.adviseUnavailable(f)
	}
	return h.adviseRejected(f)
}

// adviseOutside returns the advice for a backend that the configuration names. It has no Service to annotate.
func (h Hints) adviseOutside(f *backend.Finding) (out []Advice) {
	entry := Advice{"Correct or remove its entry in the configuration:",
		fmt.Sprintf("backends: [{name: %s, …}]", f.Name)}
	switch {
	case f.Verdict == backend.Accepted:
		out = append(adviseWants(f), h.adviseCredentials(f)...)
		if f.Observation.OwnCA {
			out = append(out, Advice{SameCA + ":", "REQUESTS_CA_BUNDLE=/path/to/bundle.pem"})
		}
		if h.Unprobed {
			out = append([]Advice{{"To see whether it works, " + h.HowToProbe + ".", ""}}, out...)
		}
		return out
	case f.Reason.Code == backend.CodeTypeOff:
		return h.adviseRejected(f)
	case f.Reason.Code == backend.CodeNotAskedYet:
		return []Advice{{"Wait for its first probe.", ""}}
	case f.Observation.Cause == backend.CauseDenied:
		return adviseDenied(f)
	case f.Observation.Outcome == backend.UntrustedTLS:
		out = h.adviseTLS(f)
	case f.Observation.Outcome == backend.AuthRequired && f.Observation.Wants == backend.KindCertificate:
		out = []Advice{{"If its type has the field files, name the files of a client certificate in its entry.", ""}}
	case f.Observation.Outcome == backend.AuthRequired, f.Reason.Code == backend.CodeTenantMissing:
		out = h.adviseCredentials(f)
	case f.Verdict == backend.Unavailable:
		out = []Advice{{"It is published as soon as it answers: " +
			"check that it can be reached from where this runs.", ""}}
	}
	return append(out, entry)
}

// adviseUnavailable returns the advice for a backend that does not work now.
func (h Hints) adviseUnavailable(f *backend.Finding) []Advice {
	switch f.Reason.Code {
	case backend.CodeTenantMissing:
		return h.adviseCredentials(f)
	case backend.CodeNamespaceBudget, backend.CodeNamespaceTurn:
		return []Advice{{"It is published later without any action. " +
			"A trusted namespace has no such limit; to trust it:",
			trust(f)}}
	case backend.CodeChangesTooOften:
		return []Advice{{"It is published when it stops changing. See who changes it:",
			fmt.Sprintf("kubectl -n %s get service %s -o yaml --show-managed-fields", f.Namespace, f.Name)}}
	case backend.CodeNotAskedYet:
		return []Advice{{"Wait for its first probe.", ""}}
	}
	switch f.Observation.Outcome {
	case backend.NoEndpoints:
		if len(f.Service.Selector) == 0 {
			return []Advice{{"It has no selector, so its owner must " +
				"create its EndpointSlices too. Look at them:", behind(f)}}
		}
		return []Advice{{"Look at its pods:", behind(f)}}
	case backend.UntrustedTLS:
		return h.adviseTLS(f)
	case backend.AuthRequired:
		if f.Observation.Wants == backend.KindCertificate {
			return []Advice{{"HolmesGPT sends no client certificate. Give the backend a port or a Service that " +
				"requires none, and protect it with a NetworkPolicy.", ""}}
		}
		return h.adviseCredentials(f)
	case backend.Forbidden, backend.ForbiddenByMesh, backend.LoginRequired:
		return adviseRefused(f)
	case backend.NotReady:
		if host := sentTo(f); host != "" {
			return []Advice{{"It redirects requests for other host names to " + host + ". Let it answer by the " +
				"Service's name too (Grafana: enforce_domain = false in [server]).", ""}}
		}
		if f.Observation.Identity {
			return []Advice{{"It is the expected product at the right port and path: it is published as soon as it " +
				"answers as expected. Look at what runs it:", behind(f)}}
		}
	}
	switch f.Observation.Cause {
	case backend.CauseForbidden:
		return adviseForbidden(f)
	case backend.CauseReset, backend.CauseClosed:
		return append([]Advice{adviseMesh}, h.advisePlace(f)...)
	}
	return h.advisePlace(f)
}

// behind returns the command that shows the pods of a Service, or its EndpointSlices if it selects no pods.
func behind(f *backend.Finding) string {
	if selector := Pairs(f.Service.Selector); len(selector) > 0 {
		return fmt.Sprintf("kubectl -n %s get pods -l %s", f.Namespace, strings.Join(selector, ","))
	}
	return fmt.Sprintf("kubectl -n %s get endpointslices -l kubernetes.io/service-name=%s", f.Namespace, f.Name)
}

// sentTo returns the host that the last response redirects to, "" without a redirect or if the host is the Service's
// own.
func sentTo(f *backend.Finding) string {
	requests := f.Observation.Requests
	if len(requests) == 0 || requests[len(requests)-1].Seen.Answer == nil {
		return ""
	}
	to, err := url.Parse(requests[len(requests)-1].Seen.Answer.Redirect)
	if err != nil || to.Hostname() == f.Candidate.Host {
		return ""
	}
	return to.Hostname()
}

// advisePlace returns the advice for a backend that is possibly probed at the wrong port or path.
func (h Hints) advisePlace(f *backend.Finding) []Advice {
	return []Advice{
		{"It is published as soon as it answers: check that it runs.", ""},
		{"If the port or the base path is wrong, set the right one:",
			h.annotate(f, "kubernaut.io/toolset-port=PORT", "kubernaut.io/toolset-path=/PATH")},
	}
}

// adviseCredentials returns the lines that give a backend the credentials that it needs.
func (h Hints) adviseCredentials(f *backend.Finding) (out []Advice) {
	switch f.Reason.Code {
	case backend.CodeCredentialsPlain:
		return []Advice{{"If its clients are to reach it without TLS, say so:",
			h.annotate(f, "kubernaut.io/toolset-scheme=http")}}
	case backend.CodeTenantMissing:
		for _, line := range f.Remedies {
			out = append(out, Advice{"Name in the configuration the tenant that HolmesGPT reads:", line})
		}
		return append(out, Advice{"Or on the Service:", h.annotate(f, "kubernaut.io/toolset-tenant=TENANT")})
	}
	for i, line := range f.Remedies {
		text := "Put its credentials into a variable of HolmesGPT's environment, and name that in the configuration" +
			caution + ":"
		if f.Observation.Wants != "" {
			text = "It requires " + Noun(f.Observation.Wants) + ": put the values into variables of HolmesGPT's " +
				"environment, and name the variables in the configuration" + caution + ":"
		}
		if i > 0 {
			text = "Or, if you trust the owners of namespace " + f.Namespace +
				", let the primary of each type there use the variables with the usual names:"
		}
		out = append(out, Advice{text, line})
	}
	for i := range h.recipes {
		out = append(out, h.recipes[i].advise(f, strings.Join(f.Remedies[:min(len(f.Remedies), 1)], ""))...)
	}
	return out
}

// adviseForbidden returns the advice for a user who must not use the API server's service proxy.
func adviseForbidden(f *backend.Finding) []Advice {
	right, check := NeedsProxy([]string{f.Namespace})
	return []Advice{{"It could not be probed: a probe through the API server needs " + right +
		". Check whether you have that right:", check}}
}

// trust returns the configuration line that trusts a finding's namespace.
func trust(f *backend.Finding) string {
	return fmt.Sprintf("security: {trustedNamespaces: [%s]}", safetext.YAMLName(f.Namespace))
}

// include returns the command that includes the Service as its type.
func (h Hints) include(f *backend.Finding) string {
	typ := f.Type
	if typ == "" {
		typ = "TYPE"
	}
	return h.annotate(f, "kubernaut.io/toolset=true", "kubernaut.io/toolset-type="+typ)
}

// annotate returns the command that sets annotations (KEY=VALUE) or removes them (KEY-). For Services in files it
// returns the lines to write.
func (h Hints) annotate(f *backend.Finding, args ...string) string {
	if !h.Files {
		return fmt.Sprintf("kubectl -n %s annotate service %s %s", f.Namespace, f.Name, strings.Join(args, " "))
	}
	var lines []string
	for _, arg := range args {
		if key, value, ok := strings.Cut(arg, "="); ok {
			lines = append(lines, fmt.Sprintf("%s: %q", key, value))
		} else if key, ok := strings.CutSuffix(arg, "-"); ok && !strings.HasPrefix(arg, "-") {
			lines = append(lines, "(without "+key+")")
		}
	}
	return "metadata.annotations:\n  " + strings.Join(lines, "\n  ")
}

// Pairs returns key=value for each entry, sorted by key.
func Pairs(m map[string]string) []string {
	list := make([]string, 0, len(m))
	for _, k := range slices.Sorted(maps.Keys(m)) {
		list = append(list, k+"="+m[k])
	}
	return list
}
