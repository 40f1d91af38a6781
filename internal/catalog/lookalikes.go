package catalog

import (
	"slices"
	"strings"
)

// Lookalikes holds what is true for every type: naming conventions, and the parts of observability software that look
// like a backend but answer no queries. It is read from lookalikes.yaml.
type Lookalikes struct {
	// AppLabels are the label and selector keys whose value names the software.
	AppLabels []string `yaml:"appLabels"`
	// ComponentLabels are the label and selector keys whose value names a part of the software.
	ComponentLabels []string `yaml:"componentLabels"`
	// OwnLabels are the last parts of keys with an operator's own prefix, such as "monitoring.example.org/component".
	// They are read like app.kubernetes.io/component.
	OwnLabels []string `yaml:"ownLabels"`
	// Kinds are endings that say only what kind of Service it is, such as "headless". They are neutral too.
	Kinds []string `yaml:"kinds"`
	// Neutral endings do not change the meaning of a name: "grafana-svc" means "grafana".
	Neutral []string `yaml:"neutral"`
	// Roles are parts that answer no queries, recognised by the last word of a name.
	Roles []Role `yaml:"roles"`
	// Schemes are rules with annotations and a scheme: the first that matches gives the scheme that the pods serve.
	Schemes []Rule `yaml:"schemes"`
	// Wants are the requirements that backends are known to have of their clients before a probe.
	Wants []Want `yaml:"wants"`
	// Ports that never serve a query API over HTTP, unless a type names them itself.
	Ports struct {
		Names   []string `yaml:"names"`
		Numbers []int32  `yaml:"numbers"`
	} `yaml:"ports"`
}

// Want is a requirement that the matching Services have of their clients: credentials, or trust in an authority.
type Want struct {
	Labels      map[string]Values `yaml:"labels"`
	Annotations map[string]Values `yaml:"annotations"`
	Credential  string            `yaml:"credential"` // bearer or basic
	CA          bool              `yaml:"ca"`         // trust in the authority that signs its certificate
	What        string            `yaml:"what"`       // the requirement and its source, for people
}

// Role is a part of some software, and why it is not a backend.
type Role struct {
	Words   []string `yaml:"words"`
	Because string   `yaml:"because"`
	// Always: reported for any Service that has the role, even if nothing else about it looks like a backend.
	Always bool `yaml:"always"`
	// Labelled: a label names the role wherever a chart or an operator brings the part along, so beside strong evidence
	// the Service's name says nothing about it.
	Labelled bool `yaml:"labelled"`
}

// ReadsKey reports whether a label's key is read like one of AppLabels because of its ending. It does not allocate.
func (l *Lookalikes) ReadsKey(key string) bool {
	i := strings.LastIndexByte(key, '/')
	return i > 0 && slices.Contains(l.OwnLabels, key[i+1:])
}
