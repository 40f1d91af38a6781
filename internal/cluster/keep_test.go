package cluster

import (
	"fmt"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"kubernaut.io/dynamic-toolset/internal/backend"
	"kubernaut.io/dynamic-toolset/internal/store"
)

// A list of more Services than are kept of one namespace holds no more than those, the oldest, though it comes in the
// order of names; and nothing of a Service is held twice once the store has it.
func TestListedServicesAreBounded(t *testing.T) {
	t.Attr("req", "DTS-SEC-3")
	const many = 1500
	w := &Watch{
		opts:  Options{Reader: &Reader{}},
		store: store.New(store.Options{Relevant: func(s *backend.Service) bool { return len(s.Labels) > 0 || s.Bared > 0 }}),
	}
	list := &corev1.ServiceList{}
	for i := range many {
		s := corev1.Service{ObjectMeta: metav1.ObjectMeta{
			Namespace: "evil", Name: fmt.Sprintf("s%04d", i), CreationTimestamp: metav1.Unix(int64(10_000-i), 0), Labels: map[string]string{},
		}}
		for j := range 60 {
			s.Labels[fmt.Sprint("k", j)] = strings.Repeat("v", 63)
		}
		list.Items = append(list.Items, s)
	}
	kept, err := w.keepAll(list, store.Sizes{}, store.Shares{})
	if err != nil {
		t.Fatal(err)
	}
	bytes, bare := 0, 0
	for _, object := range kept.Items {
		s := object.(*keptService).service
		if s.Bared > 0 { // little more than the name
			bare++
			continue
		}
		bytes += s.Size()
	}
	if bytes > backend.MaxServices || bytes < backend.MaxServices*9/10 {
		t.Errorf("%d bytes are held", bytes)
	}
	handler := w.serviceHandler()
	for range 2 { // as an informer does from time to time
		for _, object := range kept.Items {
			handler.OnAdd(object, true)
		}
	}
	for _, object := range kept.Items {
		if object.(*keptService).service != nil {
			t.Fatal("it is held beside the store")
		}
	}
	known := w.store.Services()
	if len(known) != many {
		t.Fatalf("%d Services are known", len(known))
	}
	for i, s := range known { // the last are the oldest
		if (s.Bared > 0) != (i < bare) || s.Created != time.Unix(int64(10_000-i), 0).UTC() {
			t.Fatalf("%s of %s is kept in full: %t, of %d that are not", s.Ref, s.Created, s.Bared == 0, bare)
		}
	}
}
