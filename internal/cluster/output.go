package cluster

import "kubernaut.io/dynamic-toolset/internal/publish"

// Output publishes to the ConfigMap. It reads through the watch and writes by server-side apply.
type Output struct {
	*publish.Publisher
	*Watch
}

// NewOutput returns an Output for the watch's ConfigMap.
func NewOutput(watch *Watch, client publish.Client, labels map[string]string) *Output {
	target := watch.opts.ConfigMap
	return &Output{Watch: watch, Publisher: publish.New(client, publish.Options{
		Namespace: target.Namespace, Name: target.Name, Labels: labels, Live: watch.Live, Reason: reason,
	})}
}
