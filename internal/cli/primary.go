package cli

import (
	"context"
	"slices"

	"kubernaut.io/dynamic-toolset/internal/agent"
	"kubernaut.io/dynamic-toolset/internal/backend"
	"kubernaut.io/dynamic-toolset/internal/config"
	"kubernaut.io/dynamic-toolset/internal/inventory"
	"kubernaut.io/dynamic-toolset/internal/toolset"
	"kubernaut.io/dynamic-toolset/internal/view"
)

// reportMisnamed prints a warning for each configured primary that cannot be one, judged by the Services that were
// read.
func (d *discovered) reportMisnamed(o *options, primary map[string]backend.Ref, unread []string) {
	others := d.known.Others()
	known := func(ref backend.Ref) (exists, sure bool) {
		_, named := slices.BinarySearchFunc(others, ref, backend.Ref.Compare)
		service, _ := d.known.Get(ref)
		elsewhere := o.kube.namespace() != "" && o.kube.namespace() != ref.Namespace
		return named || service != nil, !elsewhere && !slices.Contains(unread, ref.Namespace)
	}
	for _, m := range inventory.MisnamedPrimaries(d.findings, primary, known) {
		warn(o.streams, "%s", view.MisnamedLine(m.Type, m.Ref, m.Finding))
	}
}

// recall makes discover read the primaries that a service has recorded in the cluster, if the user may read them. The
// command then shows the same primaries as the service.
func (o *options) recall() {
	if len(o.files) > 0 {
		return
	}
	o.recorded = func(ctx context.Context, c *config.Config) (map[string]backend.Ref, error) {
		live, err := o.liveConfigMap(ctx, c.Output.Namespace, c.Output.ConfigMap)
		if err != nil {
			return nil, nil //nolint:nilerr // without the record, the command decides as a new service would
		}
		toolsets, generation := toolset.EntriesIn(live[toolset.KeyHolmesGPT])
		o.published = agent.Document{Generation: generation, Toolsets: toolsets}
		return primariesIn(live), nil
	}
}
