package publish

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"kubernaut.io/dynamic-toolset/internal/backend"
	"kubernaut.io/dynamic-toolset/internal/safetext"
	"kubernaut.io/dynamic-toolset/internal/toolset"
)

// State is what must survive a restart: the key state.json. It holds no clock times, so that its text changes only if
// its content changes.
type State struct {
	Published []Instance             // in any order; each Service, type and tenant once
	Primaries map[string]backend.Ref // by type
	// By type: primaries for the time being. They stay what they are while the namespace of the other Service cannot be
	// read.
	StandIns  map[string]backend.StandIn
	Overrides string   // the last valid text of overrides.yaml
	Keys      []string // the admin's additional keys (config output.keys) that were written
}

// Instance is a published instance, with enough to publish it again before it is probed again. Type and Service are
// encoded by instanceJSON, which puts them first.
type Instance struct {
	Type       string          `json:"-"`                 // as in backend.Candidate
	Service    backend.Ref     `json:"-"`                 // the Service that is used
	Name       string          `json:"name"`              // the name in the documents
	Scheme     string          `json:"scheme"`            // http or https, as found
	Path       string          `json:"path,omitempty"`    // base path as found: "" or "/prometheus"
	Port       int32           `json:"port"`              // as in backend.Candidate.PortNumber
	Outcome    backend.Outcome `json:"outcome"`           // the outcome when it was published
	Version    string          `json:"version,omitempty"` // only read: older releases wrote it
	SkipVerify bool            `json:"skipVerify,omitempty"`
	FoundHost  string          `json:"foundHost,omitempty"` // this and the next two are as in backend.Observation
	FoundPort  int32           `json:"foundPort,omitempty"`
	Wants      backend.Kind    `json:"wants,omitempty"`
	// The next three are as in backend.Candidate. They are needed while the namespace cannot be read.
	Host        string `json:"host,omitempty"`
	HealthPath  string `json:"healthPath,omitempty"`
	Description string `json:"description,omitempty"`
	// Detected is the type from detection if the probe has found a related type; else "".
	Detected     string `json:"detected,omitempty"`
	Tenant       string `json:"tenant,omitempty"`
	TenantHeader string `json:"tenantHeader,omitempty"`
	Link         string `json:"link,omitempty"` // as in backend.Finding
	// NoData is as in backend.Observation. It is not recorded, because any check may change it.
	NoData bool `json:"-"`
}

// Key returns the key of the published candidate.
func (i *Instance) Key() backend.Key {
	return backend.Key{Ref: i.Service, Type: i.Type, Tenant: i.Tenant}
}

// DetectedKey returns the key under which the candidate was detected; see backend.Candidate.DetectedKey.
func (i *Instance) DetectedKey() backend.Key {
	return backend.Key{Ref: i.Service, Type: cmp.Or(i.Detected, i.Type), Tenant: i.Tenant}
}

// stateVersion changes when an older release could misread what is written.
const stateVersion = 1

type stateJSON struct {
	Version   int                    `json:"version"`
	Published []instanceJSON         `json:"published"`
	Primaries map[string]string      `json:"primaries"`
	StandIns  map[string]standInJSON `json:"standins,omitempty"`
	Overrides string                 `json:"overrides,omitempty"`
	Keys      []string               `json:"keys,omitempty"`
}

type standInJSON struct {
	By  string `json:"by"`
	For string `json:"for"`
}

type instanceJSON struct {
	Type    string `json:"type"`
	Service string `json:"service"`
	Instance
}

// Encode returns the text of state.json. The same State gives the same bytes.
func (s *State) Encode() (string, error) {
	out := stateJSON{
		Version: stateVersion, Published: []instanceJSON{}, Primaries: map[string]string{},
		StandIns: map[string]standInJSON{}, Overrides: s.Overrides, Keys: s.Keys,
	}
	for _, i := range slices.SortedFunc(slices.Values(s.Published), Instance.compare) {
		out.Published = append(out.Published, instanceJSON{i.Type, i.Service.String(), i})
	}
	for typ, ref := range s.Primaries {
		out.Primaries[typ] = ref.String()
	}
	for typ, standIn := range s.StandIns {
		out.StandIns[typ] = standInJSON{standIn.By.String(), standIn.For.String()}
	}
	var text strings.Builder
	enc := json.NewEncoder(&text)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", " ")
	if err := enc.Encode(out); err != nil {
		return "", fmt.Errorf("state.json: %w", err)
	}
	return text.String(), nil
}

func (i Instance) compare(o Instance) int {
	return cmp.Or(strings.Compare(i.Type, o.Type), i.Service.Compare(o.Service), strings.Compare(i.Tenant, o.Tenant))
}

// DecodeState reads the text of state.json. It is strict, because other writers of the ConfigMap may have changed it.
// After an error the caller starts with an empty State. An instance that is not valid is left out alone: instances come
// from Services, and no owner may cause the whole state to be lost.
func DecodeState(text string) (*State, error) {
	var in struct {
		stateJSON
		Published []json.RawMessage `json:"published"` // decoded one by one, so that a long list of {} takes no memory
		Holders   json.RawMessage   `json:"holders"`   // an earlier release wrote it
	}
	if err := strict([]byte(text), &in); err != nil {
		return nil, fmt.Errorf("state.json: %w", err)
	}
	if in.Version != stateVersion {
		return nil, fmt.Errorf("state.json: version %d, expected %d", in.Version, stateVersion)
	}
	s := &State{
		Primaries: map[string]backend.Ref{}, StandIns: map[string]backend.StandIn{}, Overrides: in.Overrides,
	}
	for _, raw := range in.Published {
		var j instanceJSON
		if strict(raw, &j) != nil {
			continue
		}
		if i, valid := j.instance(); valid {
			s.Published = append(s.Published, i)
		}
	}
	for _, name := range in.Keys {
		if toolset.CheckOwnName(name) == nil {
			s.Keys = append(s.Keys, name)
		}
	}
	slices.SortStableFunc(s.Published, Instance.compare)
	s.Published = slices.CompactFunc(s.Published, func(a, b Instance) bool { return a.compare(b) == 0 })
	for typ, text := range in.Primaries {
		if ref, valid := parseRef(text); valid && validName(typ) {
			s.Primaries[typ] = ref
		}
	}
	for typ, text := range in.StandIns {
		by, valid := parseRef(text.By)
		other, too := parseRef(text.For)
		if valid && too && validName(typ) {
			s.StandIns[typ] = backend.StandIn{By: by, For: other}
		}
	}
	return s, nil
}

// strict decodes one JSON value. An unknown field or further text is an error.
func strict(text []byte, out any) error {
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.DisallowUnknownFields()
	if err := dec.Decode(out); err != nil {
		return errors.New(line(err))
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return errors.New("there is more text after its end")
	}
	return nil
}

// instance returns the Instance. It is not valid if a value must not be written into documents.
func (j *instanceJSON) instance() (i Instance, valid bool) {
	i = j.Instance
	i.Type = j.Type
	i.Service, valid = parseRef(j.Service)
	for _, text := range []string{i.Path, i.Version, i.Host, i.FoundHost, string(i.Wants), i.HealthPath, i.Description,
		i.Detected, i.TenantHeader, i.Link} {
		valid = valid && safetext.Check(text) == nil
	}
	return i, valid && validName(i.Type) && validName(i.Name) &&
		(i.Scheme == "http" || i.Scheme == "https") &&
		i.Port >= 1 && i.Port <= 65535 && i.FoundPort >= 0 && i.FoundPort <= 65535 &&
		validHost(i.Host) && validHost(i.FoundHost) &&
		(i.Path == "" || i.Path[0] == '/' && !strings.HasSuffix(i.Path, "/")) &&
		(i.HealthPath == "" || i.HealthPath[0] == '/') &&
		(i.Link == "" || strings.HasPrefix(i.Link, "https://") || strings.HasPrefix(i.Link, "http://")) &&
		(i.Tenant == "" || backend.ValidTenant(i.Tenant)) &&
		slices.Contains(backend.Outcomes(), i.Outcome)
}

func validHost(host string) bool { return len(host) <= 253 && !strings.ContainsAny(host, "/@:?# ") }

func validName(s string) bool { return s != "" && len(s) <= 512 && safetext.Check(s) == nil }

// parseRef returns the Service that namespace/name names.
func parseRef(s string) (ref backend.Ref, valid bool) {
	namespace, name, _ := strings.Cut(s, "/")
	valid = validName(s) && namespace != "" && name != "" && !strings.Contains(name, "/")
	return backend.Ref{Namespace: namespace, Name: name}, valid
}
