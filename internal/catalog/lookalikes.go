package catalog

import (
	"slices"
	"strings"
)

// Lookalikes holds what is true of every type: conventions of naming, and the parts of observability software that look
// like a backend but answer no queries. It is read from lookalikes.yaml.
type Lookalikes struct {
	// AppLabels are the label and selector keys whose value names the software.
	AppLabels []string `yaml:"appLabels"`
	// ComponentLabels are those whose value names the part of it.
	ComponentLabels []string `yaml:"componentLabels"`
	// OwnLabels are the last parts of keys with a prefix of an operator's own, "monitoring.example.org/component",
	// that are read as app.kubernetes.io/component is.
	OwnLabels []string `yaml:"ownLabels"`
	// Neutral endings change nothing about what a name means: "grafana-svc" is "grafana".
	Neutral []string `yaml:"neutral"`
	// Roles that answer no queries, told by the last word of a name.
	Roles []Role `yaml:"roles"`
	// Schemes tells by annotations what the pods speak, the first that matches: rules with annotations and a scheme.
	Schemes []Rule `yaml:"schemes"`
	// Wants tells what backends want of their clients, before they are asked.
	Wants []Want `yaml:"wants"`
	// Ports that never serve a query API over HTTP, unless a type names them itself.
	Ports struct {
		Names   []string `yaml:"names"`
		Numbers []int32  `yaml:"numbers"`
	} `yaml:"ports"`
}

// Want is something that the Services which fit want of their clients: credentials, or trust in an authority.
type Want struct {
	Labels      map[string]Values `yaml:"labels"`
	Annotations map[string]Values `yaml:"annotations"`
	Credential  string            `yaml:"credential"` // bearer or basic
	CA          bool              `yaml:"ca"`         // trust in the authority that signs its certificate
	What        string            `yaml:"what"`       // it, and where it comes from, for people
}

// Role is a part that software comes in, and why it is no backend.
type Role struct {
	Words   []string `yaml:"words"`
	Because string   `yaml:"because"`
	// Always: told of any Service that is one, also where nothing else reminds of a backend.
	Always bool `yaml:"always"`
}

// ReadsKey reports whether a label's key is read as one of AppLabels because of how it ends. It does not allocate.
func (l *Lookalikes) ReadsKey(key string) bool {
	i := strings.LastIndexByte(key, '/')
	return i > 0 && slices.Contains(l.OwnLabels, key[i+1:])
}
