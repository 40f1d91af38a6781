package source

import (
	"context"
	"fmt"
	"slices"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	corev1client "k8s.io/client-go/kubernetes/typed/core/v1"
	discoveryv1client "k8s.io/client-go/kubernetes/typed/discovery/v1"
	"k8s.io/client-go/rest"
)

// pageSize is how many objects are asked for at once; kubectl's figure.
const pageSize = 500

// ClusterOptions say what is read of a cluster.
type ClusterOptions struct {
	Options
	// Namespaces to read; none means all, with one List that spans them.
	Namespaces []string
	// Progress, where it is not nil, is called after each page.
	Progress func(Progress)
}

// Progress says how far a List has come.
type Progress struct {
	Resource  string // services or endpointslices
	Namespace string // "" for all
	Done      int    // objects read of this resource in this namespace
	Total     int    // as far as the API server has told
}

// Cluster lists the Services of a cluster and then its EndpointSlices, once and page by page. All Services come before
// the first EndpointSlice, so that the sink can drop slices at once. How long it may take is up to ctx.
//
// A namespace that may not be read is left out with a Warning, and an error only where no namespace may be; EndpointSlices
// that may not be read leave readiness unknown. Any other failure is an error, since half a cluster is not a smaller
// cluster. Errors are one line that says what to do.
func Cluster(ctx context.Context, config *rest.Config, sink Sink, opts ClusterOptions) (Report, error) {
	l, err := newLister(config, sink, opts)
	if err != nil {
		return Report{}, err
	}
	namespaces, err := listedNamespaces(opts.Namespaces)
	if err != nil {
		return Report{}, err
	}
	var refused error
	readable := namespaces[:0:0]
	for _, ns := range namespaces {
		err := l.services(ctx, ns)
		if !apierrors.IsForbidden(err) {
			if err != nil {
				return l.report, l.explain(ctx, err, resourceServices, ns)
			}
			readable = append(readable, ns)
			continue
		}
		err = l.explain(ctx, err, resourceServices, ns)
		if refused == nil {
			refused = err
		}
		l.report.Unread = append(l.report.Unread, ns)
		l.report.warn(Warning{Text: err.Error()})
	}
	if len(readable) == 0 {
		return l.report, refused
	}
	for _, ns := range readable {
		err := l.endpointSlices(ctx, ns)
		switch {
		case apierrors.IsForbidden(err):
			err = l.explain(ctx, err, resourceSlices, ns)
			l.report.warn(Warning{Text: err.Error() + "; until then it is unknown which Services have ready endpoints"})
		case err != nil:
			return l.report, l.explain(ctx, err, resourceSlices, ns)
		}
	}
	return l.report, nil
}

const (
	resourceServices = "services"
	resourceSlices   = "endpointslices"
)

type lister struct {
	core      corev1client.CoreV1Interface
	discovery discoveryv1client.DiscoveryV1Interface
	host      string
	sink      Sink
	opts      ClusterOptions
	report    Report
}

func newLister(config *rest.Config, sink Sink, opts ClusterOptions) (*lister, error) {
	c := rest.CopyConfig(config)
	c.ContentType = runtime.ContentTypeProtobuf
	c.AcceptContentTypes = runtime.ContentTypeProtobuf + "," + runtime.ContentTypeJSON
	// client-go's own limit of five requests a second would make 200 pages take 40 seconds; the API server has its own
	// (priority and fairness), and pages are asked for one after the other anyway.
	c.QPS = -1
	c.WarningHandler = rest.NoWarnings{}
	c.Wrap(BoundPages)
	core, err := corev1client.NewForConfig(c)
	if err != nil {
		return nil, fmt.Errorf("connecting to the cluster: %w", err)
	}
	disc, err := discoveryv1client.NewForConfig(c)
	if err != nil {
		return nil, fmt.Errorf("connecting to the cluster: %w", err)
	}
	return &lister{core: core, discovery: disc, host: c.Host, sink: sink, opts: opts}, nil
}

func listedNamespaces(namespaces []string) ([]string, error) {
	if len(namespaces) == 0 {
		return []string{metav1.NamespaceAll}, nil
	}
	for _, ns := range namespaces {
		if !isLabelName(ns) {
			return nil, fmt.Errorf("%s is no namespace: a DNS label is expected", quote(ns))
		}
	}
	return slices.Compact(slices.Sorted(slices.Values(namespaces))), nil
}

func (l *lister) services(ctx context.Context, ns string) error {
	return l.pages(resourceServices, ns, func(o metav1.ListOptions) (*metav1.ListMeta, int, error) {
		list, err := l.core.Services(ns).List(ctx, o)
		if err != nil {
			return nil, 0, err
		}
		for i := range list.Items {
			l.service(&list.Items[i])
		}
		return &list.ListMeta, len(list.Items), nil
	})
}

func (l *lister) service(s *corev1.Service) {
	l.report.Services++
	l.sink.Service(FromService(s, l.opts.KeepAnnotation))
}

func (l *lister) endpointSlices(ctx context.Context, ns string) error {
	return l.pages(resourceSlices, ns, func(o metav1.ListOptions) (*metav1.ListMeta, int, error) {
		list, err := l.discovery.EndpointSlices(ns).List(ctx, o)
		if err != nil {
			return nil, 0, err
		}
		for i := range list.Items {
			l.endpointSlice(&list.Items[i])
		}
		return &list.ListMeta, len(list.Items), nil
	})
}

func (l *lister) endpointSlice(s *discoveryv1.EndpointSlice) {
	ref, slice, fqdn := FromEndpointSlice(s, l.opts.Denied)
	if ref.Name == "" {
		l.report.skip(orphanSlice)
		return
	}
	l.report.Slices++
	l.sink.Endpoints(ref, slice, fqdn)
}

// pages calls list until there is no further page.
func (l *lister) pages(resource, ns string, list func(metav1.ListOptions) (*metav1.ListMeta, int, error)) error {
	done := 0
	return Pages(pageSize, metav1.ListOptions{}, func(o metav1.ListOptions) (string, error) {
		meta, n, err := list(o)
		if err != nil {
			return "", err
		}
		done += n
		if l.opts.Progress != nil {
			total := done
			if meta.RemainingItemCount != nil {
				total += int(*meta.RemainingItemCount)
			}
			l.opts.Progress(Progress{Resource: resource, Namespace: ns, Done: done, Total: total})
		}
		return meta.Continue, nil
	})
}
