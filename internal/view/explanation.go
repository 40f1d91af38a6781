package view

import (
	"slices"
	"time"

	"kubernaut.io/dynamic-toolset/internal/backend"
	"kubernaut.io/dynamic-toolset/internal/catalog"
)

// Explanation says why a Service is published, or why not.
type Explanation struct {
	Summary  []string  `json:"summary" doc:"The verdict and its reason: a sentence for each type that it was detected as"`
	About    About     `json:"about" doc:"What detection reads of the Service"`
	Services []Backend `json:"services" doc:"The result for each type that it was detected as; at least one"`
	Tried    []Tried   `json:"tried" doc:"The types of the catalog that could match, and the evidence for and against each"`
	// WithoutAnnotations reports that an annotation decided. Tried is then the result without the annotation.
	WithoutAnnotations bool     `json:"tried_without_annotations" doc:"An annotation decided: tried is the result without it"`
	Advice             []Advice `json:"advice" doc:"What a person can do"`
}

// About is what detection reads of a Service.
type About struct {
	Kind        string            `json:"kind"`
	Ports       string            `json:"ports"`
	Labels      map[string]string `json:"labels" doc:"The labels that some rule reads"`
	OtherLabels int               `json:"other_labels" doc:"How many labels no rule reads"`
	Selector    map[string]string `json:"selector"`
	Annotations map[string]string `json:"annotations" doc:"The annotations that this service reads"`
	Endpoints   string            `json:"endpoints" doc:"How many endpoints are ready, if known"`
}

// Backend is the result for a Service as one type.
type Backend struct {
	Service
	PortReason  string    `json:"port_reason" doc:"Why this port was chosen"`
	PrimaryIs   string    `json:"primary_service" doc:"The primary of its type, as namespace/name"`
	PrimaryNote string    `json:"primary_note" doc:"For the primary, the rule that chose it; for another, the Service that the place is kept for, and why; else empty"`
	ShardOf     string    `json:"shard_of,omitempty" doc:"The backend that has all data of this one, as namespace/name"`
	Credentials []string  `json:"credentials" doc:"Variables that HolmesGPT needs in its environment"`
	Requests    []Request `json:"requests" doc:"The requests of the probe, in order"`
	Outcome     string    `json:"outcome" doc:"The result of the probe, in a word or two"`
	Detail      string    `json:"detail" doc:"The result of the probe in a sentence"`
	Agent       []InAgent `json:"agent" doc:"Its state in each replica of HolmesGPT; empty for a Service that is not accepted"`
	KeepsToken  bool      `json:"keeps_token" doc:"An empty credential keeps HolmesGPT from sending it the token of its ServiceAccount"`
	Recipes     []Recipe  `json:"recipes" doc:"Ways to give HolmesGPT the credentials of the backend, the best first"`
	Tokens      *Tokens   `json:"tokens,omitempty" doc:"The approximate tokens that it adds to each request to the agent's model; missing if not known or not accepted"`
	NoLinks     []NoLink  `json:"no_links" doc:"The objects that lead to it but give no link, and why; empty if its owner or the configuration names a link"`

	Root     string `json:"-"` // the URL that detection expects, without a path; "" without a candidate
	Observed bool   `json:"-"` // the reason is, or contains, the result of the probe
}

// Tokens is the number of tokens that a backend adds to each request to the model.
type Tokens struct {
	Toolset  int `json:"toolset" doc:"Tokens of its toolsets, for any number of instances"`
	Instance int `json:"instance" doc:"Tokens of this instance"`
}

// tokens returns nil if the number is not known.
func tokens(f *backend.Finding, t *catalog.Type) *Tokens {
	switch {
	case f.Candidate.Custom:
		return &Tokens{catalog.HTTPTokens().Toolset, catalog.HTTPTokens().Instance}
	case t == nil:
		return nil
	}
	sum := Tokens{}
	for i := range t.Toolset.HolmesGPT {
		cost := t.Toolset.HolmesGPT[i].Cost()
		if cost == (catalog.Tokens{}) {
			return nil
		}
		sum.Toolset += cost.Toolset
		sum.Instance += cost.Instance
	}
	return &sum
}

// Tried is the result of one type of the catalog.
type Tried struct {
	Type    string   `json:"type"`
	For     []string `json:"for"`
	Against string   `json:"against,omitempty"`
	Port    string   `json:"port,omitempty" doc:"The port that was chosen, and why"`
	So      string   `json:"so" doc:"The conclusion"`
	// Decided reports that Against is the reason of the verdict.
	Decided bool `json:"-"`
}

// Request is one request of a probe.
type Request struct {
	Purpose string `json:"purpose"`
	URL     string `json:"url"`
	Status  int    `json:"status" doc:"The status code, 0 without a response"`
	Result  string `json:"result"`
	Took    string `json:"took" doc:"A duration such as 1.5ms"`
	Try     int    `json:"try" doc:"The number of the try in the probe, from 1"`

	Brief    string        `json:"-"` // the result without the text of the response
	Duration time.Duration `json:"-"` // Took as a number
}

// Round holds the requests of one try, or of consecutive tries with the same results.
type Round struct {
	First, Last int // tries, from 1
	Requests    []Request
}

// Rounds returns the tries in order. Consecutive tries with the same requests and responses are one round.
func Rounds(requests []Request) (out []Round) {
	alike := func(a, b Request) bool {
		return a.Purpose == b.Purpose && a.URL == b.URL && a.Status == b.Status && a.Result == b.Result
	}
	for len(requests) > 0 {
		try := requests[0].Try
		n := slices.IndexFunc(requests, func(r Request) bool { return r.Try != try })
		if n < 0 {
			n = len(requests)
		}
		if last := len(out) - 1; last >= 0 && slices.EqualFunc(out[last].Requests, requests[:n], alike) {
			out[last].Last = try
		} else {
			out = append(out, Round{try, try, requests[:n]})
		}
		requests = requests[n:]
	}
	return out
}
