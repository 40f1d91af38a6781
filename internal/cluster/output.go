package cluster

import "kubernaut.io/dynamic-toolset/internal/publish"

// Output is the ConfigMap as the place to publish to: read through the watch, written by server-side apply.
type Output struct {
	*publish.Publisher
	*Watch
}

// NewOutput publishes to the watch's ConfigMap.
func NewOutput(watch *Watch, client publish.Client, labels map[string]string) *Output {
	target := watch.opts.ConfigMap
	return &Output{Watch: watch, Publisher: publish.New(client, publish.Options{
		Namespace: target.Namespace, Name: target.Name, Labels: labels, Live: watch.Live, Reason: reason,
	})}
}
