package view

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"kubernaut.io/dynamic-toolset/internal/backend"
	"kubernaut.io/dynamic-toolset/internal/safetext"
)

// Reason returns the text of a finding's reason.
func Reason(f *backend.Finding) string {
	said := text(f, f.Reason)
	c, o := f.Candidate, &f.Observation
	if judgedAlone(f.Reason.Code) || observed(f) {
		if c.Detected != "" {
			said = fmt.Sprintf("detected as %s by %s, but it is the related type %s: %s",
				c.Detected, Sign(&c.Signs[0]), c.Type, said)
		}
		if f.Verdict == backend.Accepted && o.Outcome == backend.Unprobed {
			for _, w := range c.Wants {
				said += "; for it, HolmesGPT needs " + w.What
			}
		}
		said = strings.Join(append([]string{said}, o.Warnings...), "; ")
		if o.Degraded != "" && f.Reason.Code != backend.CodeDegraded {
			said += "; degraded: " + o.Degraded
		}
	}
	if f.AgentToken {
		said += "; HolmesGPT sends it the token of its own ServiceAccount"
	}
	return said
}

// observed reports whether the reason is the result of the probe.
func observed(f *backend.Finding) bool {
	return f.Reason.Code == backend.CodeObserved || seenTexts[f.Reason.Code] != ""
}

// judgedAlone reports whether only the evidence and the probe of the candidate decided, not other Services or the
// configuration.
func judgedAlone(code backend.Code) bool {
	switch code {
	case backend.CodeIncludedUnproven, backend.CodeRecognised, backend.CodePortUnknown, backend.CodeWeakEvidence,
		backend.CodeWeakLocked, backend.CodeWeakUnasked, backend.CodeAnswers, backend.CodeWorks,
		backend.CodeCredentialsWanted:
		return true
	}
	return false
}

// Warning returns what the Service's owner should correct, though the verdict does not depend on it; "" for nothing.
func Warning(f *backend.Finding) string { return text(f, f.Warning) }

// Complaint returns everything that a Service's owner should correct, "" for nothing.
func Complaint(s *backend.Service, reasons []backend.Reason) string {
	var list []string
	for _, r := range reasons {
		list = append(list, text(&backend.Finding{Ref: s.Ref, Service: s}, r))
	}
	return strings.Join(list, "; ")
}

// PortReason returns which port was chosen and why, "" if that is not known.
func PortReason(c *backend.Candidate) string {
	if why := portWhy(c); why != "" {
		return "port " + why
	}
	return ""
}

// portWhy returns PortReason without the word port.
func portWhy(c *backend.Candidate) string {
	return text(&backend.Finding{Ref: c.Service.Ref, Service: c.Service, Candidate: c}, c.PortReason)
}

// Withdrawn returns why a backend is no longer published. f is nil if its Service has no finding.
func Withdrawn(f *backend.Finding) string {
	if f == nil {
		return "its Service is gone, or no longer looks like a backend"
	}
	return Reason(f)
}

// Template returns the text of a code with names in braces, "" for an unknown code.
func Template(code string) string { return template(backend.Code(code)) }

// Codes returns all codes, sorted.
func Codes() []backend.Code {
	list := slices.AppendSeq(slices.Collect(maps.Keys(texts)), maps.Keys(seenTexts))
	slices.Sort(list)
	return list
}

func template(code backend.Code) string { return cmp.Or(texts[code], seenTexts[code]) }

// text returns a reason's text. The finding may consist of a Service only.
func text(f *backend.Finding, r backend.Reason) string {
	if seenTexts[r.Code] != "" {
		return Observed(f)
	}
	s := subject{f, r}
	return fill(texts[r.Code], s.value)
}

// fill replaces each name in braces by its value. Braces within a value stay as they are.
func fill(template string, value func(name string) string) string {
	var b strings.Builder
	for {
		before, rest, found := strings.Cut(template, "{")
		b.WriteString(before)
		if !found {
			return b.String()
		}
		name, after, _ := strings.Cut(rest, "}")
		b.WriteString(value(name))
		template = after
	}
}

// subject is a reason with its finding.
type subject struct {
	f *backend.Finding
	r backend.Reason
}

// value returns the value of a name in a text.
func (s subject) value(name string) string {
	f, r := s.f, s.r
	switch name {
	case "type":
		return r.Type
	case "annotation":
		return r.Annotation
	case "key":
		return r.Key
	case "value":
		return r.Value
	case "quoted":
		return strconv.Quote(r.Value)
	case "because":
		return r.Because
	case "host":
		return r.Host
	case "number":
		return strconv.Itoa(r.Number)
	case "limit":
		return strconv.Itoa(r.Limit)
	case "wait":
		return r.Wait.String()
	case "other":
		return r.Other.String()
	case "namespace":
		return f.Namespace
	case "service":
		return show(f.Name)
	case "winner":
		return f.Winner.String()
	case "blocker":
		return f.Blocker.String()
	case "kept":
		return kept(f)
	case "observed":
		return Observed(f)
	case "wants":
		return Noun(f.Observation.Wants)
	case "variables":
		return strings.Join(slices.Sorted(maps.Values(f.Credentials)), ", ")
	}
	return s.part(name)
}

// part returns a value that several fields make up.
func (s subject) part(name string) string {
	f, r := s.f, s.r
	switch name {
	case "port":
		if r.Port != nil {
			return portText(r.Port)
		}
		return portText(&f.Candidate.Port)
	case "target":
		return show(f.Candidate.Port.Target.String())
	case "ports":
		return portList(f.Service)
	case "sign":
		return Sign(&f.Candidate.Signs[0])
	case "signs":
		return enumerate(signs(f.Candidate.Signs))
	case "excess":
		return excess(f.Service.Excess)
	case "most":
		return strconv.Itoa(f.Service.Excess.Limit)
	case "hosts":
		hosts := strconv.Quote(r.Value)
		if r.Host != "" {
			hosts += " and " + strconv.Quote(r.Host)
		}
		return hosts
	case "meant":
		if r.Key != "" {
			return "did you mean " + r.Key + "?"
		}
		return "expected one of " + r.Value
	case "tenants":
		if f.Candidate.WantsTenant {
			return "it is a gateway with an API for each tenant"
		}
		return "it separates the data of tenants and requires a tenant in each request"
	case "remedy":
		return strings.Join(f.Remedies[:min(len(f.Remedies), 1)], "")
	case "or_annotate":
		if f.Service.Type != backend.TypeOutside {
			return ", or annotate the Service with kubernaut.io/toolset-tenant=TENANT"
		}
	case "contents":
		if r.Value != "" {
			return " (its value is " + r.Value + ")"
		}
	case "beside":
		if r.Other != (backend.Ref{}) {
			return fmt.Sprintf("; %s works without credentials, "+
				"but HolmesGPT could not use it either if the variable were missing", r.Other)
		}
	}
	return ""
}

// excess describes what a Service has too many of.
func excess(e *backend.Excess) string {
	what := string(e.Of)
	if e.Of == backend.PartSelector {
		what = "requirements in its selector"
	}
	return fmt.Sprintf("%d %s", e.Number, what)
}

// enumerate returns "a, b and c".
func enumerate(list []string) string {
	last := len(list) - 1
	if last < 1 {
		return strings.Join(list, "")
	}
	return strings.Join(list[:last], ", ") + " and " + list[last]
}

// show cleans a text of a Service: manifests in files can contain any characters.
func show(s string) string { return safetext.Clean(s, 100) }
