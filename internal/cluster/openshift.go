package cluster

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	corev1client "k8s.io/client-go/kubernetes/typed/core/v1"
	"k8s.io/client-go/rest"
)

// ServesRoutes reports whether a cluster is OpenShift, that is, whether it serves the API group route.openshift.io.
// Every authenticated user may make this request.
func ServesRoutes(ctx context.Context, config *rest.Config) (bool, error) {
	client, err := corev1client.NewForConfig(config)
	if err != nil {
		return false, fmt.Errorf("client for the API groups: %w", err)
	}
	err = client.RESTClient().Get().AbsPath("/apis/route.openshift.io").Do(ctx).Error()
	switch {
	case err == nil:
		return true, nil
	case apierrors.IsNotFound(err):
		return false, nil
	}
	return false, fmt.Errorf("cannot find out whether the cluster is OpenShift: %w", Explain(err))
}

// Routes finds out whether the cluster is OpenShift. It is safe for concurrent use.
type Routes struct {
	config *rest.Config
	none   atomic.Bool
	asked  chan struct{}
}

const (
	routesTimeout = 2 * time.Second // of one request
	routesRetry   = 5 * time.Second // after a failure
	routesAgain   = 5 * time.Minute // after a no, because the API group may be installed later
)

// NewRoutes returns a Routes. Run makes the requests.
func NewRoutes(config *rest.Config) *Routes {
	return &Routes{config: config, asked: make(chan struct{})}
}

// Served reports whether the cluster is OpenShift. It returns true while that is not known, which is the safe answer.
func (r *Routes) Served() bool { return !r.none.Load() }

// Asked returns a channel that is closed after the first request, whether it succeeded or not.
func (r *Routes) Asked() <-chan struct{} { return r.asked }

// Run repeats the request until the answer is yes or ctx ends. After the first request it calls changed each time the
// answer has changed.
func (r *Routes) Run(ctx context.Context, changed func()) {
	for first := true; ; first = false {
		asking, cancel := context.WithTimeout(ctx, routesTimeout)
		served, err := ServesRoutes(asking, r.config)
		cancel()
		none := !served && (err == nil || r.none.Load())
		differs := r.none.Swap(none) != none
		if first {
			close(r.asked)
		} else if differs {
			changed()
		}
		if served {
			return
		}
		wait := routesAgain
		if err != nil {
			wait = routesRetry
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(wait):
		}
	}
}
