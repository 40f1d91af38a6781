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
	why := text(&backend.Finding{Ref: c.Service.Ref, Service: c.Service, Candidate: c}, c.PortReason)
	if why == "" {
		return ""
	}
	return "port " + why
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
	return fill(texts[r.Code], subject{f, r}, reasonValues)
}

// fill replaces each name in braces by its value. Braces within a value stay as they are.
func fill[T any](template string, of T, values map[string]func(T) string) string {
	var b strings.Builder
	for {
		before, rest, found := strings.Cut(template, "{")
		b.WriteString(before)
		if !found {
			return b.String()
		}
		name, after, _ := strings.Cut(rest, "}")
		b.WriteString(values[name](of))
		template = after
	}
}

// subject is a reason with its finding.
type subject struct {
	f *backend.Finding
	r backend.Reason
}

// reasonValues returns the value of each name in a reason's text.
var reasonValues = map[string]func(subject) string{
	"type":       func(s subject) string { return s.r.Type },
	"annotation": func(s subject) string { return s.r.Annotation },
	"key":        func(s subject) string { return s.r.Key },
	"value":      func(s subject) string { return s.r.Value },
	"quoted":     func(s subject) string { return strconv.Quote(s.r.Value) },
	"because":    func(s subject) string { return s.r.Because },
	"host":       func(s subject) string { return s.r.Host },
	"number":     func(s subject) string { return strconv.Itoa(s.r.Number) },
	"limit":      func(s subject) string { return strconv.Itoa(s.r.Limit) },
	"wait":       func(s subject) string { return s.r.Wait.String() },
	"other":      func(s subject) string { return s.r.Other.String() },
	"namespace":  func(s subject) string { return s.f.Namespace },
	"service":    func(s subject) string { return show(s.f.Name) },
	"preferred":  func(s subject) string { return s.f.Winner.String() },
	"blocker":    func(s subject) string { return s.f.Blocker.String() },
	"kept":       func(s subject) string { return kept(s.f) },
	"observed":   func(s subject) string { return Observed(s.f) },
	"wants":      func(s subject) string { return Noun(s.f.Observation.Wants) },
	"variables":  func(s subject) string { return strings.Join(slices.Sorted(maps.Values(s.f.Credentials)), ", ") },
	"target":     func(s subject) string { return show(s.f.Candidate.Port.Target.String()) },
	"ports":      func(s subject) string { return portList(s.f.Service) },
	"sign":       func(s subject) string { return Sign(&s.f.Candidate.Signs[0]) },
	"signs":      func(s subject) string { return enumerate(signs(s.f.Candidate.Signs)) },
	"excess":     func(s subject) string { return excess(s.f.Service.Excess) },
	"most":       func(s subject) string { return strconv.Itoa(s.f.Service.Excess.Limit) },
	"remedy":     func(s subject) string { return strings.Join(s.f.Remedies[:min(len(s.f.Remedies), 1)], "") },
	"port": func(s subject) string {
		if s.r.Port != nil {
			return portText(s.r.Port)
		}
		return portText(&s.f.Candidate.Port)
	},
	"hosts": func(s subject) string {
		hosts := strconv.Quote(s.r.Value)
		if s.r.Host != "" {
			hosts += " and " + strconv.Quote(s.r.Host)
		}
		return hosts
	},
	"meant": func(s subject) string {
		if s.r.Key != "" {
			return "did you mean " + s.r.Key + "?"
		}
		return "expected one of " + s.r.Value
	},
	"tenants": func(s subject) string {
		if s.f.Candidate.WantsTenant {
			return "it is a gateway with an API for each tenant"
		}
		return "it separates the data of tenants and requires a tenant in each request"
	},
	"or_annotate": func(s subject) string {
		if s.f.Service.Type == backend.TypeOutside {
			return ""
		}
		return ", or annotate the Service with kubernaut.io/toolset-tenant=TENANT"
	},
	"contents": func(s subject) string {
		if s.r.Value == "" {
			return ""
		}
		return " (its value is " + s.r.Value + ")"
	},
	"beside": func(s subject) string {
		if s.r.Other == (backend.Ref{}) {
			return ""
		}
		return fmt.Sprintf("; %s works without credentials, "+
			"but HolmesGPT could not use it either if the variable were missing", s.r.Other)
	},
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

// few returns the first texts of a list, separated by commas, and the number of the others.
func few(list []string, most int) string {
	if more := len(list) - most; more > 0 {
		return fmt.Sprintf("%s and %d more", strings.Join(list[:most], ", "), more)
	}
	return strings.Join(list, ", ")
}

// show cleans a text of a Service: manifests in files can contain any characters.
func show(s string) string { return safetext.Clean(s, 100) }

// portText returns a port as name:number->target.
func portText(p *backend.Port) string {
	text := strconv.Itoa(int(p.Number))
	if p.Name != "" {
		text = show(p.Name) + ":" + text
	}
	if t := show(p.Target.String()); t != "0" && t != "" && t != strconv.Itoa(int(p.Number)) {
		text += "->" + t
	}
	return text
}

// portList lists at most ten ports of a Service.
func portList(s *backend.Service) string {
	var list []string
	for i := range s.Ports {
		text := portText(&s.Ports[i])
		if p := s.Ports[i].Protocol; p != "TCP" {
			text += "/" + show(p)
		}
		list = append(list, text)
	}
	return few(list, 10)
}
