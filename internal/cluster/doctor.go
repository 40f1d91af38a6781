package cluster

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/validation"
	appsclient "k8s.io/client-go/kubernetes/typed/apps/v1"
	coreclient "k8s.io/client-go/kubernetes/typed/core/v1"
	rbacclient "k8s.io/client-go/kubernetes/typed/rbac/v1"
	"k8s.io/client-go/rest"

	"kubernaut.io/dynamic-toolset/internal/backend"
	"kubernaut.io/dynamic-toolset/internal/doctor"
	"kubernaut.io/dynamic-toolset/internal/toolset"
)

// examiner reads the facts for package doctor, with the rights of the user of the command.
type examiner struct {
	core  *coreclient.CoreV1Client
	apps  *appsclient.AppsV1Client
	rbac  *rbacclient.RbacV1Client
	host  string
	facts *doctor.Facts
}

// Facts reads the facts for package doctor. A missing right of the user is one of the facts. Any other failure is an
// error. It is also an error if the user may not list the Deployments in the ConfigMap's namespace.
func Facts(ctx context.Context, config *rest.Config, configMap backend.Ref) (*doctor.Facts, error) {
	config = rest.CopyConfig(config)
	config.Wrap(newBoundPages)
	facts := &doctor.Facts{ConfigMap: configMap, Keys: map[doctor.Object]doctor.Keys{}}
	client, err := rest.HTTPClientFor(config)
	if err != nil {
		return nil, err
	}
	core, coreErr := coreclient.NewForConfigAndClient(config, client)
	apps, appsErr := appsclient.NewForConfigAndClient(config, client)
	rbac, rbacErr := rbacclient.NewForConfigAndClient(config, client)
	if err := cmp.Or(coreErr, appsErr, rbacErr); err != nil {
		return nil, err
	}
	e := &examiner{core, apps, rbac, config.Host, facts}
	for _, step := range []func(context.Context) error{e.configMap, e.workloads, e.keys, e.viewers} {
		if err := step(ctx); err != nil {
			return nil, err
		}
	}
	return e.facts, nil
}

func (e *examiner) configMap(ctx context.Context) error {
	ref := e.facts.ConfigMap
	cm, err := e.core.ConfigMaps(ref.Namespace).Get(ctx, ref.Name, metav1.GetOptions{})
	switch {
	case apierrors.IsNotFound(err):
		return nil
	case err != nil:
		q := Request{Verb: "get", Resource: "configmaps", Namespace: ref.Namespace, Name: ref.Name}
		return e.failed(ctx, q, err)
	}
	e.facts.Exists, e.facts.Document = true, cm.Data[toolset.KeyHolmesGPT]
	e.facts.Needs = doctor.NeedsOf(e.facts.Document)
	return nil
}

// failed records the right that is missing. It describes and returns any other error. err may be nil.
func (e *examiner) failed(ctx context.Context, q Request, err error) error {
	switch {
	case err == nil:
		return nil
	case !apierrors.IsForbidden(err):
		return q.Explain(ctx, err, e.host)
	}
	right := doctor.Right{Verb: q.Verb, Group: q.Group, Resource: q.Resource, Namespace: q.Namespace}
	e.facts.Unseen = append(e.facts.Unseen, right)
	return nil
}

// workloads lists the workloads of all namespaces, or of the ConfigMap's namespace if the user may not list all. It
// lists Pods only in the ConfigMap's namespace, because Pods of other namespaces cannot mount the ConfigMap.
func (e *examiner) workloads(ctx context.Context) error {
	namespace := metav1.NamespaceAll
	deployments := func() error {
		return each(ctx, e.apps.Deployments(namespace).List, metav1.ListOptions{}, func(o *appsv1.Deployment) {
			e.add(&doctor.Workload{Kind: "Deployment", Ref: refOf(o), Pod: o.Spec.Template.Spec})
		})
	}
	q := Request{Verb: "list", Group: appsv1.GroupName, Resource: "deployments"}
	err := deployments()
	if apierrors.IsForbidden(err) {
		_ = e.failed(ctx, q, err) // nil for this error
		namespace = e.facts.ConfigMap.Namespace
		q.Namespace = namespace
		err = deployments()
	}
	if err != nil {
		return q.Explain(ctx, err, e.host)
	}
	q.Resource = "statefulsets"
	err = each(ctx, e.apps.StatefulSets(namespace).List, metav1.ListOptions{}, func(o *appsv1.StatefulSet) {
		e.add(&doctor.Workload{Kind: "StatefulSet", Ref: refOf(o), Pod: o.Spec.Template.Spec})
	})
	if err := e.failed(ctx, q, err); err != nil {
		return err
	}
	q.Resource = "daemonsets"
	err = each(ctx, e.apps.DaemonSets(namespace).List, metav1.ListOptions{}, func(o *appsv1.DaemonSet) {
		e.add(&doctor.Workload{Kind: "DaemonSet", Ref: refOf(o), Pod: o.Spec.Template.Spec})
	})
	if err := e.failed(ctx, q, err); err != nil {
		return err
	}
	q = Request{Verb: "list", Resource: "pods", Namespace: e.facts.ConfigMap.Namespace}
	return e.failed(ctx, q, each(ctx, e.core.Pods(q.Namespace).List, metav1.ListOptions{}, func(o *corev1.Pod) {
		e.add(ofPod(o))
	}))
}

// add keeps a workload if it concerns the ConfigMap. w may be nil.
func (e *examiner) add(w *doctor.Workload) {
	if w != nil && !slices.ContainsFunc(e.facts.Workloads, w.RunBy) && e.facts.Concerns(w) {
		e.facts.Workloads = append(e.facts.Workloads, *w)
	}
}

// ofPod returns the workload that runs a pod: the ReplicaSet of a Deployment or an Argo Rollout, or else the pod itself
// with its controller as the owner. It returns nil for a pod that has ended.
func ofPod(pod *corev1.Pod) *doctor.Workload {
	w := &doctor.Workload{Kind: "Pod", Ref: refOf(pod), Pod: pod.Spec}
	owner := metav1.GetControllerOf(pod)
	switch {
	case pod.Status.Phase == corev1.PodSucceeded, pod.Status.Phase == corev1.PodFailed:
		return nil
	case owner == nil:
		return w
	}
	w.Owner = owner.Kind + " " + owner.Name
	if hash := pod.Labels[appsv1.DefaultDeploymentUniqueLabelKey]; owner.Kind == "ReplicaSet" && hash != "" {
		w.Owner = "Deployment " + strings.TrimSuffix(owner.Name, "-"+hash)
	}
	// The API server does not check an owner's name, and people copy lines with it.
	if owner.Kind == "ReplicaSet" && len(validation.IsDNS1123Subdomain(owner.Name)) == 0 {
		w.Kind, w.Name = owner.Kind, owner.Name
	}
	return w
}

// keys looks for the Secrets and ConfigMaps that HolmesGPT's environment comes from.
func (e *examiner) keys(ctx context.Context) error {
	for _, o := range e.facts.References() {
		resource := o.KeysRight().Resource
		keys, err := e.keysOf(ctx, resource, o.Ref)
		switch {
		case apierrors.IsForbidden(err):
			keys = doctor.Keys{Unseen: true}
		case apierrors.IsNotFound(err):
			keys = doctor.Keys{}
		case err != nil:
			q := Request{Verb: "get", Resource: resource, Namespace: o.Namespace, Name: o.Name}
			return q.Explain(ctx, err, e.host)
		}
		e.facts.Keys[o] = keys
	}
	return nil
}

// asTable requests the format of kubectl get. It has the number of keys and the metadata of an object, but no values.
const asTable = "application/json;as=Table;v=v1;g=meta.k8s.io"

// keysOf reads the names of an object's keys from managedFields, where the API server records which manager has written
// a key. The number of keys shows whether the names are complete.
func (e *examiner) keysOf(ctx context.Context, resource string, ref backend.Ref) (keys doctor.Keys, err error) {
	get := e.core.RESTClient().Get().Namespace(ref.Namespace).Resource(resource).Name(ref.Name)
	raw, err := get.SetHeader("Accept", asTable).Do(ctx).Raw()
	if err != nil {
		return keys, err
	}
	var table metav1.Table
	var object metav1.PartialObjectMetadata
	if err = json.Unmarshal(raw, &table); err == nil && len(table.Rows) == 1 {
		err = json.Unmarshal(table.Rows[0].Object.Raw, &object)
	}
	if err != nil || len(table.Rows) != 1 {
		return keys, fmt.Errorf("%s %s: the API server's response is not a table of one row", resource, ref)
	}
	for _, entry := range object.ManagedFields {
		keys.Names = append(keys.Names, keysIn(entry.FieldsV1)...)
	}
	slices.Sort(keys.Names)
	keys.Exists, keys.Names = true, slices.Compact(keys.Names)
	column := slices.IndexFunc(table.ColumnDefinitions, func(c metav1.TableColumnDefinition) bool {
		return c.Name == "Data"
	})
	count := float64(-1)
	if cells := table.Rows[0].Cells; column >= 0 && column < len(cells) {
		count, _ = cells[column].(float64)
	}
	keys.Unlisted = count != float64(len(keys.Names))
	return keys, nil
}

// keysIn returns the keys of data among the fields that a manager has written.
func keysIn(fields *metav1.FieldsV1) (names []string) {
	var written map[string]map[string]json.RawMessage
	if fields == nil || json.Unmarshal(fields.GetRawBytes(), &written) != nil {
		return nil
	}
	for _, field := range []string{"f:data", "f:stringData", "f:binaryData"} {
		for key := range written[field] {
			if name, is := strings.CutPrefix(key, "f:"); is {
				names = append(names, name)
			}
		}
	}
	return names
}

// viewers finds the accounts that may read OpenShift's monitoring, if HolmesGPT needs to.
func (e *examiner) viewers(ctx context.Context) error {
	if len(e.facts.Needs.OpenShift) == 0 {
		return nil
	}
	right := doctor.BindingsRight()
	q := Request{Verb: right.Verb, Group: right.Group, Resource: right.Resource}
	err := each(ctx, e.rbac.ClusterRoleBindings().List, metav1.ListOptions{}, func(b *rbacv1.ClusterRoleBinding) {
		if slices.Contains(doctor.ViewerRoles(), b.RoleRef.Name) {
			e.facts.Viewers = append(e.facts.Viewers, b.Subjects...)
		}
	})
	return e.failed(ctx, q, err)
}
