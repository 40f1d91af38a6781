package cli

import (
	"context"
	"slices"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	corev1client "k8s.io/client-go/kubernetes/typed/core/v1"

	"kubernaut.io/dynamic-toolset/internal/backend"
	"kubernaut.io/dynamic-toolset/internal/cluster"
	"kubernaut.io/dynamic-toolset/internal/config"
	"kubernaut.io/dynamic-toolset/internal/inventory"
	"kubernaut.io/dynamic-toolset/internal/publish"
	"kubernaut.io/dynamic-toolset/internal/toolset"
	"kubernaut.io/dynamic-toolset/internal/view"
)

// reportMisnamed prints a warning for each configured primary that cannot be one, judged by the Services that were
// read.
func (d *discovered) reportMisnamed(o *options) {
	others := d.known.Others()
	known := func(ref backend.Ref) (exists, sure bool) {
		_, named := slices.BinarySearchFunc(others, ref, backend.Ref.Compare)
		service, _ := d.known.Get(ref)
		elsewhere := o.kube.namespace() != "" && o.kube.namespace() != ref.Namespace
		return named || service != nil, !elsewhere && !slices.Contains(d.unread, ref.Namespace)
	}
	for _, m := range inventory.MisnamedPrimaries(d.findings, refs(d.config.Primary), known) {
		warn(o.streams, "%s", view.MisnamedLine(m.Type, m.Ref, m.Finding))
	}
}

// recorded returns the primaries that a service has recorded in its ConfigMap, nil if the record cannot be read: the
// service also ignores such a record.
func recorded(live map[string]string) map[string]backend.Ref {
	state, err := publish.DecodeState(live[toolset.KeyState])
	if err != nil {
		return nil
	}
	return state.Primaries
}

// liveConfigMap returns the data of a running service's ConfigMap, nil if it does not exist.
func (o *options) liveConfigMap(ctx context.Context, c *config.Config) (map[string]string, error) {
	kubeconfig, err := o.cluster()
	if err != nil {
		return nil, err
	}
	client, err := corev1client.NewForConfig(kubeconfig)
	if err != nil {
		return nil, o.kube.failed(err)
	}
	namespace, name := c.Output.Namespace, c.Output.ConfigMap
	cm, err := client.ConfigMaps(namespace).Get(ctx, name, metav1.GetOptions{})
	switch {
	case apierrors.IsNotFound(err):
		return nil, nil
	case ctx.Err() != nil:
		return nil, errInterrupted
	case err != nil:
		request := cluster.Request{Verb: "get", Resource: "configmaps", Namespace: namespace, Name: name}
		return nil, request.Explain(ctx, err, kubeconfig.Host)
	}
	return cm.Data, nil
}
