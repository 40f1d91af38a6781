//go:build integration

package testenv

import (
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// BehindProxy makes what the API server's service proxy looks for, which is not the EndpointSlice but the older Endpoints,
// with a pod that has the address, which the EndpointSlice names too. In a cluster controllers and kubelets make them.
func (e *Env) BehindProxy(t testing.TB, b *Backend, address string) {
	t.Helper()
	core, ctx := e.Client.CoreV1(), t.Context()
	check := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatalf("the pod behind %s/%s: %v", b.Namespace, b.Name, err)
		}
	}
	pod, err := core.Pods(b.Namespace).Create(ctx, &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Name: b.Name, Labels: b.Spec.Selector},
		Spec:       corev1.PodSpec{NodeName: nodeName, Containers: []corev1.Container{{Name: "main", Image: "none"}}},
	}, metav1.CreateOptions{})
	check(err)
	pod.Status = corev1.PodStatus{Phase: corev1.PodRunning, PodIP: address, PodIPs: []corev1.PodIP{{IP: address}}}
	pod, err = core.Pods(b.Namespace).UpdateStatus(ctx, pod, metav1.UpdateOptions{})
	check(err)
	port := b.Spec.Ports[0]
	_, err = core.Endpoints(b.Namespace).Create(ctx, &corev1.Endpoints{ //nolint:staticcheck // what the proxy reads
		ObjectMeta: metav1.ObjectMeta{Name: b.Name},
		Subsets: []corev1.EndpointSubset{{ //nolint:staticcheck // the same
			Addresses: []corev1.EndpointAddress{{
				IP: address, TargetRef: &corev1.ObjectReference{Kind: "Pod", Namespace: pod.Namespace, Name: pod.Name, UID: pod.UID},
			}},
			Ports: []corev1.EndpointPort{{Name: port.Name, Port: port.TargetPort.IntVal}},
		}},
	}, metav1.CreateOptions{})
	check(err)
	slices := e.Client.DiscoveryV1().EndpointSlices(b.Namespace)
	slice, err := slices.Get(ctx, b.Name, metav1.GetOptions{})
	check(err)
	slice.Endpoints[0].TargetRef = &corev1.ObjectReference{Kind: "Pod", Namespace: pod.Namespace, Name: pod.Name, UID: pod.UID}
	_, err = slices.Update(ctx, slice, metav1.UpdateOptions{})
	check(err)
}
