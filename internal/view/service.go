// Package view holds what is known in the shapes that people and programs see: commands, the API and the page show the same.
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

// Unmatched is the finding of a Service of which only the name is kept.
func Unmatched(ref backend.Ref) *backend.Finding {
	return &backend.Finding{Ref: ref, Verdict: backend.Rejected, Reason: backend.Reason{Code: backend.CodeUnmatched}}
}

// Service is a finding as programs see it (DTS-CLI-2).
type Service struct {
	Name      string            `json:"name"`
	Namespace string            `json:"namespace"`
	Type      string            `json:"type"`
	Endpoint  string            `json:"endpoint"`
	Labels    map[string]string `json:"labels"`
	Metadata  map[string]string `json:"metadata"`
	Healthy   *bool             `json:"healthy" doc:"null: not probed"`
	LastCheck *time.Time        `json:"last_check" doc:"null: not probed"`
	Instance  string            `json:"instance"`
	Primary   bool              `json:"primary"`
	Verdict   backend.Verdict   `json:"verdict"`
	Code      backend.Code      `json:"code" doc:"Why, as one of a closed set of codes"`
	Reason    string            `json:"reason" doc:"Why, for people"`
}

// NewService shows a finding.
func NewService(f *backend.Finding, types *catalog.Catalog) Service {
	s := Service{
		Name: f.Name, Namespace: f.Namespace, Type: f.Type, Endpoint: f.Endpoint(),
		Labels: map[string]string{}, Metadata: map[string]string{},
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
	if f.Warning.Is() {
		s.Metadata["warning"] = Warning(f)
	}
	return s
}

func metadata(f *backend.Finding, types *catalog.Catalog) map[string]string {
	c, o := f.Candidate, &f.Observation
	scheme, path := c.Scheme, c.Path
	if o.Scheme != "" {
		scheme, path = o.Scheme, o.Path
	}
	m := map[string]string{
		"port": strconv.Itoa(int(c.PortNumber)), "scheme": scheme, "path": path,
		"evidence": c.Strength.String(), "signs": strings.Join(c.Signs, "; "),
		"toolset": toolsetName(f, types.Lookup(f.Type)), "probe": string(o.Outcome),
	}
	for key, value := range map[string]string{
		"tenant": c.Tenant, "version": o.Version, "description": c.Description, "port_name": c.Port.Name, "cause": o.Cause,
		"credentials": strings.Join(slices.Sorted(maps.Values(f.Credentials)), ","),
	} {
		if value != "" {
			m[key] = value
		}
	}
	if f.Winner != (backend.Ref{}) {
		m["duplicate_of"] = f.Winner.String()
	}
	return m
}

// toolsetName is the HolmesGPT toolset that a finding is written into, several separated by commas.
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
		for _, e := range t.Toolset.HolmesGPT {
			if e.Name == "" {
				names = append(names, t.Type+"/"+c.Instance)
			} else {
				names = append(names, e.Name)
			}
		}
		return strings.Join(names, ",")
	}
}

// Health is the probe's outcome in a word or two.
func Health(o *backend.Observation) string {
	switch o.Outcome {
	case "":
		return ""
	case backend.Unreachable:
		if o.Cause != "" {
			return fmt.Sprintf("%s (%s)", o.Outcome, o.Cause)
		}
	}
	return string(o.Outcome)
}
