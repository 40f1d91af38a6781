// Package rights puts into words what the API server does not allow this process.
package rights

import (
	"errors"
	"fmt"
	"regexp"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
)

// refusal is how the API server says that nobody has granted a right. Its status names neither the verb nor the namespace.
var refusal = regexp.MustCompile(`User "([^"]*)" cannot (\S+) resource "([^"]+)" in API group "([^"]*)" (?:in the namespace "([^"]+)"|at the cluster scope)`)

// needed are the verbs of the rule that gives all rights to a resource at once: with one alone the next would be missing.
func needed(resource, verb string) string {
	switch resource {
	case "services":
		return "get, list, watch"
	case "endpointslices":
		return "list, watch"
	case "configmaps":
		return "get, list, watch, create, patch"
	case "leases":
		return "get, create, patch, update"
	}
	return verb
}

// Missing is the right that an answer of the API server says is missing, and the rule that gives it, in one line: may not
// watch services in namespace team: give USER a Role there with {…}. It is "" for any other error.
func Missing(err error) string {
	if !apierrors.IsForbidden(err) {
		return ""
	}
	m := refusal.FindStringSubmatch(err.Error())
	if m == nil {
		return "" // an admission webhook, or something else that is no right
	}
	user, verb, resource, group, namespace := m[1], m[2], m[3], m[4], m[5]
	name := ""
	if status := apierrors.APIStatus(nil); errors.As(err, &status) && status.Status().Details != nil {
		name = status.Status().Details.Name
	}
	rule := []string{fmt.Sprintf("apiGroups: [%q]", group), "resources: [" + resource + "]"}
	where := " in all namespaces"
	switch {
	case namespace != "" && name != "":
		where = " " + namespace + "/" + name
	case namespace != "":
		where = " in namespace " + namespace
	}
	if name != "" && (resource == "configmaps" || resource == "leases") { // of the others any may be read
		rule = append(rule, "resourceNames: ["+name+"]")
	}
	rule = append(rule, "verbs: ["+needed(resource, verb)+"]")
	role := "a Role in " + namespace
	if namespace == "" {
		role = "a ClusterRole"
	}
	text := fmt.Sprintf("may not %s %s%s: give %s %s with {%s}", verb, resource, where, user, role, strings.Join(rule, ", "))
	if namespace == "" && (resource == "services" || resource == "endpointslices") {
		text += ", or name the namespaces that it may watch in discovery.namespaces"
	}
	return text
}

// Explain is err in the words of Missing, where it says that a right is missing; err stays in the chain.
func Explain(err error) error {
	if text := Missing(err); text != "" {
		return explained{text, err}
	}
	return err
}

type explained struct {
	text string
	err  error
}

func (e explained) Error() string { return e.text }
func (e explained) Unwrap() error { return e.err }
