package view

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"

	"kubernaut.io/dynamic-toolset/internal/agent"
	"kubernaut.io/dynamic-toolset/internal/doctor"
	"kubernaut.io/dynamic-toolset/internal/safetext"
)

// Doctor reports whether HolmesGPT can use what is published.
type Doctor struct {
	Well   bool          `json:"well"` // no check found anything to do
	Checks []DoctorCheck `json:"checks"`
}

// DoctorCheck is the result of one check.
type DoctorCheck struct {
	Level   string   `json:"level"` // ok, todo or unseen
	Code    string   `json:"code"`
	About   string   `json:"about"` // kind namespace/name, or the user's rights
	Message string   `json:"message"`
	Advice  []Advice `json:"advice"`
}

// NewDoctor describes the checks of the workloads that read a ConfigMap.
func NewDoctor(f *doctor.Facts, checks []doctor.Check) Doctor {
	d := Doctor{Well: doctor.Done(checks), Checks: make([]DoctorCheck, 0, len(checks))}
	for i := range checks {
		c := &checks[i]
		shown := DoctorCheck{
			Level: string(c.Level), Code: string(c.Code),
			About: "ConfigMap " + f.ConfigMap.String(), Advice: []Advice{},
		}
		switch {
		case c.Workload != nil:
			shown.About = c.Workload.Kind + " " + c.Workload.Ref.String()
		case c.Code == doctor.CodeUnseen:
			shown.About = "Your rights"
		}
		text := doctorTexts[c.Code]
		put := placeholders(f, c)
		shown.Message = put.Replace(text.message)
		if text.advice != "" {
			shown.Advice = append(shown.Advice, Advice{put.Replace(text.advice), put.Replace(text.command)})
		}
		d.Checks = append(d.Checks, shown)
	}
	return d
}

// AddAgent adds HolmesGPT's own state of the document; nil if no request was sent to HolmesGPT.
// Without a generation marker in the published document, the answer does not show whether HolmesGPT has it.
func (d *Doctor) AddAgent(a *Agent) {
	if a == nil {
		return
	}
	add := func(level doctor.Level, code, about, message string, advice []Advice) {
		d.Well = d.Well && level != doctor.Todo
		if advice == nil {
			advice = []Advice{}
		}
		d.Checks = append(d.Checks,
			DoctorCheck{Level: string(level), Code: code, About: about, Message: message, Advice: advice})
	}
	if len(a.Replicas) == 0 {
		add(doctor.Unseen, "agent-not-found", "HolmesGPT itself", a.Message,
			[]Advice{{"Look at the state of its toolsets on its own page or in its log, " +
				"or set its URL in holmesgpt.url.", ""}})
	}
	for i := range a.Replicas {
		r := &a.Replicas[i]
		about, level := "HolmesGPT at "+r.URL, doctor.Todo
		if r.Version != "" {
			about += ", version " + r.Version
		}
		switch agent.Outcome(r.Outcome) {
		case agent.Loaded:
			level = doctor.OK
		case agent.Waiting, agent.Away, agent.TooOld, agent.WantsKey, agent.Unreadable: // no fault of the installation
			level = doctor.Unseen
		}
		code, message, advice := "agent-"+r.Outcome, r.Message, r.Advice
		if a.Generation == "" && (level == doctor.OK || r.Outcome == string(agent.NoDocument)) {
			level, code = doctor.Unseen, "agent-unmarked"
			message = fmt.Sprintf("%d of %d toolsets enabled; which document it has is not known, "+
				"because the published document has no generation marker", r.Enabled, r.Total)
			advice = []Advice{{"Have this service write the marker:", "holmesgpt: {generationMarker: true}"}}
		}
		add(level, code, about, message, advice)
		for j := range r.Toolsets {
			t := &r.Toolsets[j]
			if t.Status == agent.StatusFailed {
				add(doctor.Todo, "agent-toolset-failed", about,
					"it cannot use "+t.Name+": "+cmp.Or(t.Error, "it does not say why"), t.Advice)
			}
			for _, failing := range t.Instances {
				add(doctor.Todo, "agent-instance-failed", about,
					"it cannot use "+failing.Name+" of "+t.Name+": "+failing.Error, failing.Advice)
			}
		}
	}
}

// placeholders returns the values for the names in angle brackets. Owners of workloads choose some of the values, so
// lines to copy get them in quotes.
func placeholders(f *doctor.Facts, c *doctor.Check) *strings.Replacer {
	const limit = 200
	clean := func(s string) string { return safetext.Clean(s, limit) }
	namespace, workload := f.ConfigMap.Namespace, ""
	if c.Workload != nil {
		namespace, workload = c.Workload.Namespace, strings.ToLower(c.Workload.Kind)+"/"+c.Workload.Name
	}
	toolsets := fmt.Sprintf("%d toolsets", c.Count)
	if c.Count == 1 {
		toolsets = "1 toolset"
	}
	kind, from := strings.ToLower(c.Object.Kind), ""
	if c.Object.Kind != "" {
		from = ", from " + c.Object.Kind + " " + c.Object.Ref.String()
	}
	if c.Object.Kind == doctor.KindSecret {
		kind += " generic"
	}
	comes, loss := "comes", "the variable is not set"
	if c.Possible {
		comes = "could come"
	}
	if c.Toolset != "" {
		loss = "HolmesGPT fails toolset " + clean(c.Toolset) + " with all its instances"
	}
	return strings.NewReplacer("<configmap>", f.ConfigMap.String(), "<configmap-name>", f.ConfigMap.Name,
		"<configmap-namespace>", f.ConfigMap.Namespace, "<namespace>", namespace, "<workload>", workload,
		"<name>", clean(c.Name), "<value>", cmp.Or(clean(c.Value), "empty"), "<want>", clean(c.Want),
		"<toolset>", clean(c.Toolset), "<name-quoted>", literal(c.Name), "<want-quoted>", literal(c.Want),
		"<object>", c.Object.Kind+" "+c.Object.Ref.String(), "<object-name>", c.Object.Name,
		"<kind>", kind, "<kind-name>", strings.ToLower(c.Object.Kind), "<from>", from, "<comes>", comes,
		"<key>", clean(c.Key), "<loss>", loss, "<hosts>", strings.Join(c.Hosts, ", "),
		"<count>", strconv.Itoa(c.Count), "<toolsets>", toolsets, "<right>", rightText(c.Right),
		"<can-i>", canI(c.Right))
}

// literal returns a path as it is, and any other text in single quotes, which neither YAML nor a shell expands.
func literal(s string) string {
	if safetext.IsPath(s, "") {
		return s
	}
	return "'" + strings.ReplaceAll(safetext.Clean(s, 200), "'", "") + "'"
}

// rightText describes a right.
func rightText(r doctor.Right) string {
	if r.Namespace == "" {
		return fmt.Sprintf("%s %s in all namespaces", r.Verb, r.Resource)
	}
	return fmt.Sprintf("%s %s in namespace %s", r.Verb, r.Resource, r.Namespace)
}

// canI returns the command that shows whether the user has a right.
func canI(r doctor.Right) string {
	resource := r.Resource
	if r.Group != "" {
		resource += "." + r.Group
	}
	where := "-A"
	if r.Namespace != "" {
		where = "-n " + r.Namespace
	}
	return fmt.Sprintf("kubectl auth can-i %s %s %s", r.Verb, resource, where)
}
