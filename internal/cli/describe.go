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
	"kubernaut.io/dynamic-toolset/internal/view"
)

// describe prints the explanation for people: first the verdict, then the reasons for it.
func describe(out io.Writer, e *view.Explanation) error {
	w := &writer{out: out, paint: newPainter(out)}
	for i, sentence := range e.Summary {
		v := e.Services[i].Verdict
		w.prose("", strings.Replace(sentence, string(v), w.paint.verdict(v, string(v)), 1))
	}
	w.about(&e.About)
	w.tried(e)
	for i := range e.Services {
		b := &e.Services[i]
		title := ""
		if len(e.Services) > 1 {
			title = ", as " + b.Type
		}
		w.where(b, title)
		w.probe(b, title)
		w.agent(b, title)
	}
	w.head("What you can do")
	switch accepted := func(b view.Backend) bool { return b.Verdict == backend.Accepted }; {
	case len(e.Advice) > 0:
	case slices.ContainsFunc(e.Services, accepted):
		w.line("  Nothing has to be done.")
	default:
		w.line("  See the reason above.")
	}
	w.advice("  ", e.Advice)
	return w.err
}

func (w *writer) about(a *view.About) {
	w.head("The Service")
	w.row("kind", "%s", a.Kind)
	w.row("ports", "%s", a.Ports)
	name := "labels"
	for _, label := range view.Pairs(a.Labels) {
		w.row(name, "%s", label)
		name = ""
	}
	switch {
	case a.OtherLabels > 0 && name == "":
		w.row(name, "and %d that no rule reads", a.OtherLabels)
	case a.OtherLabels > 0:
		w.row(name, "%d, none of which a rule reads", a.OtherLabels)
	}
	if len(a.Selector) > 0 {
		w.row("selects", "%s", strings.Join(view.Pairs(a.Selector), ", "))
	}
	for _, k := range slices.Sorted(maps.Keys(a.Annotations)) {
		w.row("annotation", "%s=%s", k, a.Annotations[k])
	}
	w.row("endpoints", "%s", a.Endpoints)
}

// tried describes how each type that resembles the Service was decided.
func (w *writer) tried(e *view.Explanation) {
	if len(e.Services) > 0 && e.Services[0].Namespace == backend.OutsideNamespace {
		return // the configuration sets its type
	}
	title := "What was tried"
	if e.WithoutAnnotations {
		title = "What was tried, without its annotations"
	}
	w.head(title)
	if len(e.Tried) == 0 {
		w.line("  No type of the catalog: its name, labels, selector and ports resemble none.")
	}
	for _, t := range e.Tried {
		name := t.Type
		say := func(format string, args ...any) {
			w.row(name, format, args...)
			name = ""
		}
		for _, sign := range t.For {
			say("for it: %s", sign)
		}
		switch {
		case t.Against == "":
			say("so: %s", t.So)
		case t.Decided:
			say("against it: the reason above")
		default:
			say("against it: %s", t.Against)
		}
	}
}

// where describes the backend's endpoint and its instance.
func (w *writer) where(b *view.Backend, title string) {
	if b.Endpoint == "" {
		return
	}
	w.head("Where it is" + title)
	w.row("endpoint", "%s", b.Endpoint)
	w.row("port", "%s", strings.TrimPrefix(b.PortReason, "port "))
	if b.Link != "" {
		w.row("link", "%s", b.Link)
	}
	for _, n := range b.NoLinks {
		w.row("no link", "%s", n.String())
	}
	if b.Metadata.Evidence == backend.Explicit.String() {
		w.row("evidence", "explicit: %s", b.Metadata.Signs)
	}
	if b.Verdict != backend.Accepted {
		return
	}
	w.row("toolset", "%s, instance %s", b.Metadata.Toolset, b.Instance)
	if b.Tokens != nil {
		w.row("tokens", "some %d with each request to the model, %d of them for all instances",
			b.Tokens.Toolset+b.Tokens.Instance, b.Tokens.Toolset)
	}
	switch {
	case b.Primary:
		w.row("primary", "yes, %s", b.PrimaryNote)
	case b.PrimaryIs != "":
		w.row("primary", "no: %s is", b.PrimaryIs)
	case b.PrimaryNote != "":
		w.row("primary", "no: %s", b.PrimaryNote)
	}
	if b.ShardOf != "" {
		w.row("shard of", "%s, which sees all that it has", b.ShardOf)
	}
	if len(b.Credentials) > 0 {
		w.row("credentials", "HolmesGPT needs them in its environment: %s", strings.Join(b.Credentials, ", "))
	}
	if b.KeepsToken {
		w.row("agent's token", "HolmesGPT does not send it there: on OpenShift an empty credential prevents that; "+
			"to send it, list the namespace in security.trustedNamespaces")
	}
}

// probe describes the requests and the responses.
func (w *writer) probe(b *view.Backend, title string) {
	unprobed := b.Metadata.Probe == backend.Unprobed
	if b.Endpoint == "" || unprobed && len(b.Requests) == 0 && b.Detail == "" {
		return
	}
	w.head("What the probe saw" + title)
	if len(b.Requests) == 0 {
		text := "No request was sent."
		if b.Detail != "" && !b.Observed {
			text = "No request was sent: " + b.Detail + "."
		}
		w.prose("  ", text)
		return
	}
	rounds := view.Rounds(b.Requests)
	for i := range rounds {
		w.round(b, &rounds[i], len(rounds) > 1)
	}
	text := b.Outcome
	if v := b.Metadata.Version; v != "" {
		text += fmt.Sprintf(", version %s", v)
	}
	w.row("so", "%s", text)
}

// agent describes the state of the instance in HolmesGPT.
func (w *writer) agent(b *view.Backend, title string) {
	if len(b.Agent) == 0 {
		return
	}
	w.head("What HolmesGPT reports" + title)
	for i := range b.Agent {
		a := &b.Agent[i]
		if a.Replica == "" {
			w.prose("  ", a.Message+".")
			continue
		}
		w.row(strings.TrimPrefix(a.Replica, "http://"), "%s", a.Message)
	}
}

// round describes one try, or several equal tries in a row. several is true if there were other tries.
func (w *writer) round(b *view.Backend, round *view.Round, several bool) {
	switch {
	case round.Last > round.First:
		w.line("  tries %d to %d, all alike:", round.First, round.Last)
	case several:
		w.line("  try %d:", round.First)
	}
	for _, r := range round.Requests {
		result := r.Result
		if b.Outcome == string(backend.Ready) {
			result = r.Brief // the response's text matters only if it was wrong
		}
		path := cmp.Or(strings.TrimPrefix(r.URL, b.Root), r.URL)
		w.row(r.Purpose, "GET %s: %s (%s)", path, result, r.Duration.Round(time.Millisecond))
	}
}
