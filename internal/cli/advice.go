package cli

import (
	"fmt"
	"strings"

	"kubernaut.io/dynamic-toolset/internal/backend"
)

// advice tells what a person can do about a verdict, as a colleague would.
func (w *writer) advice(f *backend.Finding, probed bool) {
	lines := adviceFor(f, probed)
	if len(lines) == 0 {
		return
	}
	w.head("What you can do")
	for _, l := range lines {
		w.line("  %s", l)
	}
}

func adviceFor(f *backend.Finding, probed bool) []string {
	switch f.Verdict {
	case backend.Accepted:
		out := []string{fmt.Sprintf("Keep it out of the toolsets: kubectl -n %s annotate service %s kubernaut.io/toolset=false", f.Namespace, f.Name)}
		if f.Observation.Outcome == backend.Unprobed && !f.Candidate.Unproven {
			out = append([]string{"See whether it works: the same command with --probe=proxy, or --probe=direct where its address can be reached"}, out...)
		}
		return out
	case backend.Duplicate:
		return []string{
			"Nothing: HolmesGPT gets the backend through " + f.Winner.String() + ".",
			"If they are two backends, say so: " + includeCommand(f),
		}
	case backend.Unconfirmed:
		if !probed {
			return []string{
				"Let a probe tell: the same command with --probe=proxy, or --probe=direct where its address can be reached",
				"Or say it yourself: " + includeCommand(f),
			}
		}
		return []string{"If you know what it is, say so: " + includeCommand(f)}
	case backend.Unavailable:
		return unavailableAdvice(f)
	case backend.Rejected:
		switch {
		case strings.HasPrefix(f.Reason, "opted out"):
			return []string{fmt.Sprintf("Let it in again: kubectl -n %s annotate service %s kubernaut.io/toolset-", f.Namespace, f.Name)}
		case strings.HasPrefix(f.Reason, "annotation "):
			return []string{"Correct the annotation: kubectl -n " + f.Namespace + " annotate --overwrite service " + f.Name + " NAME=VALUE"}
		case f.Service != nil && (f.Service.Type == "ExternalName" || len(f.Service.Ports) == 0):
			return nil
		}
		return []string{"If it is a backend all the same, say so: " + includeCommand(f)}
	}
	return nil
}

func unavailableAdvice(f *backend.Finding) []string {
	switch o := &f.Observation; o.Outcome {
	case backend.NoEndpoints:
		selector := make([]string, 0, len(f.Service.Selector))
		for _, k := range sortedKeys(f.Service.Selector) {
			selector = append(selector, k+"="+f.Service.Selector[k])
		}
		return []string{fmt.Sprintf("Look at its pods: kubectl -n %s get pods -l %s", f.Namespace, strings.Join(selector, ","))}
	case backend.UntrustedTLS:
		return []string{
			"Name the authority that signed its certificate in the configuration: tls: {caFile: /path/to/ca.pem}",
			fmt.Sprintf("Or trust it unchecked: tls: {insecureSkipVerify: [%s]}", f.Ref),
		}
	case backend.AuthRequired:
		return nil // the reason has the lines to add
	}
	return []string{"It is taken in as soon as it answers. See that it runs, and that its port and path are right (annotations kubernaut.io/toolset-port and kubernaut.io/toolset-path)."}
}

func includeCommand(f *backend.Finding) string {
	typ := f.Type
	if typ == "" {
		typ = "TYPE"
	}
	return fmt.Sprintf("kubectl -n %s annotate service %s kubernaut.io/toolset=true kubernaut.io/toolset-type=%s", f.Namespace, f.Name, typ)
}
