package doctor

import (
	"cmp"
	"path"
	"slices"
	"strconv"
	"strings"

	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"

	"kubernaut.io/dynamic-toolset/internal/toolset"
)

// The checked variables of HolmesGPT's environment, named as in its source.
const (
	Location  = "CUSTOM_TOOLSET_LOCATION"
	Interval  = "TOOLSET_STATUS_REFRESH_INTERVAL_SECONDS"
	Patience  = "HOLMES_TOOLSET_PREREQ_TIMEOUT_SECONDS"
	OpenShift = "IS_OPENSHIFT"
)

// MountPath is the directory in HolmesGPT's container at which this service advises to mount the ConfigMap.
const MountPath = "/etc/holmes/dynamic"

// defaultLocation is the file that HolmesGPT reads without Location (holmes/utils/definitions.py).
const defaultLocation = "/etc/holmes/config/custom_toolset.yaml"

// longInterval is longer than the interval that this service recommends, in seconds.
const longInterval = 120

// examination checks one workload.
type examination struct {
	facts     *Facts
	workload  *Workload
	container *corev1.Container
	checks    []Check
}

func (e *examination) add(c Check) {
	c.Workload = e.workload
	e.checks = append(e.checks, c)
}

func (e *examination) run() {
	if file := written(e.workload, e.container); file != "" {
		e.add(Check{Level: OK, Code: CodeSidecar, Name: path.Dir(file)})
		e.location(file)
		e.patience() // and no interval: the sidecar has HolmesGPT read the file at once
		e.add(Check{Level: Unseen, Code: CodeSidecarDocument, Name: file, Value: e.container.Name})
		return
	}
	if e.workload.Namespace != e.facts.ConfigMap.Namespace {
		e.elsewhere()
		return
	}
	e.mount()
	e.interval()
	e.patience()
	e.variables()
	e.authority()
	e.openShift()
}

// elsewhere adds the check of a HolmesGPT in another namespace than the ConfigMap's. Nothing is to do if another
// HolmesGPT runs beside the ConfigMap.
func (e *examination) elsewhere() {
	for _, other := range e.facts.agents() {
		if other.Namespace == e.facts.ConfigMap.Namespace {
			e.add(Check{Level: OK, Code: CodeOtherAgent})
			return
		}
	}
	e.add(Check{Level: Todo, Code: CodeOtherNamespace})
}

// mount checks how the container gets the document.
func (e *examination) mount() {
	m, what := e.facts.mount(e.workload, e.container)
	file := toolset.KeyHolmesGPT
	if m == nil {
		e.add(Check{Level: Todo, Code: CodeNotMounted, Want: MountPath})
		e.location(path.Join(MountPath, file)) // once it is mounted
		return
	}
	if items := what.Items; len(items) > 0 {
		i := slices.IndexFunc(items, func(k corev1.KeyToPath) bool { return k.Key == toolset.KeyHolmesGPT })
		if i < 0 {
			e.add(Check{Level: Todo, Code: CodeItems, Name: m.Name, Want: toolset.KeyHolmesGPT})
			return
		}
		file = items[i].Path
	}
	switch {
	case !isDirectory(m):
		e.add(Check{Level: Todo, Code: CodeSubPath, Value: cmp.Or(m.SubPath, m.SubPathExpr), Want: MountPath})
		e.location(path.Join(MountPath, file)) // once the directory is mounted
		return
	case what.Optional != nil && *what.Optional:
		e.add(Check{Level: Todo, Code: CodeOptional, Name: m.Name})
	default:
		e.add(Check{Level: OK, Code: CodeMounted, Name: m.MountPath})
	}
	e.location(path.Join(m.MountPath, file))
}

// setting adds the check of a variable whose value is known if it is plain text. missing and wrong are the outcomes for
// no value and for one that is not good.
func (e *examination) setting(name, want string, missing, wrong Code, good func(value string) bool) {
	c := Check{Level: OK, Code: CodeSetting, Name: name, Want: want}
	plain, _, set := e.lookup(name)
	found := e.variable(name)
	switch {
	case plain != nil:
		if c.Value = *plain; !good(c.Value) {
			c.Level, c.Code = Todo, wrong
		}
	case found.Level == Todo && !set:
		if c.Code = missing; missing != CodeLocationDefault {
			c.Level = Todo
		}
	case found.Level == OK:
		c.Level, c.Code = Unseen, CodeSettingElsewhere
	default: // its object is missing, or the user may not read it
		c = found
	}
	e.add(c)
}

func (e *examination) location(file string) {
	missing := CodeLocationMissing
	if file == defaultLocation {
		missing = CodeLocationDefault
	}
	e.setting(Location, file, missing, CodeLocationWrong, func(v string) bool { return path.Clean(v) == file })
}

func (e *examination) interval() {
	e.setting(Interval, "60", CodeIntervalMissing, CodeIntervalLong, func(v string) bool {
		seconds, err := strconv.Atoi(v)
		return err == nil && 0 < seconds && seconds <= longInterval
	})
}

// patience checks a variable of which HolmesGPT takes empty for not set.
func (e *examination) patience() {
	e.setting(Patience, "600", CodePatienceMissing, CodePatienceMissing, func(v string) bool { return v != "" })
}

// variables checks each variable that the document refers to: a missing one disables a whole toolset.
func (e *examination) variables() {
	before := ""
	for _, v := range e.facts.Needs.Variables { // by name
		if v.Name != before {
			c := e.variable(v.Name)
			c.Toolset = v.Toolset
			e.add(c)
		}
		before = v.Name
	}
}

// authority checks that HolmesGPT trusts a private authority. It cannot check which one.
func (e *examination) authority() {
	if len(e.facts.Needs.Authority) == 0 {
		return
	}
	c := Check{Level: Todo, Code: CodeAuthorityMissing}
	for _, name := range authorityVariables() { // one of them is enough
		switch found := e.variable(name); {
		case found.Code == CodeVariableMissing, found.Code == CodeVariableEmpty, c.Level == OK:
		case c.Code == CodeAuthorityMissing, found.Level == OK, found.Level == Unseen && c.Level == Todo:
			c = found
		}
	}
	c.Hosts = e.facts.Needs.Authority
	e.add(c)
}

func (e *examination) openShift() {
	hosts := e.facts.Needs.OpenShift
	if len(hosts) == 0 {
		return
	}
	e.setting(OpenShift, "True", CodeOpenShiftMissing, CodeOpenShiftMissing,
		func(v string) bool { return strings.EqualFold(v, "true") })
	account := cmp.Or(e.workload.Pod.ServiceAccountName, "default")
	c := Check{Level: Todo, Code: CodeBindingMissing, Name: account, Hosts: hosts}
	for _, s := range e.facts.Viewers {
		if isAccount(&s, e.workload.Namespace, account) {
			c.Level, c.Code = OK, CodeBinding
		}
	}
	if r := BindingsRight(); c.Level == Todo && e.facts.unseen(r.Resource) {
		c.Level, c.Code, c.Right = Unseen, CodeBindingUnseen, r
	}
	e.add(c)
}

// BindingsRight returns the right that a user needs to see who may read OpenShift's monitoring.
func BindingsRight() Right {
	return Right{Verb: "list", Group: rbacv1.GroupName, Resource: "clusterrolebindings"}
}

// isAccount reports whether a subject is a ServiceAccount, by its name or by one of its groups.
func isAccount(s *rbacv1.Subject, namespace, account string) bool {
	switch s.Kind {
	case rbacv1.ServiceAccountKind:
		return s.Namespace == namespace && s.Name == account
	case rbacv1.UserKind:
		return s.Name == "system:serviceaccount:"+namespace+":"+account
	case rbacv1.GroupKind:
		return slices.Contains([]string{
			"system:authenticated", "system:serviceaccounts", "system:serviceaccounts:" + namespace,
		}, s.Name)
	}
	return false
}

// ViewerRoles are the ClusterRoles that let a ServiceAccount read all of OpenShift's monitoring.
func ViewerRoles() []string { return []string{"cluster-monitoring-view", "cluster-admin"} }
