package rights

import (
	"errors"
	"fmt"
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
	t.Attr("req", "DTS-RUN-3")
	t.Attr("req", "DTS-SEC-1")
	tests := map[string]struct {
		err  error
		want string
	}{
		"the ConfigMap": {
			refused("watch", "", "configmaps", "kubernaut-system", "kubernaut-toolset-config"),
			"may not watch configmaps kubernaut-system/kubernaut-toolset-config: give " + account + ` a Role in kubernaut-system with ` +
				`{apiGroups: [""], resources: [configmaps], resourceNames: [kubernaut-toolset-config], verbs: [get, list, watch, create, patch]}`,
		},
		"the Lease": {
			refused("update", "coordination.k8s.io", "leases", "kubernaut-system", "dynamic-toolset"),
			"may not update leases kubernaut-system/dynamic-toolset: give " + account + ` a Role in kubernaut-system with ` +
				`{apiGroups: ["coordination.k8s.io"], resources: [leases], resourceNames: [dynamic-toolset], verbs: [get, create, patch, update]}`,
		},
		"Services of a namespace": {
			fmt.Errorf("failed to list *v1.Service: %w", refused("list", "", "services", "team", "")),
			"may not list services in namespace team: give " + account + ` a Role in team with ` +
				`{apiGroups: [""], resources: [services], verbs: [get, list, watch]}`,
		},
		"one Service": {
			refused("get", "", "services", "team", "checkout"),
			"may not get services team/checkout: give " + account + ` a Role in team with ` +
				`{apiGroups: [""], resources: [services], verbs: [get, list, watch]}`,
		},
		"EndpointSlices of all namespaces": {
			refused("watch", "discovery.k8s.io", "endpointslices", "", ""),
			"may not watch endpointslices in all namespaces: give " + account + ` a ClusterRole with ` +
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
