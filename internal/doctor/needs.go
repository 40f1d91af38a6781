package doctor

import (
	"net/url"
	"slices"
	"strings"

	yaml "go.yaml.in/yaml/v3"

	"kubernaut.io/dynamic-toolset/internal/toolset"
)

// Needs lists what a document requires of HolmesGPT's environment.
type Needs struct {
	Toolsets  int // and MCP servers
	Variables []toolset.Variable
	// Authority are hosts within the cluster whose certificates are checked. No public authority signs such names.
	Authority []string
	// OpenShift are hosts of OpenShift's monitoring to which HolmesGPT sends its ServiceAccount's token.
	OpenShift []string
}

// NeedsOf reads a document. A document that cannot be read has no needs.
func NeedsOf(document string) Needs {
	var tree struct {
		Toolsets map[string]any `yaml:"toolsets"`
		Servers  map[string]any `yaml:"mcp_servers"`
	}
	if yaml.Unmarshal([]byte(document), &tree) != nil {
		return Needs{}
	}
	n := Needs{Variables: toolset.VariablesIn(document)}
	for _, section := range []map[string]any{tree.Toolsets, tree.Servers} {
		for name, entry := range section {
			if toolset.IsMarker(name) {
				continue
			}
			n.Toolsets++
			n.hosts(entry, name == "prometheus/metrics", true)
		}
	}
	slices.Sort(n.Authority)
	slices.Sort(n.OpenShift)
	n.Authority, n.OpenShift = slices.Compact(n.Authority), slices.Compact(n.OpenShift)
	return n
}

// hosts collects the hosts of the URLs below v. token means that HolmesGPT sends its ServiceAccount's token there, and
// verified that certificates are verified. v can override both for the values below it.
func (n *Needs) hosts(v any, token, verified bool) {
	switch v := v.(type) {
	case map[string]any:
		if verify, is := v["verify_ssl"].(bool); is {
			verified = verify
		}
		if headers, is := v["additional_headers"].(map[string]any); is && headers["Authorization"] != nil {
			token = false
		}
		for _, below := range v {
			n.hosts(below, token, verified)
		}
	case []any:
		for _, below := range v {
			n.hosts(below, token, verified)
		}
	case string:
		n.host(v, token, verified)
	}
}

func (n *Needs) host(text string, token, verified bool) {
	if !strings.HasPrefix(text, "https://") {
		return
	}
	u, err := url.Parse(text)
	if err != nil {
		return
	}
	host := u.Hostname()
	labels := strings.Split(host, ".") // name, namespace, svc, and the cluster's domain
	if len(labels) < 3 || labels[2] != "svc" {
		return
	}
	if verified {
		n.Authority = append(n.Authority, host)
	}
	if token && labels[1] == "openshift-monitoring" {
		n.OpenShift = append(n.OpenShift, host)
	}
}

// authorityVariables add trusted authorities to HolmesGPT: one holds a certificate, the other the name of a file.
func authorityVariables() []string { return []string{"CERTIFICATE", "REQUESTS_CA_BUNDLE"} }

// names returns the variables that must be set, each once.
func (n *Needs) names() (names []string) {
	for _, v := range n.Variables {
		names = append(names, v.Name)
	}
	if len(n.Authority) > 0 {
		names = append(names, authorityVariables()...)
	}
	return slices.Compact(names)
}
