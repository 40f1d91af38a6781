package view

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"

	"kubernaut.io/dynamic-toolset/internal/agent"
)

// Agent is the state of the running HolmesGPT.
type Agent struct {
	Asked      bool           `json:"asked" doc:"Whether this replica asks HolmesGPT: the leader does, unless holmesgpt.service is off"`
	Generation string         `json:"generation" doc:"The name of the last published generation marker, empty if there is none"`
	Message    string         `json:"message" doc:"The state in one sentence"`
	Replicas   []AgentReplica `json:"replicas"`
}

// AgentReplica is one replica of HolmesGPT.
type AgentReplica struct {
	URL        string         `json:"url"`
	Outcome    string         `json:"outcome" enum:"loaded,waiting,no-document,too-old,wants-key,failed,away,unreadable"`
	Message    string         `json:"message" doc:"The outcome in a sentence"`
	Detail     string         `json:"detail" doc:"The error of the response"`
	Version    string         `json:"version" doc:"The version of HolmesGPT, empty if not known"`
	Generation string         `json:"generation" doc:"The generation of its document, empty if not known"`
	Published  *time.Time     `json:"published_at" doc:"When its document was published; null if not known"`
	Since      *time.Time     `json:"since" doc:"Since when it has its document; null if not known"`
	Late       bool           `json:"late" doc:"Whether it has an older document for longer than an update of a mount takes"`
	CheckedAt  time.Time      `json:"checked_at"`
	Enabled    int            `json:"enabled" doc:"How many toolsets of the document are enabled"`
	Total      int            `json:"total" doc:"How many toolsets of the document it knows"`
	Toolsets   []AgentToolset `json:"toolsets"`
	Advice     []Advice       `json:"advice"`
}

// AgentToolset is the state of one toolset in a replica.
type AgentToolset struct {
	Name      string          `json:"name"`
	Status    string          `json:"status" doc:"HolmesGPT's status: enabled, failed or disabled"`
	Error     string          `json:"error" doc:"HolmesGPT's error, empty for none"`
	Tools     int             `json:"tools"`
	Instances []AgentInstance `json:"instances" doc:"The instances that HolmesGPT cannot use, by name"`
	Advice    []Advice        `json:"advice"`
}

// AgentInstance is an instance that HolmesGPT cannot use.
type AgentInstance struct {
	Name   string   `json:"name"`
	Error  string   `json:"error" doc:"HolmesGPT's error"`
	Advice []Advice `json:"advice"`
}

// NewAgent describes the state of HolmesGPT. A nil state means that no request is sent to HolmesGPT.
func NewAgent(s *agent.State) Agent {
	if s == nil {
		return Agent{Message: "no requests are sent to HolmesGPT: holmesgpt.service is off", Replicas: []AgentReplica{}}
	}
	a := Agent{Asked: s.Leading, Generation: s.Document.Generation, Replicas: make([]AgentReplica, 0, len(s.Replicas))}
	loaded := 0
	for i := range s.Replicas {
		r := newAgentReplica(&s.Replicas[i], s.Late(&s.Replicas[i]))
		if s.Replicas[i].Outcome == agent.Loaded {
			loaded++
		}
		a.Replicas = append(a.Replicas, r)
	}
	switch {
	case !s.Leading:
		a.Message = "another replica of this service asks HolmesGPT"
	case s.Document.Generation == "":
		a.Message = "nothing is published yet, " +
			"or the document has no generation marker, which identifies it in HolmesGPT"
	case len(a.Replicas) == 0:
		a.Message = "no HolmesGPT was found in the ConfigMap's namespace, or behind the Service that " +
			"holmesgpt.service names; if it runs elsewhere, name its Service there"
	case len(a.Replicas) == 1:
		a.Message = "HolmesGPT " + a.Replicas[0].Message
	default:
		a.Message = fmt.Sprintf("%d of %d replicas of HolmesGPT have this document", loaded, len(a.Replicas))
	}
	return a
}

func newAgentReplica(r *agent.Replica, late bool) AgentReplica {
	out := AgentReplica{
		URL: r.URL, Outcome: string(r.Outcome), Detail: r.Detail, Version: r.Version, Generation: r.Generation,
		Published: moment(r.Published), Since: moment(r.Since), Late: late, CheckedAt: r.Checked.UTC(),
		Enabled: r.Count(agent.StatusEnabled), Total: len(r.Toolsets), Toolsets: []AgentToolset{},
	}
	out.Message, out.Advice = agentText(r, late)
	for i := range r.Toolsets {
		out.Toolsets = append(out.Toolsets, newAgentToolset(&r.Toolsets[i]))
	}
	return out
}

func newAgentToolset(t *agent.Toolset) AgentToolset {
	out := AgentToolset{
		Name: t.Name, Status: t.Status, Tools: t.Tools, Instances: []AgentInstance{}, Advice: []Advice{},
	}
	if t.Status != agent.StatusEnabled { // the error of an enabled toolset is about its instances
		out.Error = t.Error
	}
	if t.Status == agent.StatusFailed {
		out.Advice = adviseAgent(t.Error)
	}
	for _, name := range slices.Sorted(maps.Keys(t.Instances)) {
		out.Instances = append(out.Instances, AgentInstance{name, t.Instances[name], adviseInstance(t.Instances[name])})
	}
	return out
}

// moment returns a time in UTC for JSON, nil for the zero value.
func moment(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	t = t.UTC()
	return &t
}

// agentText returns what a replica's outcome means, and what to do.
func agentText(r *agent.Replica, late bool) (message string, advice []Advice) {
	advice = []Advice{}
	add := func(text, command string) { advice = append(advice, Advice{text, command}) }
	switch r.Outcome {
	case agent.Loaded:
		message = fmt.Sprintf("has this document: %d of %d toolsets enabled",
			r.Count(agent.StatusEnabled), len(r.Toolsets))
	case agent.Waiting:
		if message = "has an older document: waiting for its mount"; !late {
			add("The kubelet takes up to two minutes to update a ConfigMap in a pod. There is nothing to do.", "")
			break
		}
		message = "has an older document, and does not get the new one"
		add("Its mount does not change. The ConfigMap must be mounted as a directory: "+
			"one file mounted by subPath stays as it was when the pod started.",
			"{name: dynamic-toolsets, mountPath: /etc/holmes/dynamic, readOnly: true}")
	case agent.NoDocument:
		message = "works, but has no document from this service"
		add("Mount the ConfigMap into its pod, and name the file in its environment:",
			"CUSTOM_TOOLSET_LOCATION=/etc/holmes/dynamic/custom_toolset.yaml")
	case agent.TooOld:
		message = "is too old to say what it has loaded"
		add("HolmesGPT reports its state since version 0.26. Older versions read the file again at an interval "+
			"(TOOLSET_STATUS_REFRESH_INTERVAL_SECONDS).", "")
	case agent.WantsKey:
		if message = "requires an API key"; r.KeyUnread {
			message = "was not asked: " + r.Detail
			add("Correct holmesgpt.apiKeyFile, or put the key there: in the cluster by mounting its Secret "+
				"into this service's pod, elsewhere as a file of your own.", "")
			break
		}
		add("Mount the Secret with the key that HolmesGPT has as HOLMES_API_KEY "+
			"into this service's pod, and name the file in the configuration:",
			"holmesgpt: {apiKeyFile: /etc/dynamic-toolset/holmes/key}")
	case agent.Failed:
		message = "cannot load this document: " + r.Detail
		add("Until it can load one, it has no toolsets, and investigations fail. Its log says more. "+
			"The most likely cause is overrides that do not fit:", "dynamic-toolset validate FILE")
	case agent.Away:
		message = "does not answer: " + r.Detail
		add("Check that it runs, and that NetworkPolicies let this service reach its port. "+
			"While it checks its backends it does not answer either.", "")
	default:
		message = "does not answer as HolmesGPT does: " + r.Detail
		add("Name HolmesGPT's Service, or set it to off to send no requests:", "holmesgpt: {service: NAMESPACE/NAME}")
	}
	return message, advice
}

// missing matches HolmesGPT's error for a variable that is not set. It matches the whole error, so that the text of a
// backend's response within an error cannot name a variable.
var missing = regexp.MustCompile(`^ENV var replacement ([A-Za-z_][A-Za-z0-9_]*) does not exist$`)

// adviseAgent returns what to do about HolmesGPT's error for a toolset.
func adviseAgent(reason string) []Advice {
	if m := missing.FindStringSubmatch(reason); m != nil {
		return []Advice{{"Give HolmesGPT's container the variable " + m[1] + ", from a Secret of its namespace " +
			"(additionalEnvVars in its chart):",
			fmt.Sprintf("{name: %s, valueFrom: {secretKeyRef: {name: SECRET, key: KEY}}}", m[1])}}
	}
	return adviseInstance(reason)
}

// refusal matches HolmesGPT's error for a refusal, but no number in an address or a URL that contains such a number.
var refusal = regexp.MustCompile(`\b40[13]\b|Unauthorized|Forbidden`)

// adviseInstance returns what to do about HolmesGPT's error for an instance. The advice never quotes the error, because
// the backend can choose its text.
func adviseInstance(reason string) []Advice {
	says := func(parts ...string) bool {
		return slices.ContainsFunc(parts, func(part string) bool { return strings.Contains(reason, part) })
	}
	switch {
	case says("CERTIFICATE_VERIFY_FAILED"):
		return []Advice{{SameCA + ":", "REQUESTS_CA_BUNDLE=/path/to/bundle.pem"}}
	case refusal.MatchString(reason):
		return []Advice{{"It refuses HolmesGPT: check that the variable contains the right credential, " +
			"and that the credential may read.", ""}}
	case says("Failed to resolve", "Name or service not known", "Connection refused", "timed out",
		"Max retries exceeded", "No route to host"):
		return []Advice{{"This service can reach it, but HolmesGPT's pod cannot: " +
			"check that NetworkPolicies or a service mesh let HolmesGPT's pod in.", ""}}
	}
	return []Advice{{"HolmesGPT's log says more.", ""}}
}
