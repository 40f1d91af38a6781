package files

import (
	"cmp"
	"net/netip"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"kubernaut.io/dynamic-toolset/internal/backend"
	"kubernaut.io/dynamic-toolset/internal/store"
)

// jsonOptions read JSON as the API server does: of a key given twice the last counts, and bytes that are no UTF-8 become
// U+FFFD (which no name may contain).
var jsonOptions = json.JoinOptions(jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))

// refOf is the object's name, or why it cannot be one. Nothing that is not a DNS label gets any further: names end up in
// URLs, file names and documents.
func refOf(m *metav1.ObjectMeta, defaultNamespace string) (backend.Ref, error) {
	m.Namespace = cmp.Or(m.Namespace, defaultNamespace)
	if err := checkLabelName("metadata.namespace", m.Namespace); err != nil {
		return backend.Ref{}, err
	}
	if err := checkLabelName("metadata.name", m.Name); err != nil {
		return backend.Ref{}, err
	}
	return backend.Ref{Namespace: m.Namespace, Name: m.Name}, nil
}

// parseService decodes a Service and refuses what the API server would not have taken either. The Ref is empty where the
// name itself is bad.
func parseService(raw jsontext.Value, defaultNamespace string, keep func(string) bool) (backend.Ref, backend.Service, error) {
	var o struct { // without the status, which nobody reads
		Metadata metav1.ObjectMeta  `json:"metadata"`
		Spec     corev1.ServiceSpec `json:"spec"`
	}
	if err := json.Unmarshal(raw, &o, jsonOptions); err != nil {
		return nameOf(raw, defaultNamespace), backend.Service{}, explainField(err)
	}
	s := &corev1.Service{ObjectMeta: o.Metadata, Spec: o.Spec}
	ref, err := refOf(&s.ObjectMeta, defaultNamespace)
	if err == nil {
		err = checkService(s)
	}
	if err != nil {
		return ref, backend.Service{}, err
	}
	return ref, store.FromService(s, keep), nil
}

// parseEndpointSlice decodes an EndpointSlice. The Ref is its Service's; it has no name where the slice has no Service.
func parseEndpointSlice(raw jsontext.Value, defaultNamespace string, denied func(netip.Addr) bool) (backend.Ref, store.Slice, error) {
	var s discoveryv1.EndpointSlice
	if err := json.Unmarshal(raw, &s, jsonOptions); err != nil {
		return nameOf(raw, defaultNamespace), store.Slice{}, explainField(err)
	}
	s.Namespace = cmp.Or(s.Namespace, defaultNamespace)
	service := store.ServiceOf(&s)
	if service.Name == "" {
		return service, store.Slice{}, nil
	}
	if ref, err := refOf(&metav1.ObjectMeta{Namespace: service.Namespace, Name: service.Name}, ""); err != nil {
		return ref, store.Slice{}, err
	}
	if err := checkSlice(&s); err != nil {
		return service, store.Slice{}, err
	}
	_, slice := store.FromEndpointSlice(&s, denied)
	return service, slice, nil
}

// nameOf finds the name of an object that is otherwise unusable.
func nameOf(raw jsontext.Value, defaultNamespace string) backend.Ref {
	var o struct {
		Metadata struct {
			Name      string `json:"name"`
			Namespace string `json:"namespace"`
		} `json:"metadata"`
	}
	if json.Unmarshal(raw, &o, jsonOptions) != nil {
		return backend.Ref{}
	}
	ref, _ := refOf(&metav1.ObjectMeta{Name: o.Metadata.Name, Namespace: o.Metadata.Namespace}, defaultNamespace)
	return ref
}
