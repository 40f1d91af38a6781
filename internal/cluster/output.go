package cluster

import (
	"context"

	corev1 "k8s.io/api/core/v1"

	"kubernaut.io/dynamic-toolset/internal/publish"
)

// Output is the ConfigMap as the place to publish to: read through the watch, written by server-side apply.
type Output struct {
	watch     *Watch
	client    publish.Client
	options   publish.Options
	publisher *publish.Publisher
}

// NewOutput publishes to the watch's ConfigMap.
func NewOutput(watch *Watch, client publish.Client, labels map[string]string) *Output {
	options := publish.Options{Namespace: watch.opts.ConfigMap.Namespace, Name: watch.opts.ConfigMap.Name, Labels: labels}
	return &Output{watch: watch, client: client, options: options, publisher: publish.New(client, options)}
}

// NewTerm forgets what was written: another replica may have written since.
func (o *Output) NewTerm() { o.publisher = publish.New(o.client, o.options) }

// Moved receives when the ConfigMap has changed.
func (o *Output) Moved() <-chan struct{} { return o.watch.LiveMoved() }

// Live is the ConfigMap as last seen, nil where there is none. It must not be changed.
func (o *Output) Live() *corev1.ConfigMap { return o.watch.Live() }

// Gone is the last state of the ConfigMap that was deleted last, nil while none was. It must not be changed.
func (o *Output) Gone() *corev1.ConfigMap { return o.watch.Gone() }

// Drifted is what somebody else has changed in live, of what d says.
func (o *Output) Drifted(live *corev1.ConfigMap, d publish.Desired) []publish.Drift {
	return o.publisher.Compare(live, d).Drifted
}

// Publish makes the ConfigMap hold what build says; see publish.Publisher.
func (o *Output) Publish(ctx context.Context, build publish.Build) (publish.Result, error) {
	return o.publisher.Publish(ctx, o.watch.Live(), build)
}
