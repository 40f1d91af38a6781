package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"kubernaut.io/dynamic-toolset/internal/agent"
	"kubernaut.io/dynamic-toolset/internal/backend"
	"kubernaut.io/dynamic-toolset/internal/probe"
	"kubernaut.io/dynamic-toolset/internal/store"
	"kubernaut.io/dynamic-toolset/internal/view"
)

// askTimeout is how long a command waits for HolmesGPT.
const askTimeout = 5 * time.Second

// asker sends one request to HolmesGPT for an explanation. It does not make HolmesGPT reload.
type asker struct {
	agent *agent.Agent // nil if HolmesGPT cannot be asked; why has the reason
	why   string
	// document is the published document, the zero value if not known.
	document *agent.Document
}

// newAsker returns an asker that connects as the probe does, nil if there is no HolmesGPT to ask.
func (o *options) newAsker(d *discovered) (*asker, error) {
	c := d.config
	options := agentOptions(c)
	options.Forbids = d.prober.Forbids
	a := &asker{document: &o.published}
	switch {
	case agentOff(c):
		return nil, nil
	case c.HolmesGPT.URL != "":
	case d.cluster == nil:
		return nil, nil
	case !d.probed:
		a.why = "HolmesGPT was not asked, because nothing is probed (--probe=off, or run outside the cluster). " +
			"Run this with --probe=proxy, or forward its port and add --set holmesgpt.url=http://127.0.0.1:PORT"
		return a, nil
	case o.probe == probeProxy:
		proxies, err := newServiceProxies(d.cluster)
		if err != nil {
			return nil, err
		}
		options.Proxy = agentProxy(proxies)
	}
	a.agent = agent.New(options)
	return a, nil
}

// looks reports whether a Service looks like HolmesGPT's.
func (a *asker) looks(s *backend.Service) bool { return a != nil && a.agent != nil && a.agent.Looks(s) }

// agentProxy carries requests to Services, named as NAME.NAMESPACE.svc:PORT, through the API server.
type agentProxy func(*backend.Candidate) http.RoundTripper

// RoundTrip implements http.RoundTripper.
func (p agentProxy) RoundTrip(r *http.Request) (*http.Response, error) {
	name, rest, _ := strings.Cut(r.URL.Hostname(), ".")
	port, err := strconv.ParseInt(r.URL.Port(), 10, 32)
	if err != nil {
		return nil, agent.UnreachedError{Err: err}
	}
	c := &backend.Candidate{
		Service: &backend.Service{Ref: backend.Ref{Namespace: strings.TrimSuffix(rest, ".svc"), Name: name}},
		Port:    backend.Port{Number: int32(port)},
	}
	answer, err := p(c).RoundTrip(r)
	var own probe.ProxyError
	switch {
	case errors.As(err, &own):
		return nil, agent.UnreachedError{Err: errors.New(proxyText(c, own))}
	case err != nil:
		return nil, agent.UnreachedError{Err: err}
	}
	return answer, nil
}

// proxyText describes why the API server could not reach a candidate.
func proxyText(c *backend.Candidate, own probe.ProxyError) string {
	return view.Observed(&backend.Finding{
		Ref: c.Service.Ref, Service: c.Service, Candidate: c, Observation: backend.Observation{Seen: own.Seen},
	})
}

// askOnce finds HolmesGPT among the known Services and asks it once for the state of a document's toolsets.
func askOnce(ctx context.Context, a *agent.Agent, known *store.Store, document agent.Document) view.Agent {
	for _, s := range known.Services() {
		if a.Looks(s) {
			service, endpoints := known.Get(s.Ref)
			a.Service(s.Ref, service, endpoints)
		}
	}
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	state := a.Ask(ctx, document)
	return view.NewAgent(&state)
}

// askAgent returns HolmesGPT's state of the published document, nil if there is no HolmesGPT to ask.
func (d *discovered) askAgent(ctx context.Context) *view.Agent {
	switch a := d.asks; {
	case a == nil:
		return nil
	case a.agent == nil:
		return &view.Agent{Message: a.why, Replicas: []view.AgentReplica{}}
	}
	out := askOnce(ctx, d.asks.agent, d.known, *d.asks.document)
	if len(out.Replicas) == 0 {
		out.Message = d.noAgent()
	}
	return &out
}

// noAgent describes why no HolmesGPT was found.
func (d *discovered) noAgent() string {
	o := agentOptions(d.config)
	namespace := cmp.Or(o.Service.Namespace, o.Namespace)
	where := noAgentIn(namespace)
	if len(d.only) > 0 && !slices.Contains(d.only, namespace) ||
		slices.Contains(d.unread, namespace) || slices.Contains(d.exclude, namespace) {
		where = fmt.Sprintf("the Services of namespace %s, where HolmesGPT would be, were not read", namespace)
	}
	return where + runsElsewhere
}

func noAgentIn(namespace string) string { return "no HolmesGPT was found in namespace " + namespace }

const runsElsewhere = "; if it runs elsewhere, set holmesgpt.service or holmesgpt.url in the configuration"
