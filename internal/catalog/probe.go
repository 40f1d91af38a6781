package catalog

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// MaxRequests is how many requests one try to probe a backend makes, redirects and the search for its base path
// included: whoever answers must not be able to ask for more of them.
const MaxRequests = 8

// Probe says how a backend of this type proves what it is and that it works. All requests are GETs without credentials,
// at paths below the base path.
type Probe struct {
	// Paths are base paths to try after the candidate's own, e.g. /prometheus.
	Paths []string `yaml:"paths"`
	// PathAfter are texts, each directly before the base path and a quote, with which the software answers outside it.
	PathAfter []string `yaml:"pathAfter"`
	// Identity: all must be answered as expected. Only the real thing answers so.
	Identity []Check `yaml:"identity"`
	// Not: answers that unmask what passes Identity; any one met means the relative that it names, else wrong-identity, with
	// its reason. A part of the same software that answers no queries belongs here.
	Not []Check `yaml:"not"`
	// Compatible: what proves no product, but that the requests of the family's agent are answered. Any one will do, where no
	// type of the family was proven because what would prove it is missing or forbidden.
	Compatible []Check `yaml:"compatible"`
	// Health: all must be answered as expected, otherwise not-ready.
	Health []Check `yaml:"health"`
	// Query stands for what the agent will ask: one cheap request, which needs the same rights. Only where it is answered
	// as expected the backend is ready; a refusal tells which credentials are wanted. Without one, health decides.
	Query *Check `yaml:"query"`
	// Degraded: answers to a health check of a backend that answers what it can. It keeps a new one out and withdraws none
	// that is published.
	Degraded []Check `yaml:"degraded"`
	// Warn: answers that mean that something works less well than it could, which is told and decides nothing.
	Warn []Check `yaml:"warn"`
	// Members lists what the backend sends each query on to, as Thanos Query does to the sidecars of Prometheus servers. The
	// backends of its family with these addresses are shards of it. No answer here ever counts against it.
	Members *Check `yaml:"members"`
	// Version: where else the version may be found if Identity has not told it; no answer here ever counts against it.
	Version []Check `yaml:"version"`
}

// Check is a request and what its answer must look like: everything given must hold. Within one try the same request is
// sent once, however many checks look at its answer.
type Check struct {
	// Get is the path to ask for, with its query.
	Get string `yaml:"get"`
	// Root: Get is a path of the server rather than one below the base path. Under identity and health it is looked for below
	// the base path as well, and paths under health that are not so marked at the root, wherever the other place fails.
	Root bool `yaml:"root"`
	// Status accepted. Default 200.
	Status []int `yaml:"status"`
	// JSON: dotted path ("." is the whole answer) -> accepted values, with "*" as in Rule. "*" alone = any non-empty
	// value, "[]" = an array, "{}" = an object, both perhaps empty, "null" = null.
	JSON map[string]Values `yaml:"json"`
	// Body is a text that the body must contain; Text is the whole of it, but for white space around it.
	Body string `yaml:"body"`
	Text string `yaml:"text"`
	// Header: name -> accepted values, with "*" as in Rule.
	Header map[string]Values `yaml:"header"`
	// Version is the dotted path of the version in the JSON answer; VersionAfter a text that precedes it in another one.
	Version      string `yaml:"version"`
	VersionAfter string `yaml:"versionAfter"`
	// Is, under not: the type of the same family that answers so. The type itself ends the list: what follows does not count.
	Is string `yaml:"is"`
	// NoData, under warn: it has nothing to answer with, so that it is no primary beside one that has.
	NoData bool `yaml:"noData"`
	// Addresses, under members: the dotted path of HOST:PORT in the JSON answer, with "[]" after what is a list.
	Addresses string `yaml:"addresses"`
	// Or: other checks, any one of which does instead.
	Or []Check `yaml:"or"`
	// Because is what it means when the check fails (under not: when it is met), for people.
	Because string `yaml:"because"`
}

// Validate says what in the section cannot work, each problem with the field it is in.
func (p *Probe) Validate() error {
	var errs []error
	if len(p.Identity) == 0 {
		errs = append(errs, errors.New("probe.identity: at least one check is needed, or anything that answers would pass"))
	}
	for i, path := range p.Paths {
		if !strings.HasPrefix(path, "/") || strings.HasSuffix(path, "/") {
			errs = append(errs, fmt.Errorf("probe.paths[%d]: %q must start with a slash and not end in one", i, path))
		}
	}
	if n := p.requests(); n > MaxRequests {
		errs = append(errs, fmt.Errorf("probe: %d different requests, if each is answered as hoped; "+
			"one try makes at most %d: let checks look at the same answers", n, MaxRequests))
	}
	errs = append(errs, validateChecks("probe.identity", p.Identity, true)...)
	errs = append(errs, validateChecks("probe.not", p.Not, !slices.ContainsFunc(p.Not, func(c Check) bool { return len(c.Status) > 0 }))...)
	errs = append(errs, validateChecks("probe.compatible", p.Compatible, true)...)
	errs = append(errs, validateChecks("probe.health", p.Health, false)...)
	errs = append(errs, validateChecks("probe.degraded", p.Degraded, true)...)
	errs = append(errs, validateChecks("probe.warn", p.Warn, false)...)
	errs = append(errs, validateChecks("probe.version", p.Version, false)...)
	if p.Query != nil {
		errs = append(errs, p.Query.validate("probe.query", true)...)
	}
	if p.Members != nil {
		errs = append(errs, p.Members.validate("probe.members", false)...)
		if !strings.Contains(p.Members.Addresses, "[]") {
			errs = append(errs, errors.New("probe.members.addresses: say where the addresses are, as data.list[].address"))
		}
	}
	fields := [...]string{"not", "compatible", "degraded", "warn"}
	for n, list := range [...][]Check{p.Not, p.Compatible, p.Degraded, p.Warn} {
		for i := range list {
			if list[i].Because == "" {
				errs = append(errs, fmt.Errorf("probe.%s[%d].because: say what it is that answers so", fields[n], i))
			}
		}
	}
	return errors.Join(errs...)
}

// requests is how many it takes where the first base path is right and nothing is asked a second way.
func (p *Probe) requests() int {
	paths := map[string]bool{}
	if p.Query != nil {
		paths[p.Query.Get] = true
	}
	for _, list := range [...][]Check{p.Identity, p.Not, p.Health} {
		for i := range list {
			paths[list[i].Get] = true
		}
	}
	return len(paths)
}

// validateChecks checks a list; proof wants each check to look at more than the status, which anything may answer.
func validateChecks(field string, checks []Check, proof bool) (errs []error) {
	for i := range checks {
		c := &checks[i]
		errs = append(errs, c.validate(fmt.Sprintf("%s[%d]", field, i), proof && (len(c.Or) > 0 || len(checks) == 1))...)
	}
	return errs
}

// validate checks one; shape wants more than the status.
func (c *Check) validate(at string, shape bool) (errs []error) {
	if !strings.HasPrefix(c.Get, "/") {
		errs = append(errs, fmt.Errorf("%s.get: %q must start with a slash", at, c.Get))
	}
	if slices.ContainsFunc(c.Status, func(s int) bool { return s < 100 || s > 599 }) {
		errs = append(errs, fmt.Errorf("%s.status: %v must be HTTP status codes", at, c.Status))
	}
	if shape && len(c.JSON) == 0 && c.Body == "" && c.Text == "" && len(c.Header) == 0 {
		errs = append(errs, fmt.Errorf("%s: a status alone proves nothing; add json, body, text or header", at))
	}
	return append(errs, validateChecks(at+".or", c.Or, shape)...)
}
