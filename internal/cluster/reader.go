package cluster

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"net/netip"
	"slices"
	"strings"

	discoveryv1 "k8s.io/api/discovery/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/dynamic"
	corev1client "k8s.io/client-go/kubernetes/typed/core/v1"
	discoveryv1client "k8s.io/client-go/kubernetes/typed/discovery/v1"
	"k8s.io/client-go/rest"

	"kubernaut.io/dynamic-toolset/internal/backend"
	"kubernaut.io/dynamic-toolset/internal/links"
	"kubernaut.io/dynamic-toolset/internal/store"
)

// clients read the objects that this service discovers.
type clients struct {
	core      corev1client.CoreV1Interface
	discovery discoveryv1client.DiscoveryV1Interface
	dynamic   dynamic.Interface // for the objects that expose Services
}

func newClients(config *rest.Config, client *http.Client) (clients, error) {
	core, coreErr := corev1client.NewForConfigAndClient(config, client)
	discovery, discoveryErr := discoveryv1client.NewForConfigAndClient(config, client)
	objects, dynamicErr := dynamic.NewForConfigAndClient(config, client)
	if err := cmp.Or(coreErr, discoveryErr, dynamicErr); err != nil {
		return clients{}, fmt.Errorf("client for the API server: %w", err)
	}
	return clients{core, discovery, objects}, nil
}

// Reader reads a cluster once: all Services, or single Services of which the watch keeps only the name.
type Reader struct {
	clients
	keep   func(annotation string) bool
	denied func(netip.Addr) bool
	host   string
	// Links says which objects that expose Services are read. The zero value means none.
	Links links.From
}

// NewReader returns a Reader. keep reports whether detection reads an annotation, denied whether an address must not be
// used.
func NewReader(config *rest.Config, keep func(annotation string) bool, denied func(netip.Addr) bool) (*Reader, error) {
	config = protobuf(config)
	config.Wrap(newBoundPages)
	client, err := rest.HTTPClientFor(config)
	if err != nil {
		return nil, fmt.Errorf("client for the API server: %w", err)
	}
	c, err := newClients(config, client)
	return &Reader{clients: c, keep: keep, denied: denied, host: config.Host}, err
}

// protobuf returns a copy of config for clients that read much. The dynamic client uses JSON nevertheless.
func protobuf(config *rest.Config) *rest.Config {
	config = rest.CopyConfig(config)
	config.ContentType = runtime.ContentTypeProtobuf
	config.AcceptContentTypes = runtime.ContentTypeProtobuf + "," + runtime.ContentTypeJSON
	// client-go's default limit of five requests a second would make 100 pages take 20 seconds. No limit is needed
	// here, because the API server has one (priority and fairness) and pages are requested one after the other.
	config.QPS = -1
	config.WarningHandler = rest.NoWarnings{}
	return config
}

// Service reads a Service and its EndpointSlices. It returns nil if the Service does not exist.
func (r *Reader) Service(ctx context.Context, ref backend.Ref) (*backend.Service, *backend.Endpoints, error) {
	service, err := r.service(ctx, ref)
	if apierrors.IsNotFound(err) {
		return nil, nil, nil
	}
	if err != nil {
		return nil, nil, err
	}
	parts, err := r.slices(ctx, ref.Namespace, ref.Name)
	if err != nil {
		return nil, nil, err
	}
	return service, store.Join(parts), nil
}

func (r *Reader) service(ctx context.Context, ref backend.Ref) (*backend.Service, error) {
	object, err := r.core.Services(ref.Namespace).Get(ctx, ref.Name, metav1.GetOptions{})
	if err != nil {
		return nil, fmt.Errorf("reading Service %s from the API server: %w", ref, Explain(err))
	}
	service := store.FromService(object, r.keep)
	return &service, nil
}

// slices reads the EndpointSlices of a Service and returns them sorted by name.
func (r *Reader) slices(ctx context.Context, namespace, service string) ([]store.Slice, error) {
	var parts []store.Slice
	sizes := store.Sizes{}
	o := metav1.ListOptions{LabelSelector: labels.Set{discoveryv1.LabelServiceName: service}.String()}
	err := each(ctx, r.discovery.EndpointSlices(namespace).List, o, func(s *discoveryv1.EndpointSlice) {
		_, slice := store.FromEndpointSlice(s, r.denied)
		parts = append(parts, sizes.Fit(namespace, slice))
	})
	if err != nil {
		return nil, fmt.Errorf("reading the EndpointSlices of %s/%s from the API server: %w",
			namespace, service, Explain(err))
	}
	slices.SortFunc(parts, func(a, b store.Slice) int { return strings.Compare(a.Name, b.Name) })
	return parts, nil
}
