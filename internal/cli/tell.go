package cli

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"kubernaut.io/dynamic-toolset/internal/backend"
	"kubernaut.io/dynamic-toolset/internal/catalog"
	"kubernaut.io/dynamic-toolset/internal/detect"
	"kubernaut.io/dynamic-toolset/internal/safetext"
)

// shownText is how much is shown of a text that a stranger chose, in characters.
const shownText = 200

// tell is the explanation for people: the verdict, then what led to it.
func (d *discovered) tell(out io.Writer, s *backend.Service, e *backend.Endpoints, findings []*backend.Finding, evals []detect.Evaluation) error {
	w := &writer{out: out, paint: newPainter(out)}
	for _, f := range findings {
		w.verdict(f)
	}
	w.service(s, e, d.keysRead())
	w.tried(s, findings, evals)
	for _, f := range findings {
		title := ""
		if len(findings) > 1 {
			title = ", as " + f.Type
		}
		d.where(w, f, title)
		w.probe(f, title)
	}
	w.head("What you can do")
	todo := d.advise(findings[0])
	if len(todo) == 0 {
		w.line("  See the reason above.")
	}
	for _, a := range todo {
		w.prose("  ", a.text)
		if a.command != "" {
			w.line("    %s", a.command)
		}
	}
	return w.err
}

// verdict is the answer in one sentence.
func (w *writer) verdict(f *backend.Finding) {
	v := w.paint.verdict(f.Verdict, string(f.Verdict))
	as := ""
	if f.Type != "" {
		as = " as " + f.Type
	}
	switch f.Verdict {
	case backend.Duplicate:
		v, as = "a "+v, ", as "+f.Type
	case backend.Unavailable:
		v, as = f.Type+", but "+v, ""
	}
	w.prose("", fmt.Sprintf("%s is %s%s: %s.", f.Ref, v, as, strings.TrimRight(f.Reason, ".")))
}

// keysRead are the keys of labels that some rule looks at: the others say nothing about a verdict.
func (d *discovered) keysRead() map[string]bool {
	read := map[string]bool{}
	for _, k := range slices.Concat(d.catalog.Lookalikes.AppLabels, d.catalog.Lookalikes.ComponentLabels) {
		read[k] = true
	}
	for _, t := range d.catalog.Types {
		maps := []map[string]catalog.Values{t.Detect.Weak.Labels}
		for _, r := range slices.Concat(t.Detect.Strong, t.Detect.Reject) {
			maps = append(maps, r.Labels)
		}
		for _, m := range maps {
			for k := range m {
				read[k] = true
			}
		}
	}
	return read
}

func (w *writer) service(s *backend.Service, e *backend.Endpoints, read map[string]bool) {
	w.head("The Service")
	kind := cmp.Or(s.Type, "ClusterIP")
	if s.Headless() {
		kind = "headless: DNS gives the addresses of its pods"
	}
	if s.ExternalName != "" {
		kind += ", for " + s.ExternalName
	}
	w.row("kind", "%s", kind)
	w.row("ports", "%s", cmp.Or(detect.PortList(s), "none"))
	name := "labels"
	others := 0
	for _, k := range slices.Sorted(maps.Keys(s.Labels)) {
		if !read[k] {
			others++
			continue
		}
		w.row(name, "%s=%s", k, s.Labels[k])
		name = ""
	}
	switch {
	case others > 0 && name == "":
		w.row(name, "and %d that no rule reads", others)
	case others > 0:
		w.row(name, "%d, none of which a rule reads", others)
	}
	if len(s.Selector) > 0 {
		w.row("selects", "%s", strings.Join(pairs(s.Selector), ", "))
	}
	for _, k := range slices.Sorted(maps.Keys(s.Annotations)) {
		w.row("annotation", "%s=%s", k, safetext.Clean(s.Annotations[k], shownText))
	}
	if e == nil {
		w.row("endpoints", "not known: no EndpointSlices were read")
	} else {
		w.row("endpoints", "%d ready", e.ReadyCount())
	}
}

// pairs are key=value by key.
func pairs(m map[string]string) []string {
	list := make([]string, 0, len(m))
	for _, k := range slices.Sorted(maps.Keys(m)) {
		list = append(list, k+"="+m[k])
	}
	return list
}

// tried tells what each type that was near makes of the Service.
func (w *writer) tried(s *backend.Service, findings []*backend.Finding, evals []detect.Evaluation) {
	title := "What was tried"
	if _, annotated := s.Annotations["kubernaut.io/toolset"]; annotated {
		title = "What would be said without its annotations"
	}
	w.head(title)
	if len(evals) == 0 {
		w.line("  No type of the catalog: neither its name nor its labels, selector or ports remind of one.")
	}
	for i := range evals {
		e := &evals[i]
		name := e.Type
		say := func(format string, args ...any) {
			w.row(name, format, args...)
			name = ""
		}
		for i, sign := range e.Signs {
			if !slices.ContainsFunc(e.Signs[:i], func(said string) bool { return strings.Contains(said, sign) }) {
				say("for it: %s", sign)
			}
		}
		switch {
		case e.Rejected == findings[0].Reason:
			say("against it: what is said above")
		case e.Rejected != "":
			say("against it: %s", e.Rejected)
		case e.Candidate == nil:
			say("too little speaks for it: a word or a port that others use too")
		case e.Candidate.Strength >= backend.Strong:
			say("so: strong evidence%s", beaten(e, findings))
		default:
			say("so: weak evidence, which needs a probe%s", beaten(e, findings))
		}
	}
}

// beaten says which other type got the port that this one wanted.
func beaten(e *detect.Evaluation, findings []*backend.Finding) string {
	for _, f := range findings {
		if f.Candidate == nil || f.Type == e.Type {
			return ""
		}
	}
	for _, f := range findings {
		if f.Candidate.Port.Number == e.Candidate.Port.Number {
			return fmt.Sprintf("; for that port %s comes first", f.Type)
		}
	}
	return ""
}

// where tells how the backend is reached and what it becomes.
func (d *discovered) where(w *writer, f *backend.Finding, title string) {
	c := f.Candidate
	if c == nil {
		return
	}
	w.head("Where it is" + title)
	w.row("endpoint", "%s", f.Endpoint())
	w.row("port", "%s", strings.TrimPrefix(c.PortReason, "port "))
	if c.Strength == backend.Explicit {
		w.row("evidence", "explicit: %s", strings.Join(c.Signs, ", "))
	}
	if f.Verdict != backend.Accepted {
		return
	}
	w.row("toolset", "%s, instance %s", toolsetName(f, d.catalog.Lookup(f.Type)), c.Instance)
	switch {
	case f.Primary:
		w.row("primary", "yes: the first of its type")
	default:
		for _, o := range d.findings {
			if o.Type == f.Type && o.Primary {
				w.row("primary", "no: %s is", o.Ref)
			}
		}
	}
	if len(f.Credentials) > 0 {
		w.row("credentials", "HolmesGPT needs them in its environment: %s", strings.Join(slices.Sorted(maps.Values(f.Credentials)), ", "))
	}
}

// probe tells what was asked and what came back.
func (w *writer) probe(f *backend.Finding, title string) {
	c, o := f.Candidate, &f.Observation
	if c == nil || o.Outcome == backend.Unprobed && len(o.Requests) == 0 && o.Detail == "" {
		return
	}
	w.head("What the probe saw" + title)
	if len(o.Requests) == 0 {
		text := "Nothing was asked."
		if o.Detail != "" && !strings.Contains(f.Reason, o.Detail) {
			text = "Nothing was asked: " + o.Detail + "."
		}
		w.prose("  ", text)
		return
	}
	root := c.EndpointAt(c.Scheme, "")
	for _, r := range o.Requests {
		result := r.Result
		if o.Outcome == backend.Ready {
			result, _, _ = strings.Cut(result, `, "`) // what it said is of interest only where it was not right
		}
		w.row(r.Purpose, "GET %s: %s (%s)", cmp.Or(strings.TrimPrefix(r.URL, root), r.URL), result, r.Took.Round(time.Millisecond))
	}
	text := health(o)
	if o.Version != "" {
		text += ", version " + o.Version
	}
	w.row("so", "%s", text)
}
