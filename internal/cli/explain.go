package cli

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"unicode"

	"github.com/spf13/cobra"
	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"kubernaut.io/dynamic-toolset/internal/backend"
	"kubernaut.io/dynamic-toolset/internal/toolset"
	"kubernaut.io/dynamic-toolset/internal/view"
	"kubernaut.io/dynamic-toolset/internal/yamlfile"
)

func newExplain(streams Streams) *cobra.Command {
	o := &options{streams: streams, live: liveIfAllowed}
	var output string
	cmd := &cobra.Command{
		Use:   "explain NAMESPACE/NAME",
		Short: "Explain why a Service is, or is not, among the toolsets",
		Long: `Explains what happened to one Service and why: the types it was compared with, the signs for and
against each, the port that was chosen, what the probe saw, the toolset's state in HolmesGPT, and what you can do. A
NAME alone means a Service in the namespace of -n.

It also asks HolmesGPT for its state, without making it reload: directly inside a pod, through the API server outside
the cluster, or at holmesgpt.url if that is set.`,
		Example: `  dynamic-toolset explain monitoring/prometheus
  dynamic-toolset explain monitoring/prometheus --probe=proxy
  dynamic-toolset explain monitoring/prometheus --set holmesgpt.url=http://127.0.0.1:5050   # forwarded
  kubectl get svc,endpointslices -A -o json | dynamic-toolset explain monitoring/prometheus -f -`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			want, err := o.serviceArgument(args[0])
			if err != nil {
				return err
			}
			d, err := o.discover(cmd.Context(), want)
			if apierrors.IsForbidden(err) && len(o.files) == 0 && o.kube.namespace() == "" {
				o.kube.overrides.Context.Namespace = want.Namespace
				if d, err = o.discover(cmd.Context(), want); err == nil {
					note(streams, "Only namespace %s was read, because your user may not list the others: "+
						"duplicates and the primary are those of this namespace.", want.Namespace)
				}
			}
			if err != nil {
				return err
			}
			return o.explain(cmd.Context(), d, want, output)
		},
	}
	o.addFlags(cmd)
	addOutput(cmd, &output, "text", "json", "yaml")
	return cmd
}

// serviceArgument reads NAMESPACE/NAME, or NAME with -n.
func (o *options) serviceArgument(arg string) (backend.Ref, error) {
	namespace, name, ok := strings.Cut(arg, "/")
	if !ok {
		namespace, name = o.kube.namespace(), arg
	}
	if namespace == "" || name == "" || strings.Contains(name, "/") ||
		strings.ContainsFunc(arg, func(r rune) bool { return !unicode.IsGraphic(r) }) {
		return backend.Ref{}, usage("%q: expected NAMESPACE/NAME, for example monitoring/prometheus", arg)
	}
	return backend.Ref{Namespace: namespace, Name: name}, nil
}

func (o *options) explain(ctx context.Context, d *discovered, want backend.Ref, output string) error {
	svc, endpoints := d.known.Get(want)
	for _, f := range d.findings { // a backend outside the cluster is not in the store
		if svc == nil && f.Ref == want {
			svc = f.Service
		}
	}
	if svc == nil {
		return d.notFound(want)
	}
	agent, err := o.askAgent(ctx, d.config, d.cluster, d.live[toolset.KeyHolmesGPT])
	if err != nil {
		return err
	}
	e := view.Explain(view.Material{
		Service: svc, Endpoints: endpoints, Evaluations: d.detector.Explain(svc, endpoints),
		Catalog: d.catalog, Findings: d.findings,
		Hints:   view.Hints{Unprobed: !d.probed, HowToProbe: d.howToProbe(), HolmesGPT: d.config.Output.Namespace},
		Agent:   agent,
		Primary: refs(d.config.Primary), TrustedNamespaces: d.config.Security.TrustedNamespaces,
	})
	if output != "text" {
		return printObject(o.streams, e, output)
	}
	return describe(o.streams.Out, &e)
}

// howToProbe describes which flag makes this command probe.
func (d *discovered) howToProbe() string {
	if d.cluster == nil {
		return "run this with --probe=direct where its address can be reached, " +
			"or without -f against the cluster with --probe=proxy"
	}
	return "run this with --probe=proxy"
}

func (d *discovered) notFound(want backend.Ref) error {
	if slices.Contains(d.exclude, want.Namespace) {
		return fmt.Errorf("no Service %s among those that were read: the configuration leaves its namespace out "+
			"(discovery.excludeNamespaces); -n %s reads it anyway", want, want.Namespace)
	}
	var names []string
	for _, s := range d.known.Services() {
		names = append(names, s.Ref.String())
	}
	for _, r := range d.known.Others() {
		names = append(names, r.String())
	}
	hint := "discover --all lists them"
	if near := yamlfile.Nearest(want.String(), names); near != "" {
		hint = "did you mean " + near + "?"
	} else if !d.known.HasNamespace(want.Namespace) {
		hint = fmt.Sprintf("no Service of namespace %s was read; %s", want.Namespace, hint)
	}
	return fmt.Errorf("no Service %s among the %s that were read: %s", want, services(d.known.Count()), hint)
}
