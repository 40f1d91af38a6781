package cluster

import (
	"context"
	"fmt"
	"slices"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/validation"

	"kubernaut.io/dynamic-toolset/internal/links"
	"kubernaut.io/dynamic-toolset/internal/store"
)

// List lists the Services of the namespaces, and then their EndpointSlices, once and page by page. No namespaces means
// all. All Services come before the first EndpointSlice, so that the sink can drop slices at once. ctx limits the time.
//
// A namespace that may not be read is left out with a Warning; it is an error only if no namespace may be read. If
// EndpointSlices may not be read, readiness is unknown. Any other failure is an error, because a part of a cluster must
// not be taken for all of it. Errors are one line that says what to do.
func (r *Reader) List(ctx context.Context, namespaces []string, sink store.Sink) (store.Report, error) {
	var report store.Report
	namespaces, err := sortedNamespaces(namespaces)
	if err != nil {
		return report, err
	}
	var refused error
	readable := namespaces[:0:0]
	for _, ns := range namespaces {
		err := r.services(ctx, ns, sink, &report)
		switch {
		case err == nil:
			readable = append(readable, ns)
		case apierrors.IsForbidden(err):
			report.Unread = append(report.Unread, ns)
			report.Warn(store.Warning{Code: store.WarningServicesForbidden, Err: err})
			if refused == nil {
				refused = err
			}
		default:
			return report, err
		}
	}
	if len(readable) == 0 {
		return report, refused
	}
	for _, ns := range readable {
		err := r.endpointSlices(ctx, ns, sink, &report)
		switch {
		case apierrors.IsForbidden(err):
			report.Warn(store.Warning{Code: store.WarningSlicesForbidden, Err: err})
		case err != nil:
			return report, err
		}
	}
	for _, kind := range r.Links.Kinds {
		if err := r.exposers(ctx, kind, readable, sink, &report); err != nil {
			return report, err
		}
	}
	return report, nil
}

// exposers reads the objects of a kind that expose Services to people, such as Ingresses. An object that cannot be read
// is left out with a Warning, because only links depend on it.
func (r *Reader) exposers(
	ctx context.Context, kind links.Kind, namespaces []string, sink store.Sink, report *store.Report,
) error {
	for _, ns := range namespaces {
		objects := r.dynamic.Resource(kind.GVR()).Namespace(ns)
		err := each(ctx, objects.List, metav1.ListOptions{}, func(o *unstructured.Unstructured) {
			by := store.Exposer{Kind: kind.Kind, Ref: refOf(o)}
			services, err := r.Links.Read(kind, by.Namespace, links.Unstructured(o.Object))
			if err != nil {
				report.Warn(store.Warning{Code: store.WarningLinksInvalid, Kind: kind.Kind, Ref: by.Ref, Err: err})
			}
			sink.Expose(by, services)
		})
		q := Request{Verb: "list", Group: kind.Group, Resource: kind.Resource, Namespace: ns}
		switch {
		case ctx.Err() != nil:
			return q.Explain(ctx, err, r.host)
		case apierrors.IsNotFound(err): // in all namespaces
			report.Warn(store.Warning{Code: store.WarningLinksResource, Resource: kind.Resource})
			return nil
		case err != nil:
			report.Warn(store.Warning{Code: store.WarningLinksUnlisted, Err: q.Explain(ctx, err, r.host)})
		}
	}
	return nil
}

func sortedNamespaces(namespaces []string) ([]string, error) {
	if len(namespaces) == 0 {
		return []string{metav1.NamespaceAll}, nil
	}
	for _, ns := range namespaces {
		if len(validation.IsDNS1123Label(ns)) > 0 {
			return nil, fmt.Errorf("%q is no namespace: a DNS label is expected", ns)
		}
	}
	return slices.Compact(slices.Sorted(slices.Values(namespaces))), nil
}

func (r *Reader) services(ctx context.Context, ns string, sink store.Sink, report *store.Report) error {
	err := each(ctx, r.core.Services(ns).List, metav1.ListOptions{}, func(s *corev1.Service) {
		report.Services++
		sink.Service(store.FromService(s, r.keep))
	})
	if err != nil {
		return Request{Verb: "list", Resource: "services", Namespace: ns}.Explain(ctx, err, r.host)
	}
	return nil
}

func (r *Reader) endpointSlices(ctx context.Context, ns string, sink store.Sink, report *store.Report) error {
	err := each(ctx, r.discovery.EndpointSlices(ns).List, metav1.ListOptions{}, func(s *discoveryv1.EndpointSlice) {
		service, slice := store.FromEndpointSlice(s, r.denied)
		if service.Name == "" {
			report.Skipped++
			return
		}
		sink.Slice(service, slice)
	})
	if err != nil {
		q := Request{Verb: "list", Group: discoveryv1.GroupName, Resource: "endpointslices", Namespace: ns}
		return q.Explain(ctx, err, r.host)
	}
	return nil
}
