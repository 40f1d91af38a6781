package view

import (
	"cmp"
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
	switch {
	case f.Verdict == backend.Accepted:
		return h.adviseAccepted(f)
	case f.Service != nil && f.Service.Type == backend.TypeOutside:
		return h.adviseOutside(f)
	case f.Verdict == backend.Duplicate:
		return append([]Advice{{fmt.Sprintf("If both lead to the same backend, do nothing: "+
			"the verdict on %s holds for both.", f.Winner), ""}},
			h.include(f, "If they are two backends, include this one too:")...)
	case f.Verdict == backend.Unconfirmed:
		out := h.adviseProbe("To find out, ")
		if f.Observation.Cause == backend.CauseForbidden {
			out = append(adviseForbidden(f), out...)
		}
		return append(out, h.include(f, "If you know that it is "+f.Type+", include it:")...)
	case f.Verdict == backend.Unavailable:
		return h.adviseUnavailable(f)
	}
	return h.adviseRejected(f)
}

// adviseAccepted returns what HolmesGPT needs for a backend, and how to keep it out.
func (h Hints) adviseAccepted(f *backend.Finding) (out []Advice) {
	if !f.Candidate.Unproven {
		out = h.adviseProbe("To see whether it works, ")
	}
	out = append(out, adviseWants(f)...)
	out = append(out, h.adviseCredentials(f)...)
	out = append(out, h.annotate(f, "To keep it out of the toolsets:", "kubernaut.io/toolset=false")...)
	if f.Observation.OwnCA {
		out = append(out, Advice{SameCA + ":", "REQUESTS_CA_BUNDLE=/path/to/bundle.pem"})
	}
	return out
}

// adviseProbe returns how to probe the backends if none was probed.
func (h Hints) adviseProbe(purpose string) []Advice {
	if !h.Unprobed {
		return nil
	}
	return []Advice{{purpose + h.HowToProbe + ".", ""}}
}

// adviseOutside returns the advice for a backend that the configuration names and that is not published.
func (h Hints) adviseOutside(f *backend.Finding) (out []Advice) {
	switch o := &f.Observation; {
	case f.Reason.Code == backend.CodeTypeOff:
		return h.adviseRejected(f)
	case f.Reason.Code == backend.CodeNotAskedYet:
		return h.adviseUnavailable(f)
	case o.Cause == backend.CauseDenied:
		out = []Advice{allowNetwork}
	case o.Outcome == backend.UntrustedTLS:
		out = h.adviseTLS(f)
	case o.Outcome == backend.AuthRequired && o.Wants == backend.KindCertificate:
		out = []Advice{{"If its type has the field files, name the files of a client certificate in its entry.", ""}}
	case o.Outcome == backend.AuthRequired, f.Reason.Code == backend.CodeTenantMissing:
		out = h.adviseCredentials(f)
	case f.Verdict == backend.Unavailable:
		out = []Advice{{"It is published as soon as it answers: " +
			"check that it can be reached from where this runs.", ""}}
	}
	return append(out, Advice{"Correct or remove its entry in the configuration:",
		fmt.Sprintf("backends: [{name: %s, …}]", f.Name)})
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
	return cmp.Or(podsOf(f), slicesOf(f))
}

// podsOf returns the command that shows the pods of a Service, "" if it selects none.
func podsOf(f *backend.Finding) string {
	if len(f.Service.Selector) == 0 {
		return ""
	}
	return fmt.Sprintf("kubectl -n %s get pods -l %s", f.Namespace, strings.Join(Pairs(f.Service.Selector), ","))
}

func slicesOf(f *backend.Finding) string {
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
	return safetext.Clean(to.Hostname(), ShownText) // the URL is clean, but its host may have been escaped
}

// advisePlace returns the advice for a backend that is possibly probed at the wrong port or path.
func (h Hints) advisePlace(f *backend.Finding) []Advice {
	return append([]Advice{{"It is published as soon as it answers: check that it runs.", ""}},
		h.relocate(f, "If the port or the base path is wrong, set the right one:")...)
}

// adviseCredentials returns the lines that give a backend the credentials that it needs.
func (h Hints) adviseCredentials(f *backend.Finding) (out []Advice) {
	switch f.Reason.Code {
	case backend.CodeCredentialsPlain:
		return h.annotate(f, "If its clients are to reach it without TLS, say so:", "kubernaut.io/toolset-scheme=http")
	case backend.CodeTenantMissing:
		for _, line := range f.Remedies {
			out = append(out, Advice{"Name in the configuration the tenant that HolmesGPT reads:", line})
		}
		return append(out, h.annotate(f, "Or on the Service:", "kubernaut.io/toolset-tenant=TENANT")...)
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

// include returns the advice to include the Service as its type.
func (h Hints) include(f *backend.Finding, text string) []Advice {
	return h.annotate(f, text, "kubernaut.io/toolset=true", "kubernaut.io/toolset-type="+cmp.Or(f.Type, "TYPE"))
}

// relocate returns the advice to name the right port or path.
func (h Hints) relocate(f *backend.Finding, text string) []Advice {
	return h.annotate(f, text, "kubernaut.io/toolset-port=PORT", "kubernaut.io/toolset-path=/PATH")
}

// annotate returns the advice to set annotations (KEY=VALUE) or remove them (KEY-): a command, or the lines to write
// for Services in files. It returns none for a backend outside the cluster, which has no Service.
func (h Hints) annotate(f *backend.Finding, text string, args ...string) []Advice {
	switch {
	case f.Service != nil && f.Service.Type == backend.TypeOutside:
		return nil
	case !h.Files:
		return []Advice{{text,
			fmt.Sprintf("kubectl -n %s annotate service %s %s", f.Namespace, f.Name, strings.Join(args, " "))}}
	}
	lines := "metadata.annotations:"
	for _, arg := range args {
		if key, value, ok := strings.Cut(arg, "="); ok {
			lines += fmt.Sprintf("\n  %s: %q", key, value)
		} else if key, ok := strings.CutSuffix(arg, "-"); ok {
			lines += "\n  (without " + key + ")"
		}
	}
	return []Advice{{text, lines}}
}

// Pairs returns key=value for each entry, sorted by key.
func Pairs(m map[string]string) []string {
	list := make([]string, 0, len(m))
	for _, k := range slices.Sorted(maps.Keys(m)) {
		list = append(list, k+"="+m[k])
	}
	return list
}
