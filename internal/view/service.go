// Package view makes the texts and the JSON that users see. The commands, the API and the page use the same.
package view

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"kubernaut.io/dynamic-toolset/internal/backend"
	"kubernaut.io/dynamic-toolset/internal/catalog"
)

// Unmatched returns the finding of an unmatched Service, of which only the name is kept.
func Unmatched(ref backend.Ref) *backend.Finding {
	return &backend.Finding{Ref: ref, Verdict: backend.Rejected, Reason: backend.Reason{Code: backend.CodeUnmatched}}
}

// Service is a finding in JSON.
type Service struct {
	Name      string            `json:"name"`
	Namespace string            `json:"namespace"`
	Type      string            `json:"type"`
	Endpoint  string            `json:"endpoint"`
	Link      string            `json:"link,omitempty" doc:"The URL for people, if known"`
	Labels    map[string]string `json:"labels"`
	Metadata  Metadata          `json:"metadata"`
	Healthy   *bool             `json:"healthy" doc:"null: not probed"`
	LastCheck *time.Time        `json:"last_check" doc:"null: not probed"`
	Instance  string            `json:"instance"`
	Primary   bool              `json:"primary"`
	Verdict   backend.Verdict   `json:"verdict"`
	Code      backend.Code      `json:"code" doc:"The code of the reason, one of docs/reference/reasons.md"`
	Reason    string            `json:"reason" doc:"The text of the reason"`
}

// NewService describes a finding.
func NewService(f *backend.Finding, types *catalog.Catalog) Service {
	s := Service{
		Name: f.Name, Namespace: f.Namespace, Type: f.Type, Endpoint: f.Endpoint(), Link: f.Link,
		Labels:  map[string]string{},
		Primary: f.Primary, Verdict: f.Verdict, Code: f.Reason.Code, Reason: Reason(f),
	}
	if f.Service != nil && f.Service.Labels != nil {
		s.Labels = f.Service.Labels
	}
	if o := &f.Observation; !o.At.IsZero() {
		at := o.At.UTC()
		s.Healthy, s.LastCheck = healthy(o), &at
	}
	if c := f.Candidate; c != nil {
		s.Instance = c.Instance
		s.Metadata = metadata(f, types)
	}
	s.Metadata.Warning = Warning(f)
	return s
}

// Metadata holds further values as texts. Empty values are left out, but an empty path only without a candidate.
type Metadata struct {
	Cause       string          `json:"cause,omitempty" doc:"The cause of unreachable, in a word"`
	Credentials string          `json:"credentials,omitempty" doc:"Variables that HolmesGPT needs, separated by commas"`
	Description string          `json:"description,omitempty" doc:"The owner's note"`
	DuplicateOf string          `json:"duplicate_of,omitempty" doc:"The Service that is used instead, as namespace/name"`
	Evidence    string          `json:"evidence,omitempty" doc:"The strength of detection's evidence: weak, strong or explicit"`
	Path        *string         `json:"path,omitempty" doc:"The base path; may be empty"`
	Port        string          `json:"port,omitempty"`
	PortName    string          `json:"port_name,omitempty"`
	Probe       backend.Outcome `json:"probe,omitempty" doc:"The result of the probe"`
	Scheme      string          `json:"scheme,omitempty"`
	Signs       string          `json:"signs,omitempty" doc:"What detection recognised it by"`
	SignCodes   string          `json:"sign_codes,omitempty" doc:"The code of each, separated by commas: rule, label, selector, annotation, name, port-name, port, included, typed, other-type, configured or recorded"`
	Tenant      string          `json:"tenant,omitempty"`
	Toolset     string          `json:"toolset,omitempty" doc:"HolmesGPT's toolsets for it, separated by commas"`
	Version     string          `json:"version,omitempty"`
	Warning     string          `json:"warning,omitempty" doc:"What its owner should correct, though the verdict does not depend on it"`
}

// metadata returns the metadata of a finding with a candidate.
func metadata(f *backend.Finding, types *catalog.Catalog) Metadata {
	c, o := f.Candidate, &f.Observation
	scheme, path := c.Scheme, c.Path
	if o.Scheme != "" {
		scheme, path = o.Scheme, o.Path
	}
	m := Metadata{
		Port: strconv.Itoa(int(c.PortNumber)), PortName: c.Port.Name, Scheme: scheme, Path: &path,
		Evidence: c.Strength.String(), Signs: strings.Join(signs(c.Signs), "; "),
		Toolset: toolsetName(f, types.Lookup(f.Type)),
		Probe:   o.Outcome, Cause: o.Cause, Version: o.Version, Tenant: c.Tenant, Description: c.Description,
		Credentials: strings.Join(slices.Sorted(maps.Values(f.Credentials)), ","),
	}
	var codes []string
	for i := range c.Signs {
		codes = append(codes, string(c.Signs[i].Code))
	}
	m.SignCodes = strings.Join(codes, ",")
	if f.Winner != (backend.Ref{}) {
		m.DuplicateOf = f.Winner.String()
	}
	return m
}

// toolsetName returns the HolmesGPT toolsets for a finding, separated by commas.
func toolsetName(f *backend.Finding, t *catalog.Type) string {
	switch c := f.Candidate; {
	case c.Custom:
		return "custom/" + c.Instance
	case f.Type == backend.TypeMCP:
		return "mcp/" + c.Instance
	case t == nil:
		return ""
	default:
		var names []string
		for i := range t.Toolset.HolmesGPT {
			names = append(names, t.EntryName(i, f.Observation.SkipVerify))
		}
		return strings.Join(names, ",")
	}
}

// Health returns the probe's outcome in a word or two.
func Health(o *backend.Observation) string {
	if o.Outcome == backend.Unreachable && o.Cause != "" {
		return fmt.Sprintf("%s (%s)", o.Outcome, o.Cause)
	}
	return string(o.Outcome)
}
