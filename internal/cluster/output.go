package cluster

import (
	corev1 "k8s.io/api/core/v1"

	"kubernaut.io/dynamic-toolset/internal/publish"
)

// Output is the ConfigMap as the place to publish to: read through the watch, written by server-side apply.
type Output struct {
	*publish.Publisher
	watch *Watch
}

// NewOutput publishes to the watch's ConfigMap.
func NewOutput(watch *Watch, client publish.Client, labels map[string]string) *Output {
	target := watch.opts.ConfigMap
	options := publish.Options{Namespace: target.Namespace, Name: target.Name, Labels: labels, Live: watch.Live, Reason: reason}
	return &Output{watch: watch, Publisher: publish.New(client, options)}
}

// Moved receives when the ConfigMap has changed.
func (o *Output) Moved() <-chan struct{} { return o.watch.LiveMoved() }

// Live is the ConfigMap as last seen, nil where there is none. It must not be changed.
func (o *Output) Live() *corev1.ConfigMap { return o.watch.Live() }

// Gone is the last state of the ConfigMap that was deleted last, nil while none was. It must not be changed.
func (o *Output) Gone() *corev1.ConfigMap { return o.watch.Gone() }
