// Package corpus scores detection on labelled Services of real charts, without probing (DTS-DET-10).
package corpus

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"slices"

	corev1 "k8s.io/api/core/v1"

	"kubernaut.io/dynamic-toolset/internal/backend"
	"kubernaut.io/dynamic-toolset/internal/catalog"
	"kubernaut.io/dynamic-toolset/internal/detect"
	"kubernaut.io/dynamic-toolset/internal/inventory"
	"kubernaut.io/dynamic-toolset/internal/store"
	"kubernaut.io/dynamic-toolset/internal/view"
)

// Entry is one labelled Service.
type Entry struct {
	ID      string         `json:"id"`
	Group   string         `json:"group"`
	Service corev1.Service `json:"service"`
	Truth   struct {
		Type       string  `json:"type"`
		Primary    bool    `json:"primary"`
		Port       int32   `json:"port"`
		Scheme     string  `json:"scheme"`
		AltPrimary bool    `json:"alt_primary"`
		AltPorts   []int32 `json:"alt_ports"`
		Doubt      bool    `json:"doubt"`
		Also       []struct {
			Type string `json:"type"`
			Port int32  `json:"port"`
		} `json:"also"`
	} `json:"truth"`

	findings []*backend.Finding
}

// Read reads entries, one JSON object a line.
func Read(r io.Reader) ([]*Entry, error) {
	var entries []*Entry
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, 1<<22)
	for n := 1; lines.Scan(); n++ {
		e := &Entry{}
		if err := json.Unmarshal(lines.Bytes(), e); err != nil {
			return nil, fmt.Errorf("line %d: %w", n, err)
		}
		entries = append(entries, e)
	}
	return entries, lines.Err()
}

// Score counts what detection got right for one type.
type Score struct {
	Type                                   string
	Primaries, Hits, Near, Accepted, False int
	PortRight, SchemeRight                 int
}

// Precision is the share of accepted Services that are right; 1 where none was accepted.
func (s Score) Precision() float64 { return ratio(s.Accepted-s.False, s.Accepted) }

// Recall is the share of primaries that were accepted.
func (s Score) Recall() float64 { return ratio(s.Hits, s.Primaries) }

// RecallNear counts the unconfirmed of the right type too.
func (s Score) RecallNear() float64 { return ratio(s.Hits+s.Near, s.Primaries) }

// Port is the share of hits with the right port.
func (s Score) Port() float64 { return ratio(s.PortRight, s.Hits) }

// Scheme is the share of hits with the right scheme.
func (s Score) Scheme() float64 { return ratio(s.SchemeRight, s.Hits) }

func ratio(a, b int) float64 {
	if b == 0 {
		return 1
	}
	return float64(a) / float64(b)
}

// Add sums up scores under another name.
func (s Score) Add(o Score) Score {
	s.Primaries += o.Primaries
	s.Hits += o.Hits
	s.Near += o.Near
	s.Accepted += o.Accepted
	s.False += o.False
	s.PortRight += o.PortRight
	s.SchemeRight += o.SchemeRight
	return s
}

// Run detects each group as one cluster and scores it: a score for each type, and a line for every miss.
func Run(entries []*Entry, c *catalog.Catalog) (map[string]*Score, []string, error) {
	d, err := detect.New(c, detect.Options{})
	if err != nil {
		return nil, nil, err
	}
	groups := map[string][]*Entry{}
	for _, e := range entries {
		groups[e.Group] = append(groups[e.Group], e)
	}
	for _, group := range groups {
		detectGroup(group, d, c)
	}
	scores := map[string]*Score{}
	for _, t := range c.Types {
		scores[t.Type] = &Score{Type: t.Type}
	}
	var misses []string
	for _, e := range entries {
		misses = append(misses, score(e, groups[e.Group], scores)...)
	}
	return scores, misses, nil
}

func detectGroup(group []*Entry, d *detect.Detector, c *catalog.Catalog) {
	var list []inventory.Detection
	byRef := map[backend.Ref]*Entry{}
	for _, e := range group {
		s := store.FromService(&e.Service, d.KeepAnnotation)
		byRef[s.Ref] = e
		list = append(list, inventory.Detection{Service: &s, Result: d.Detect(&s, nil)})
	}
	list, _ = inventory.PerTenant(list, nil)
	for _, f := range inventory.Build(list, nil, inventory.Options{Type: c.Lookup}) {
		byRef[f.Ref].findings = append(byRef[f.Ref].findings, f)
	}
}

func score(e *Entry, group []*Entry, scores map[string]*Score) (misses []string) {
	if e.Truth.Doubt {
		return nil
	}
	for _, f := range e.findings {
		if f.Verdict != backend.Accepted {
			continue
		}
		s := scores[f.Type]
		right := f.Type == e.Truth.Type && (e.Truth.Primary || e.Truth.AltPrimary)
		for _, also := range e.Truth.Also {
			right = right || f.Type == also.Type && f.Candidate.Port.Number == also.Port
		}
		s.Accepted++
		if !right {
			s.False++
			misses = append(misses, fmt.Sprintf("false: %s %s accepted as %s, is %s: %s", e.ID, f.Ref, f.Type, e.Truth.Type, view.Reason(f)))
		}
	}
	if !e.Truth.Primary {
		return misses
	}
	s := scores[e.Truth.Type]
	s.Primaries++
	hit, at := find(e, e.Truth.Type, backend.Accepted), e
	for _, o := range group {
		if hit == nil && o.Truth.AltPrimary && o.Truth.Type == e.Truth.Type {
			hit, at = find(o, e.Truth.Type, backend.Accepted), o
		}
	}
	if hit == nil {
		if find(e, e.Truth.Type, backend.Unconfirmed) != nil {
			s.Near++
		}
		return append(misses, fmt.Sprintf("missed: %s %s/%s is %s: %s", e.ID, e.Service.Namespace, e.Service.Name, e.Truth.Type, reasons(e)))
	}
	s.Hits++
	if n := hit.Candidate.PortNumber; n == at.Truth.Port || slices.Contains(at.Truth.AltPorts, n) {
		s.PortRight++
	} else {
		misses = append(misses, fmt.Sprintf("port: %s %s: %d, is %d", at.ID, hit.Ref, n, at.Truth.Port))
	}
	if hit.Candidate.Scheme == at.Truth.Scheme {
		s.SchemeRight++
	} else {
		misses = append(misses, fmt.Sprintf("scheme: %s %s: %s, is %s", at.ID, hit.Ref, hit.Candidate.Scheme, at.Truth.Scheme))
	}
	return misses
}

func find(e *Entry, typ string, v backend.Verdict) *backend.Finding {
	for _, f := range e.findings {
		if f.Type == typ && f.Verdict == v {
			return f
		}
	}
	return nil
}

func reasons(e *Entry) (text string) {
	for _, f := range e.findings {
		text += fmt.Sprintf("[%s %s: %s] ", f.Verdict, f.Type, view.Reason(f))
	}
	return text
}
