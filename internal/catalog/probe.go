package catalog

import (
	"slices"
	"strings"

	"kubernaut.io/dynamic-toolset/internal/yamlfile"
)

// MaxRequests limits the requests of one attempt to probe a backend, with redirects and the search for the base path,
// because what answers must not be able to cause more.
const MaxRequests = 8

// Probe describes how a backend of this type proves its identity and its health. All requests are GETs without
// credentials, at paths below the base path.
type Probe struct {
	// Paths are base paths to try after the candidate's own, e.g. /prometheus.
	Paths []string `yaml:"paths"`
	// PathAfter are texts, each directly before the base path and a quote, with which the software answers outside it.
	PathAfter []string `yaml:"pathAfter"`
	// Identity are checks that must all be met. No other software may answer so.
	Identity []Check `yaml:"identity"`
	// Not are answers of relatives that meet the checks of identity. A check that is met decides: the backend has the
	// type that the check names, else wrong-identity, with its reason. A part of the software that answers no queries
	// belongs here.
	Not []Check `yaml:"not"`
	// Compatible are checks that prove no product, but prove that the agent's requests for the family are answered. One
	// of them is enough if no type of the family was proven because the answer that would prove it is missing or
	// forbidden.
	Compatible []Check `yaml:"compatible"`
	// Health are checks that must all be met, otherwise the backend is not-ready.
	Health []Check `yaml:"health"`
	// Query is one cheap request that needs the same rights as the agent's requests. The backend is ready only if it is
	// answered as expected. A refusal shows which credentials are needed. Without a query, health decides.
	Query *Check `yaml:"query"`
	// Degraded are answers to a health check of a backend that works in part. A new one is not published, and a
	// published one is not withdrawn.
	Degraded []Check `yaml:"degraded"`
	// Warn are answers that mean that something works less well than it could. They are reported and decide nothing.
	Warn []Check `yaml:"warn"`
	// Members lists the servers to which the backend forwards each query, as Thanos Query does to the sidecars of
	// Prometheus servers. The backends of its family with these addresses are its shards. No answer counts against it.
	Members *Check `yaml:"members"`
	// Version is where the version may be found if no check of identity has shown it. No answer counts against the
	// backend.
	Version []Check `yaml:"version"`
}

// Check is a request and what its answer must look like: everything given must hold. Within one try the same request is
// sent once, however many checks look at its answer. An answer over 64 KiB is kept only until the next request, so
// checks that look at one belong side by side.
type Check struct {
	// Get is the path to ask for, with its query.
	Get string `yaml:"get"`
	// Root is true if the path is one of the server rather than one below the base path. If such a path of identity or
	// health fails, it is tried below the base path too. If another path of health fails, it is tried at the root too.
	// A 403 or 404 that status accepts counts only if the other place does not answer otherwise.
	Root bool `yaml:"root"`
	// Status are the accepted status codes. Default 200.
	Status []int `yaml:"status"`
	// JSON are the accepted values of each dotted path ("." is the whole answer), with "*" as in a label's value of a
	// rule. "*" alone is any non-empty value, "[]" an array and "{}" an object, both perhaps empty, "null" is null.
	JSON map[string]Values `yaml:"json"`
	// Body is a text that the body must contain.
	Body string `yaml:"body"`
	// Text is the whole of the body, but for white space around it.
	Text string `yaml:"text"`
	// Header are the accepted values of each header, with "*" as in a label's value of a rule.
	Header map[string]Values `yaml:"header"`
	// Version is the dotted path of the version in a JSON answer.
	Version string `yaml:"version"`
	// VersionAfter is the text before the version in any other answer.
	VersionAfter string `yaml:"versionAfter"`
	// Is names the type of the same family that answers so, only under not. The type itself ends the list: later checks
	// do not count.
	Is string `yaml:"is"`
	// NoData is true, only under warn, if the backend has no data. It is not the primary then, if another one has data.
	NoData bool `yaml:"noData"`
	// Addresses is the dotted path of HOST:PORT in the JSON answer, with "[]" after each list, only under members.
	Addresses string `yaml:"addresses"`
	// Or are other checks, one of which is enough.
	Or []Check `yaml:"or"`
	// Because says for people what it means that the check fails (under not: that it is met).
	Because string `yaml:"because"`
}

func (v validator) probe(p *Probe) {
	if len(p.Identity) == 0 {
		v.f.At("probe.identity", "at least one check is needed, or anything that answers would pass")
	}
	v.each("probe.paths", p.Paths, isBasePath, "a path that begins with / and does not end with one")
	if n := p.requests(); n > MaxRequests {
		v.f.At("probe", "%d different requests, if each is answered as hoped; one try makes at most %d: "+
			"let checks look at the same answers", n, MaxRequests)
	}
	v.checks("probe.identity", p.Identity, true)
	hasStatus := func(c Check) bool { return len(c.Status) > 0 }
	v.checks("probe.not", p.Not, !slices.ContainsFunc(p.Not, hasStatus))
	v.checks("probe.compatible", p.Compatible, true)
	v.checks("probe.health", p.Health, false)
	v.checks("probe.degraded", p.Degraded, true)
	v.checks("probe.warn", p.Warn, false)
	v.checks("probe.version", p.Version, false)
	if p.Query != nil {
		v.oneCheck("probe.query", p.Query, true)
	}
	if p.Members != nil {
		v.oneCheck("probe.members", p.Members, false)
		if !strings.Contains(p.Members.Addresses, "[]") {
			v.f.At("probe.members.addresses", "say where the addresses are, as data.list[].address")
		}
	}
	for field, list := range map[string][]Check{
		"not": p.Not, "compatible": p.Compatible, "degraded": p.Degraded, "warn": p.Warn,
	} {
		for i := range list {
			v.line(yamlfile.Index("probe."+field, i)+".because", list[i].Because, "a text that says what answers so")
		}
	}
	if len(p.Health) == 0 {
		v.f.At("probe.health", "expected at least one check, found none")
	}
}

// requests returns the number of requests if the first base path is right and no request is tried in another way.
func (p *Probe) requests() int {
	paths := map[string]bool{}
	if p.Query != nil {
		paths[p.Query.Get] = true
	}
	for _, c := range slices.Concat(p.Identity, p.Not, p.Health) {
		paths[c.Get] = true
	}
	return len(paths)
}

// checks validates a list of checks. With proof each must look at more than the status, which anything may answer.
func (v validator) checks(path string, checks []Check, proof bool) {
	for i := range checks {
		c := &checks[i]
		v.oneCheck(yamlfile.Index(path, i), c, proof && (len(c.Or) > 0 || len(checks) == 1))
	}
}

// oneCheck validates one check. With shape it must look at more than the status.
func (v validator) oneCheck(at string, c *Check, shape bool) {
	v.f.Check(at+".get", isAbsolute(c.Get), "a path that begins with /", c.Get)
	if slices.ContainsFunc(c.Status, func(s int) bool { return s < 100 || s > 599 }) {
		v.f.At(at+".status", "%v must be HTTP status codes", c.Status)
	}
	if shape && len(c.JSON) == 0 && c.Body == "" && c.Text == "" && len(c.Header) == 0 {
		v.f.At(at, "a status alone proves nothing; add json, body, text or header")
	}
	v.checks(at+".or", c.Or, shape)
}
