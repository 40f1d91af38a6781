package view

import (
	"slices"
	"time"

	"kubernaut.io/dynamic-toolset/internal/backend"
	"kubernaut.io/dynamic-toolset/internal/catalog"
)

// Explanation says why a Service is published, or why not.
type Explanation struct {
	Summary  []string  `json:"summary" doc:"The answer: a sentence for each type it was taken for"`
	About    About     `json:"about" doc:"What detection reads of the Service"`
	Services []Backend `json:"services" doc:"What became of it, as each type it was taken for; at least one"`
	Tried    []Tried   `json:"tried" doc:"The types of the catalog that were near, and what spoke for and against each"`
	// WithoutAnnotations reports that an annotation decided. Tried is then the result without the annotation.
	WithoutAnnotations bool     `json:"tried_without_annotations" doc:"An annotation decided: tried is what would be said without it"`
	Advice             []Advice `json:"advice" doc:"What a person can do"`
}

// About is what detection reads of a Service.
type About struct {
	Kind        string            `json:"kind"`
	Ports       string            `json:"ports"`
	Labels      map[string]string `json:"labels" doc:"Those that some rule reads"`
	OtherLabels int               `json:"other_labels" doc:"How many labels no rule reads"`
	Selector    map[string]string `json:"selector"`
	Annotations map[string]string `json:"annotations" doc:"Those of this service"`
	Endpoints   string            `json:"endpoints" doc:"How many are ready, where that is known"`
}

// Backend is the result for a Service as one type.
type Backend struct {
	Service
	PortReason  string    `json:"port_reason" doc:"Why this port"`
	PrimaryIs   string    `json:"primary_service" doc:"The primary of its type, as namespace/name"`
	PrimaryNote string    `json:"primary_note" doc:"Of the primary, which rule made it that; of another, for which Service the place is kept, and why; else empty"`
	ShardOf     string    `json:"shard_of,omitempty" doc:"The backend that sees all that this one has, as namespace/name"`
	Credentials []string  `json:"credentials" doc:"Variables that HolmesGPT needs in its environment"`
	Requests    []Request `json:"requests" doc:"What was asked, in order"`
	Outcome     string    `json:"outcome" doc:"What the probe came to, in a word or two"`
	Detail      string    `json:"detail" doc:"The same in a sentence"`
	Agent       []InAgent `json:"agent" doc:"What each replica of HolmesGPT made of it; none for a Service that is not accepted"`
	KeepsToken  bool      `json:"keeps_token" doc:"HolmesGPT's own token is kept from it by an empty credential"`
	Recipes     []Recipe  `json:"recipes" doc:"Ways to give HolmesGPT the credentials that it wants, the best first"`
	Tokens      *Tokens   `json:"tokens,omitempty" doc:"What it adds to each request to the agent's model, roughly; missing where that is not known, or where it is not accepted"`
	NoLinks     []NoLink  `json:"no_links" doc:"What leads to it and gives no link, and why; empty where its owner or the configuration names one"`
	root        string    // see Root

	PortWhy  string `json:"-"` // PortReason without the word port
	Observed bool   `json:"-"` // the reason is, or contains, the result of the probe
}

// Root returns the URL that detection expects, without a path; "" without a candidate.
func (b *Backend) Root() string { return b.root }

// Tokens is the number of tokens that a backend adds to each request to the model.
type Tokens struct {
	Toolset  int `json:"toolset" doc:"Of its toolsets, however many instances they have"`
	Instance int `json:"instance" doc:"Of this instance"`
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
	Port    string   `json:"port,omitempty" doc:"The port it would have, and why"`
	So      string   `json:"so" doc:"What follows"`
	// Decided reports that Against is the reason of the verdict.
	Decided bool `json:"-"`
}

// Request is one request of a probe.
type Request struct {
	Purpose string `json:"purpose"`
	URL     string `json:"url"`
	Status  int    `json:"status" doc:"0: no answer"`
	Result  string `json:"result"`
	Took    string `json:"took" doc:"As in 1.5ms"`
	Try     int    `json:"try" doc:"Which try of the probe it belongs to, from 1"`

	// Brief is the result without the text of the response.
	Brief    string `json:"-"`
	duration time.Duration
}

// Duration returns Took as a number.
func (r *Request) Duration() time.Duration { return r.duration }

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
