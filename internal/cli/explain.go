package cli

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"kubernaut.io/dynamic-toolset/internal/backend"
	"kubernaut.io/dynamic-toolset/internal/detect"
	"kubernaut.io/dynamic-toolset/internal/yamlfile"
)

// explanation is what explain prints as JSON or YAML.
type explanation struct {
	Services []service     `json:"services"`
	Tried    []triedType   `json:"tried"`
	Requests []requestView `json:"requests"`
}

type triedType struct {
	Type    string   `json:"type"`
	For     []string `json:"for"`
	Against string   `json:"against,omitempty"`
	Port    string   `json:"port,omitempty"`
}

type requestView struct {
	Purpose string `json:"purpose"`
	URL     string `json:"url"`
	Status  int    `json:"status"`
	Result  string `json:"result"`
	Took    string `json:"took"`
}

func newExplain(streams Streams) *cobra.Command {
	o := &options{streams: streams}
	var output string
	cmd := &cobra.Command{
		Use:   "explain NAMESPACE/NAME",
		Short: "Tell why a Service is, or is not, among the toolsets",
		Long: `Tells what became of one Service and why: which types it was held against, what spoke for and against each, which port
was chosen, what the probe saw, and what you can do.`,
		Example: `  dynamic-toolset explain monitoring/prometheus
  dynamic-toolset explain monitoring/prometheus --probe=proxy
  kubectl get svc,endpointslices -A -o json | dynamic-toolset explain monitoring/prometheus -f -`,
		Args: exactArgs(1, "one Service as NAMESPACE/NAME"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if !slices.Contains([]string{"text", "json", "yaml"}, output) {
				return usage("-o %s: expected text, json or yaml", output)
			}
			want, err := o.serviceArgument(args[0])
			if err != nil {
				return err
			}
			d, err := o.discover(contextOf(cmd), want)
			if err != nil {
				return err
			}
			return d.explain(streams, want, output)
		},
	}
	o.addFlags(cmd)
	cmd.Flags().StringVarP(&output, "output", "o", "text", "text, json or yaml")
	completeValues(cmd, "output", "text", "json", "yaml")
	completeValues(cmd, "probe", probeAuto, probeDirect, probeProxy, probeOff)
	return cmd
}

// serviceArgument reads NAMESPACE/NAME, or NAME with -n.
func (o *options) serviceArgument(arg string) (backend.Ref, error) {
	namespace, name, ok := strings.Cut(arg, "/")
	if !ok {
		namespace, name = *o.kube.Namespace, arg
	}
	if namespace == "" || name == "" || strings.Contains(name, "/") {
		return backend.Ref{}, usage("%q: expected NAMESPACE/NAME, for example monitoring/prometheus", arg)
	}
	return backend.Ref{Namespace: namespace, Name: name}, nil
}

func (d *discovered) explain(s Streams, want backend.Ref, output string) error {
	svc, endpoints := d.collector.Lookup(want)
	if svc == nil {
		return d.notFound(want)
	}
	var findings []*backend.Finding
	for _, f := range d.findings {
		if f.Ref == want {
			findings = append(findings, f)
		}
	}
	evals := d.detector.Explain(svc, endpoints)
	if output != "text" {
		return printObject(s, d.explanation(findings, evals), output)
	}
	w := &writer{out: s.Out, paint: newPainter(s.Out)}
	for i, f := range findings {
		if i > 0 {
			w.line("")
		}
		w.verdict(f)
	}
	w.service(svc, endpoints)
	w.evaluations(evals)
	for _, f := range findings {
		w.candidate(f, len(findings) > 1)
	}
	w.advice(findings[0], d.probed)
	return w.err
}

func (d *discovered) notFound(want backend.Ref) error {
	var names, inNamespace []string
	for _, s := range d.collector.Services() {
		names = append(names, s.Ref.String())
	}
	for _, r := range d.collector.Others() {
		names = append(names, r.String())
	}
	for _, n := range names {
		if strings.HasPrefix(n, want.Namespace+"/") {
			inNamespace = append(inNamespace, n)
		}
	}
	hint := "discover --all lists them"
	switch near := yamlfile.Nearest(want.String(), names); {
	case near != "":
		hint = "did you mean " + near + "?"
	case len(inNamespace) == 0:
		hint = fmt.Sprintf("nothing was read of a namespace %s; %s", want.Namespace, hint)
	}
	return fmt.Errorf("no Service %s among the %s that were read: %s", want, services(d.collector.Count()), hint)
}

func (d *discovered) explanation(findings []*backend.Finding, evals []detect.Evaluation) explanation {
	var out explanation
	for _, f := range findings {
		out.Services = append(out.Services, newService(f, d.catalog))
		for _, r := range f.Observation.Requests {
			out.Requests = append(out.Requests, requestView{r.Purpose, r.URL, r.Status, r.Result, r.Took.String()})
		}
	}
	for i := range evals {
		e := &evals[i]
		t := triedType{Type: e.Type, For: e.Signs, Against: e.Rejected}
		if e.Candidate != nil {
			t.Port = e.Candidate.PortReason
		}
		out.Tried = append(out.Tried, t)
	}
	return out
}

// writer writes the text, and remembers the first error.
type writer struct {
	out   io.Writer
	paint painter
	err   error
}

func (w *writer) line(format string, args ...any) {
	if w.err == nil {
		_, w.err = fmt.Fprintf(w.out, format+"\n", args...)
	}
}

func (w *writer) head(title string) { w.line("\n%s", title) }

func (w *writer) row(name, format string, args ...any) {
	w.line("  %-12s %s", name, fmt.Sprintf(format, args...))
}

func (w *writer) verdict(f *backend.Finding) {
	what := ""
	if f.Type != "" {
		what = " as " + f.Type
	}
	w.line("%s is %s%s: %s.", f.Ref, w.paint.verdict(f.Verdict), what, strings.TrimRight(f.Reason, "."))
}

func (w *writer) service(s *backend.Service, e *backend.Endpoints) {
	w.head("The Service")
	kind := s.Type
	if kind == "" {
		kind = "ClusterIP"
	}
	if s.Headless() {
		kind = "headless"
	}
	w.row("kind", "%s", kind)
	w.row("ports", "%s", or(detect.PortList(s)))
	for _, k := range sortedKeys(s.Labels) {
		w.row("label", "%s=%s", k, s.Labels[k])
	}
	for _, k := range sortedKeys(s.Selector) {
		w.row("selects", "%s=%s", k, s.Selector[k])
	}
	for _, k := range sortedKeys(s.Annotations) {
		w.row("annotation", "%s=%s", k, s.Annotations[k])
	}
	switch {
	case e == nil:
		w.row("endpoints", "not known: no EndpointSlices were read")
	default:
		w.row("endpoints", "%d ready", e.ReadyCount())
	}
}

func (w *writer) evaluations(evals []detect.Evaluation) {
	w.head("What was tried")
	if len(evals) == 0 {
		w.line("  No type of the catalog: neither its name, labels, selector nor ports remind of one.")
	}
	for i := range evals {
		e := &evals[i]
		if len(e.Signs) == 0 && e.Rejected == "" {
			w.row(e.Type, "too little speaks for it: a word or a port that others use too")
			continue
		}
		name := e.Type
		for _, sign := range e.Signs {
			w.row(name, "for it: %s", sign)
			name = ""
		}
		if e.Rejected != "" {
			w.row(name, "against it: %s", e.Rejected)
		}
	}
}

// candidate tells how the backend was to be reached and what it answered.
func (w *writer) candidate(f *backend.Finding, several bool) {
	c, o := f.Candidate, &f.Observation
	if c == nil {
		return
	}
	title := "Where it is"
	if several {
		title += ", as " + f.Type
	}
	w.head(title)
	w.row("port", "%s", c.PortReason)
	w.row("endpoint", "%s", f.Endpoint())
	w.row("evidence", "%s: %s", c.Strength, strings.Join(c.Signs, "; "))
	if f.Primary {
		w.row("primary", "yes: the first that HolmesGPT asks of this type")
	}
	w.head("What the probe saw")
	if o.Outcome == backend.Unprobed {
		w.line("  Nothing: it was not probed.")
		return
	}
	for _, r := range o.Requests {
		status := "no answer"
		if r.Status != 0 {
			status = fmt.Sprint(r.Status)
		}
		w.row(r.Purpose, "GET %s: %s, %s (%s)", r.URL, status, or(r.Result), r.Took.Round(time.Millisecond))
	}
	w.row("outcome", "%s", health(o))
	if o.Detail != "" {
		w.row("", "%s", o.Detail)
	}
	if o.Version != "" {
		w.row("version", "%s", o.Version)
	}
}

func sortedKeys(m map[string]string) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
