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
	if !e.mounted() {
		return
	}
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

// mounted checks how the container gets the document. Without a mount the examination ends.
func (e *examination) mounted() bool {
	m, what := e.facts.mount(e.workload, e.container)
	if m == nil {
		e.add(Check{Level: Todo, Code: CodeNotMounted, Want: e.directory(nil)})
		return false
	}
	file := toolset.KeyHolmesGPT
	if items := what.Items; len(items) > 0 {
		i := slices.IndexFunc(items, func(k corev1.KeyToPath) bool { return k.Key == toolset.KeyHolmesGPT })
		if i < 0 {
			e.add(Check{Level: Todo, Code: CodeItems, Name: m.Name, Want: toolset.KeyHolmesGPT})
			return true
		}
		file = items[i].Path
	}
	switch {
	case !isDirectory(m):
		dir := e.directory(m)
		e.add(Check{Level: Todo, Code: CodeSubPath, Value: cmp.Or(m.SubPath, m.SubPathExpr), Want: dir})
		e.location(path.Join(dir, file)) // once the directory is mounted
		return true
	case what.Optional != nil && *what.Optional:
		e.add(Check{Level: Todo, Code: CodeOptional, Name: m.Name})
	default:
		e.add(Check{Level: OK, Code: CodeMounted, Name: m.MountPath})
	}
	e.location(path.Join(m.MountPath, file))
	return true
}

// directory returns the directory at which to mount the ConfigMap instead of by m, which may be nil. It is not the
// directory of m's file, because a mount there can hide files of the image, and not that of another mount, because
// Kubernetes refuses two mounts at one path.
func (e *examination) directory(m *corev1.VolumeMount) string {
	dir := MountPath
	for slices.ContainsFunc(e.container.VolumeMounts, func(other corev1.VolumeMount) bool {
		return path.Clean(other.MountPath) == dir && (m == nil || other.MountPath != m.MountPath)
	}) {
		dir += "-toolsets"
	}
	return dir
}

// setting adds the check that judge makes of a variable's plain value, or of the variable if it is not set.
func (e *examination) setting(name, want string, judge func(value string, set bool) (Level, Code)) {
	c := Check{Name: name, Want: want}
	plain, _, set := e.lookup(name)
	switch found := e.variable(name); {
	case plain != nil:
		c.Value = *plain
		c.Level, c.Code = judge(c.Value, true)
	case found.Level == Todo && !set:
		c.Level, c.Code = judge("", false)
	case found.Level == OK:
		c.Level, c.Code = Unseen, CodeSettingElsewhere
	default: // its object is missing, or the user may not read it
		c = found
	}
	e.add(c)
}

func (e *examination) location(file string) {
	e.setting(Location, file, func(value string, set bool) (Level, Code) {
		switch {
		case !set && path.Clean(file) == defaultLocation:
			return OK, CodeLocationDefault
		case !set:
			return Todo, CodeLocationMissing
		case path.Clean(value) != path.Clean(file):
			return Todo, CodeLocationWrong
		}
		return OK, CodeSetting
	})
}

func (e *examination) interval() {
	e.setting(Interval, "60", func(value string, set bool) (Level, Code) {
		if !set {
			return Todo, CodeIntervalMissing
		}
		if seconds, err := strconv.Atoi(value); err != nil || seconds <= 0 || seconds > longInterval {
			return Todo, CodeIntervalLong
		}
		return OK, CodeSetting
	})
}

func (e *examination) patience() {
	e.setting(Patience, "600", func(value string, _ bool) (Level, Code) {
		if value == "" { // HolmesGPT makes no difference between empty and not set
			return Todo, CodePatienceMissing
		}
		return OK, CodeSetting
	})
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
	e.setting(OpenShift, "True", func(value string, _ bool) (Level, Code) {
		if !strings.EqualFold(value, "true") {
			return Todo, CodeOpenShiftMissing
		}
		return OK, CodeSetting
	})
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
