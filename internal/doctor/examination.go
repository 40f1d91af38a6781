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
	m, volume := e.facts.mount(e.workload, e.container)
	if m == nil {
		e.add(Check{Level: Todo, Code: CodeNotMounted, Want: e.directory(nil)})
		return false
	}
	file := toolset.KeyHolmesGPT
	if items := volume.ConfigMap.Items; len(items) > 0 {
		i := slices.IndexFunc(items, func(k corev1.KeyToPath) bool { return k.Key == toolset.KeyHolmesGPT })
		if i < 0 {
			e.add(Check{Level: Todo, Code: CodeItems, Name: volume.Name, Want: toolset.KeyHolmesGPT})
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
	case volume.ConfigMap.Optional != nil && *volume.ConfigMap.Optional:
		e.add(Check{Level: Todo, Code: CodeOptional, Name: volume.Name})
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

// setting adds the check that judge makes of a variable's value, or missing if the variable is not set.
func (e *examination) setting(name string, missing Code, want string, judge func(value string) (Level, Code)) {
	value, set, known := e.value(name)
	c := Check{Name: name, Value: value, Want: want}
	switch {
	case !set:
		c.Level, c.Code = Todo, missing
	case !known:
		c.Level, c.Code = Unseen, CodeSettingElsewhere
	default:
		c.Level, c.Code = judge(value)
	}
	e.add(c)
}

func (e *examination) location(file string) {
	e.setting(Location, CodeLocationMissing, file, func(value string) (Level, Code) {
		if path.Clean(value) != path.Clean(file) {
			return Todo, CodeLocationWrong
		}
		return OK, CodeSetting
	})
}

func (e *examination) interval() {
	e.setting(Interval, CodeIntervalMissing, "60", func(value string) (Level, Code) {
		if seconds, err := strconv.Atoi(value); err != nil || seconds <= 0 || seconds > longInterval {
			return Todo, CodeIntervalLong
		}
		return OK, CodeSetting
	})
}

func (e *examination) patience() {
	e.setting(Patience, CodePatienceMissing, "600", func(string) (Level, Code) { return OK, CodeSetting })
}

// value returns the value of a variable. known is false if another object holds the value.
func (e *examination) value(name string) (value string, set, known bool) {
	for _, v := range slices.Backward(e.container.Env) { // of two the last counts
		if v.Name == name {
			return v.Value, true, v.ValueFrom == nil
		}
	}
	return "", e.from(name).Level != Todo, false
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

// variable checks that a variable is set, and that the object it comes from exists.
func (e *examination) variable(name string) Check {
	sources, set := e.sources(name)
	switch {
	case set && len(sources) > 0:
		return e.reference(name, sources[0])
	case set:
		return Check{Level: OK, Code: CodeVariable, Name: name}
	}
	return e.from(name)
}

func (e *examination) reference(name string, from source) Check {
	c := Check{Level: Todo, Name: name, Object: from.Object, Key: from.key}
	switch keys := e.facts.Keys[c.Object]; {
	case keys.Unseen:
		c.Level, c.Code, c.Right = Unseen, CodeObjectUnseen, keysRight(c.Object)
	case !keys.Exists:
		c.Code = CodeObjectMissing
	case slices.Contains(keys.Names, from.key):
		c.Level, c.Code = OK, CodeVariable
	case keys.Unlisted:
		c.Level, c.Code = Unseen, CodeKeyUnlisted
	default:
		c.Code = CodeKeyMissing
	}
	return c
}

// from looks for a variable in envFrom. A variable that is not found can be in a source that is unreadable or missing.
func (e *examination) from(name string) Check {
	best := Check{Level: Todo, Code: CodeVariableMissing, Name: name}
	sources, _ := e.sources(name)
	for _, source := range sources {
		switch c := e.reference(name, source); {
		case c.Level == OK:
			return c
		case c.Level == Unseen, c.Code == CodeObjectMissing && best.Level == Todo:
			best = c
		}
	}
	return best
}

// source is a key from which a variable can get its value.
type source struct {
	Object
	key string
}

// sources returns where a variable can get its value. set is true if env sets it: then there is one source, or none for
// plain text. Otherwise the sources are those of envFrom.
func (e *examination) sources(name string) (list []source, set bool) {
	add := func(kind, object, key string) { list = append(list, source{e.workload.object(kind, object), key}) }
	for _, v := range slices.Backward(e.container.Env) {
		switch from := v.ValueFrom; {
		case v.Name != name:
			continue
		case from != nil && from.SecretKeyRef != nil:
			add(KindSecret, from.SecretKeyRef.Name, from.SecretKeyRef.Key)
		case from != nil && from.ConfigMapKeyRef != nil:
			add(KindConfigMap, from.ConfigMapKeyRef.Name, from.ConfigMapKeyRef.Key)
		}
		return list, true
	}
	for _, from := range e.container.EnvFrom {
		key, fits := strings.CutPrefix(name, from.Prefix)
		switch {
		case !fits:
		case from.SecretRef != nil && from.SecretRef.Name != "":
			add(KindSecret, from.SecretRef.Name, key)
		case from.ConfigMapRef != nil && from.ConfigMapRef.Name != "":
			add(KindConfigMap, from.ConfigMapRef.Name, key)
		}
	}
	return list, false
}

// authority checks that HolmesGPT trusts a private authority. It cannot check which one.
func (e *examination) authority() {
	if len(e.facts.Needs.Authority) == 0 {
		return
	}
	c := Check{Level: Todo, Code: CodeAuthorityMissing}
	for _, name := range authorityVariables() {
		if found := e.variable(name); found.Code != CodeVariableMissing {
			c = found
			break
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
	e.setting(OpenShift, CodeOpenShiftMissing, "True", func(value string) (Level, Code) {
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
