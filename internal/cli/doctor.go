package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/fatih/color"
	"github.com/spf13/cobra"

	"kubernaut.io/dynamic-toolset/internal/backend"
	"kubernaut.io/dynamic-toolset/internal/cluster"
	"kubernaut.io/dynamic-toolset/internal/doctor"
	"kubernaut.io/dynamic-toolset/internal/view"
)

func newDoctor(streams Streams) *cobra.Command {
	o := &options{streams: streams}
	var output string
	cmd := &cobra.Command{
		Use:   "doctor",
		Short: "Check whether HolmesGPT can use what is published",
		Long: `Checks with your own rights whether HolmesGPT can use the ConfigMap. It finds the workloads that mount
the ConfigMap, or that run HolmesGPT's image without it. It checks the mount, the settings, each variable that the
document refers to (that its Secret and key exist; it reads no value), certificate authorities and OpenShift's role
binding. It also asks HolmesGPT which document it has loaded and the state of each toolset, from outside the cluster
through the API server. Each line shows a result and what to do:
  ok         nothing to do
  to do      with the lines to copy
  not seen   your user may not read what the check needs
Exit code 0: nothing to do, as far as your user can see, 1: something to do, or an error.`,
		Example: `  dynamic-toolset doctor
  dynamic-toolset doctor -n holmes -o json`,
		Args: cobra.ExactArgs(0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			well, err := o.doctor(cmd.Context(), output)
			if err == nil && !well {
				return failure{error: errors.New("something to do"), code: exitError, silent: true}
			}
			return err
		},
	}
	o.configOptions.addFlags(cmd)
	o.kube.add(cmd.Flags(), "30s")
	cmd.Flags().Lookup("namespace").Usage = "the ConfigMap's namespace, instead of the configuration's output.namespace"
	addOutput(cmd, &output, "text", "json", "yaml")
	return cmd
}

func (o *options) doctor(ctx context.Context, output string) (well bool, err error) {
	c, _, err := o.load(ctx, o.streams)
	if err != nil {
		return false, err
	}
	kubeconfig, err := o.cluster()
	if err != nil {
		return false, err
	}
	c.Output.Namespace = cmp.Or(o.kube.namespace(), c.Output.Namespace)
	target := backend.Ref{Namespace: c.Output.Namespace, Name: c.Output.ConfigMap}
	facts, err := cluster.Facts(ctx, kubeconfig, target)
	switch {
	case ctx.Err() != nil:
		return false, errInterrupted
	case err != nil:
		return false, err
	}
	d := view.NewDoctor(facts, doctor.Examine(facts))
	if facts.Needs.Toolsets > 0 { // otherwise the checks say why nothing is published
		made, err := o.askAgent(ctx, c, kubeconfig, facts.Document)
		if err != nil {
			return false, err
		}
		d.AddAgent(made)
	}
	if output != "text" {
		return d.Well, printObject(o.streams, d, output)
	}
	return d.Well, describeDoctor(o.streams, &d)
}

// describeDoctor prints the checks for people.
func describeDoctor(s Streams, d *view.Doctor) error {
	w := &writer{out: s.Out, paint: newPainter(s.Out)}
	levels := map[string]struct {
		text   string
		colour color.Attribute
	}{
		string(doctor.OK):     {"ok", color.FgGreen},
		string(doctor.Todo):   {"to do", color.FgRed},
		string(doctor.Unseen): {"not seen", color.FgYellow},
	}
	about := ""
	counts := map[string]int{}
	for _, c := range d.Checks {
		if c.About != about {
			if about != "" {
				w.line("")
			}
			w.line("%s", c.About)
		}
		about = c.About
		counts[c.Level]++
		level := levels[c.Level]
		name := fmt.Sprintf("%-8s", level.text)
		w.proseAt("  "+w.paint.paint(name, level.colour)+"  ", len(name)+4, c.Message)
		w.advice(strings.Repeat(" ", len(name)+4), c.Advice)
	}
	if w.err == nil {
		note(s, "\n%s", doctorSummary(counts))
	}
	return w.err
}

func doctorSummary(counts map[string]int) string {
	todo, unseen := counts[string(doctor.Todo)], counts[string(doctor.Unseen)]
	text := fmt.Sprintf("%d to do", todo)
	if todo == 0 {
		text = "Nothing to do"
	}
	if unseen > 0 {
		text += fmt.Sprintf(", %d not seen", unseen)
	}
	return text + "."
}
