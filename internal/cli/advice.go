package cli

import (
	"fmt"
	"strings"

	"kubernaut.io/dynamic-toolset/internal/backend"
)

// advice is one thing that a person can do: a sentence, and the command for it where there is one.
type advice struct {
	text, command string
}

// advise tells what can be done about a verdict, as a colleague would.
func (d *discovered) advise(f *backend.Finding) []advice {
	switch f.Verdict {
	case backend.Accepted:
		out := []advice{{"To keep it out of the toolsets:", annotate(f, "kubernaut.io/toolset=false")}}
		if !d.probed && !f.Candidate.Unproven {
			out = append([]advice{{"To see whether it works, " + d.howToProbe() + ".", ""}}, out...)
		}
		return out
	case backend.Duplicate:
		return []advice{
			{fmt.Sprintf("Nothing, if the two are one backend: HolmesGPT gets it through %s.", f.Winner), ""},
			{"If they are two, say so:", include(f)},
		}
	case backend.Unconfirmed:
		out := []advice{{"If you know that it is " + f.Type + ", say so:", include(f)}}
		if !d.probed {
			out = append([]advice{{"Let a probe tell: " + d.howToProbe() + ".", ""}}, out...)
		}
		return out
	case backend.Unavailable:
		return adviseUnavailable(f)
	}
	return adviseRejected(f)
}

func adviseUnavailable(f *backend.Finding) []advice {
	switch f.Observation.Outcome {
	case backend.NoEndpoints:
		selector := pairs(f.Service.Selector)
		if len(selector) == 0 {
			return []advice{{"It selects no pods: whoever made the Service has to make its EndpointSlices too. Look at them:",
				fmt.Sprintf("kubectl -n %s get endpointslices -l kubernetes.io/service-name=%s", f.Namespace, f.Name)}}
		}
		return []advice{{"Look at its pods:", fmt.Sprintf("kubectl -n %s get pods -l %s", f.Namespace, strings.Join(selector, ","))}}
	case backend.UntrustedTLS:
		return []advice{
			{"Name the authority that signed its certificate in the configuration:", "tls: {caFile: /path/to/ca.pem}"},
			{"Or have it trusted unchecked:", fmt.Sprintf("tls: {insecureSkipVerify: [%s]}", f.Ref)},
		}
	case backend.AuthRequired:
		return nil // the reason has the lines to add
	}
	return []advice{
		{"It is taken in as soon as it answers: see that it runs.", ""},
		{"If the port or the base path is wrong, say which is right:", annotate(f, "kubernaut.io/toolset-port=PORT", "kubernaut.io/toolset-path=/PATH")},
	}
}

func adviseRejected(f *backend.Finding) []advice {
	annotation, bad := strings.CutPrefix(f.Reason, "annotation ")
	switch {
	case strings.HasPrefix(f.Reason, "opted out"):
		return []advice{{"To let it in again:", annotate(f, "kubernaut.io/toolset-")}}
	case bad:
		annotation, _, _ = strings.Cut(annotation, ":")
		return []advice{{"Correct the annotation:", annotate(f, "--overwrite", annotation+"=VALUE")}}
	case f.Service.Type == "ExternalName" || len(f.Service.Ports) == 0:
		return nil
	case f.Candidate != nil && f.Candidate.Strength == backend.Explicit:
		return []advice{{"If it is one, its port or base path is wrong; say which is right:",
			annotate(f, "kubernaut.io/toolset-port=PORT", "kubernaut.io/toolset-path=/PATH")}}
	case f.Candidate != nil:
		return []advice{{"If it is something that the catalog does not know, it can be included as an HTTP toolset:",
			annotate(f, "kubernaut.io/toolset=true", "kubernaut.io/toolset-type=custom")}}
	case f.Type == "":
		return []advice{{"If it is a backend all the same, say which (the command catalog lists the types; custom is anything else that speaks HTTP):", include(f)}}
	}
	return []advice{{"If it is " + f.Type + " all the same, say so:", include(f)}}
}

// howToProbe is what to add to the command at hand.
func (d *discovered) howToProbe() string {
	if d.fromFiles {
		return "run this with --probe=direct where its address can be reached, or without -f against the cluster with --probe=proxy"
	}
	return "run this with --probe=proxy"
}

func include(f *backend.Finding) string {
	typ := f.Type
	if typ == "" {
		typ = "TYPE"
	}
	return annotate(f, "kubernaut.io/toolset=true", "kubernaut.io/toolset-type="+typ)
}

func annotate(f *backend.Finding, args ...string) string {
	return fmt.Sprintf("kubectl -n %s annotate service %s %s", f.Namespace, f.Name, strings.Join(args, " "))
}
