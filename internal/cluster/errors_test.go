package cluster

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"syscall"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

const account = "system:serviceaccount:kubernaut-system:dynamic-toolset"

// refused is an error as the API server's authorizer makes it.
func refused(verb, group, resource, namespace, name string) error {
	where := "at the cluster scope"
	if namespace != "" {
		where = fmt.Sprintf("in the namespace %q", namespace)
	}
	return apierrors.NewForbidden(schema.GroupResource{Group: group, Resource: resource}, name,
		fmt.Errorf("User %q cannot %s resource %q in API group %q %s: RBAC: role.rbac.authorization.k8s.io \"x\" not found", account, verb, resource, group, where))
}

func TestExplain(t *testing.T) {
	t.Attr("req", "DTS-RUN-3 DTS-SEC-1")
	tests := map[string]struct {
		err  error
		want string
	}{
		"the ConfigMap": {
			refused("watch", "", "configmaps", "kubernaut-system", "kubernaut-toolset-config"),
			"not allowed to watch configmaps kubernaut-system/kubernaut-toolset-config (403); to allow it, add a Role in \"kubernaut-system\" for " + account + ` with ` +
				`{apiGroups: [""], resources: [configmaps], resourceNames: [kubernaut-toolset-config], verbs: [get, list, watch, create, patch]}`,
		},
		"the Lease": {
			refused("update", "coordination.k8s.io", "leases", "kubernaut-system", "dynamic-toolset"),
			"not allowed to update leases kubernaut-system/dynamic-toolset (403); to allow it, add a Role in \"kubernaut-system\" for " + account + ` with ` +
				`{apiGroups: ["coordination.k8s.io"], resources: [leases], resourceNames: [dynamic-toolset], verbs: [get, create, patch, update]}`,
		},
		"Services of a namespace": {
			fmt.Errorf("failed to list *v1.Service: %w", refused("list", "", "services", "team", "")),
			`not allowed to list services in namespace "team" (403); to allow it, add a Role in "team" for ` + account + ` with ` +
				`{apiGroups: [""], resources: [services], verbs: [get, list, watch]}`,
		},
		"one Service": {
			refused("get", "", "services", "team", "checkout"),
			`not allowed to get services team/checkout (403); to allow it, add a Role in "team" for ` + account + ` with ` +
				`{apiGroups: [""], resources: [services], verbs: [get, list, watch]}`,
		},
		"EndpointSlices of all namespaces": {
			refused("watch", "discovery.k8s.io", "endpointslices", "", ""),
			"not allowed to watch endpointslices in all namespaces (403); to allow it, add a ClusterRole for " + account + ` with ` +
				`{apiGroups: ["discovery.k8s.io"], resources: [endpointslices], verbs: [list, watch]}, ` +
				"or name the namespaces that it may watch in discovery.namespaces",
		},
		"refused by an admission webhook": {
			apierrors.NewForbidden(schema.GroupResource{Resource: "configmaps"}, "x", errors.New("frozen for the holidays")),
			`configmaps "x" is forbidden: frozen for the holidays`,
		},
		"something else": {errors.New("connection refused"), "connection refused"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			got := Explain(tt.err)
			if got.Error() != tt.want {
				t.Errorf("got  %s\nwant %s", got, tt.want)
			}
			if !errors.Is(got, tt.err) {
				t.Error("the cause is lost")
			}
		})
	}
}

// What keeps this service from the ConfigMap, for the one line that publishing fails with.
func TestReason(t *testing.T) {
	t.Attr("req", "DTS-OUT-9")
	dial := func(err error) error {
		return &url.Error{Op: "Patch", URL: "https://10.0.0.1/api", Err: &net.OpError{Op: "dial", Err: err}}
	}
	for _, tt := range []struct {
		err  error
		want string
	}{
		{
			refused("patch", "", "configmaps", "out", "toolsets"),
			`not allowed to patch configmaps out/toolsets (403); to allow it, add a Role in "out" for ` + account + ` with ` +
				`{apiGroups: [""], resources: [configmaps], resourceNames: [toolsets], verbs: [get, list, watch, create, patch]}`,
		},
		{dial(syscall.ECONNREFUSED), "cannot reach the API server: connection refused; what is published stays"},
		{dial(&net.DNSError{Name: "k8s.example"}), "cannot reach the API server: there is no address for the host k8s.example; what is published stays"},
		{context.DeadlineExceeded, "cannot reach the API server: it did not answer in time; what is published stays"},
		{apierrors.NewForbidden(schema.GroupResource{Resource: "configmaps"}, "x", errors.New("exceeded quota")), ""},
		{apierrors.NewUnauthorized("no"), ""},
	} {
		if got := reason(tt.err); got != tt.want {
			t.Errorf("%v\n got %s\nwant %s", tt.err, got, tt.want)
		}
	}
}
