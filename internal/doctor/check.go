package doctor

import "slices"

// Level is the result of a check.
type Level string

// Levels.
const (
	OK     Level = "ok"
	Todo   Level = "todo"
	Unseen Level = "unseen" // the user may not read what it needs
)

// Code names a check and its outcome.
type Code string

// Codes.
const (
	CodePublished        Code = "published"
	CodeConfigMapMissing Code = "configmap-missing"
	CodeConfigMapUnseen  Code = "configmap-unseen"
	CodeNothingPublished Code = "nothing-published" // the ConfigMap has no document
	CodeNoAgent          Code = "no-agent"
	CodeSeveralAgents    Code = "several-agents"
	CodeOtherNamespace   Code = "other-namespace" // where no pod can mount the ConfigMap
	CodeOtherAgent       Code = "other-agent"     // in another namespace, beside one that can mount the ConfigMap
	CodeNotMounted       Code = "not-mounted"
	CodeSubPath          Code = "sub-path"
	CodeItems            Code = "items" // the mount leaves the document out
	CodeOptional         Code = "optional"
	CodeMounted          Code = "mounted"
	CodeSidecar          Code = "sidecar" // a container beside HolmesGPT writes the document
	CodeSidecarDocument  Code = "sidecar-document"
	CodeSetting          Code = "setting"           // a variable has a good value
	CodeSettingElsewhere Code = "setting-elsewhere" // a variable's value comes from another object
	CodeLocationDefault  Code = "location-default"  // HolmesGPT reads the mounted file without a variable
	CodeLocationMissing  Code = "location-missing"
	CodeLocationWrong    Code = "location-wrong"
	CodeIntervalMissing  Code = "interval-missing"
	CodeIntervalLong     Code = "interval-long"
	CodePatienceMissing  Code = "patience-missing" // the time that a toolset's checks may take in all
	CodeVariableMissing  Code = "variable-missing"
	CodeVariableEmpty    Code = "variable-empty"
	CodeObjectMissing    Code = "object-missing" // the Secret or ConfigMap that a variable comes from
	CodeKeyMissing       Code = "key-missing"
	CodeKeyUnlisted      Code = "key-unlisted"
	CodeObjectUnseen     Code = "object-unseen"
	CodeVariable         Code = "variable"
	CodeAuthorityMissing Code = "authority-missing"
	CodeOpenShiftMissing Code = "openshift-missing"
	CodeBindingMissing   Code = "binding-missing"
	CodeBindingUnseen    Code = "binding-unseen"
	CodeBinding          Code = "binding"
	CodeUnseen           Code = "unseen"
)

// Check is one check with its result.
type Check struct {
	Level    Level
	Code     Code
	Workload *Workload // nil where it is about none
	Name     string    // a variable, a volume, a path
	Value    string    // what stands there
	Want     string    // what should
	Object   Object    // what Name refers to
	Key      string    // of Object
	Possible bool      // whether Name is in Object is not known: another object can hold it
	Toolset  string    // what is lost without it
	Hosts    []string  // for which it is needed
	Right    Right     // that is missing
	Count    int
}

// Examine runs all checks, in the order in which a person would fix problems.
func Examine(f *Facts) (checks []Check) {
	agents := f.agents()
	if !slices.ContainsFunc(agents, func(w *Workload) bool { return written(w, f.container(w)) != "" }) || f.Exists {
		checks = append(checks, f.published()...)
	}
	switch {
	case len(agents) == 0:
		checks = append(checks, Check{Level: Todo, Code: CodeNoAgent})
	case len(agents) > 1:
		checks = append(checks, Check{Level: OK, Code: CodeSeveralAgents, Count: len(agents)})
	}
	for _, w := range agents {
		e := examination{facts: f, workload: w, container: f.container(w)}
		e.run()
		checks = append(checks, e.checks...)
	}
	for _, r := range f.Unseen {
		if r.Resource != "configmaps" && r != BindingsRight() { // which are said where they matter
			checks = append(checks, Check{Level: Unseen, Code: CodeUnseen, Right: r})
		}
	}
	return checks
}

func (f *Facts) published() []Check {
	switch {
	case f.unseen("configmaps"):
		right := Object{KindConfigMap, f.ConfigMap}.KeysRight()
		return []Check{{Level: Unseen, Code: CodeConfigMapUnseen, Right: right}}
	case !f.Exists:
		return []Check{{Level: Todo, Code: CodeConfigMapMissing}}
	case f.Document == "":
		return []Check{{Level: Todo, Code: CodeNothingPublished}}
	}
	return []Check{{Level: OK, Code: CodePublished, Count: f.Needs.Toolsets}}
}

// Done reports whether no check found a problem.
func Done(checks []Check) bool {
	return !slices.ContainsFunc(checks, func(c Check) bool { return c.Level == Todo })
}

// KeysRight returns the right that a user needs to read the keys of an Object.
func (o Object) KeysRight() Right {
	resource := map[string]string{KindSecret: "secrets", KindConfigMap: "configmaps"}[o.Kind]
	return Right{Verb: "get", Resource: resource, Namespace: o.Namespace}
}
