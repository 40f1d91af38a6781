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
	Overrides string                 // the last valid text of overrides.yaml
	Keys      []string               // the admin's additional keys (config output.keys) that were written
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
	Version   int               `json:"version"`
	Published []instanceJSON    `json:"published"`
	Primaries map[string]string `json:"primaries"`
	Overrides string            `json:"overrides,omitempty"`
	Keys      []string          `json:"keys,omitempty"`
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
		Overrides: s.Overrides, Keys: s.Keys,
	}
	for _, i := range slices.SortedFunc(slices.Values(s.Published), Instance.compare) {
		out.Published = append(out.Published, instanceJSON{i.Type, i.Service.String(), i})
	}
	for typ, ref := range s.Primaries {
		out.Primaries[typ] = ref.String()
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
	s := &State{Primaries: map[string]backend.Ref{}, Overrides: in.Overrides}
	for _, raw := range in.Published {
		var j instanceJSON
		if strict(raw, &j) != nil {
			continue
		}
		if i, err := j.instance(); err == nil {
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
		if ref, err := parseRef(text); err == nil && checkText("type", typ) == nil {
			s.Primaries[typ] = ref
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

// instance returns the Instance, or an error if a value must not be written into documents.
func (j *instanceJSON) instance() (i Instance, err error) {
	i = j.Instance
	i.Type = j.Type
	if i.Service, err = parseRef(j.Service); err != nil {
		return i, err
	}
	for _, field := range [][2]string{{"type", i.Type}, {"name", i.Name}} {
		if err := checkText(field[0], field[1]); err != nil {
			return i, err
		}
	}
	for _, field := range [][2]string{
		{"path", i.Path}, {"version", i.Version}, {"host", i.Host}, {"foundHost", i.FoundHost},
		{"wants", string(i.Wants)}, {"healthPath", i.HealthPath}, {"description", i.Description},
		{"detected", i.Detected}, {"tenantHeader", i.TenantHeader}, {"link", i.Link},
	} {
		if err := safetext.Check(field[1]); err != nil {
			return i, fmt.Errorf("%s: %w", field[0], err)
		}
	}
	badHost := func(host string) bool { return len(host) > 253 || strings.ContainsAny(host, "/@:?# ") }
	switch {
	case i.Scheme != "http" && i.Scheme != "https":
		err = errors.New("scheme: expected http or https")
	case i.Port < 1 || i.Port > 65535:
		err = errors.New("port: expected 1 to 65535")
	case badHost(i.Host):
		err = errors.New("host: expected a DNS name")
	case badHost(i.FoundHost):
		err = errors.New("foundHost: expected a DNS name")
	case i.FoundPort < 0 || i.FoundPort > 65535:
		err = errors.New("foundPort: expected 1 to 65535")
	case i.HealthPath != "" && !strings.HasPrefix(i.HealthPath, "/"):
		err = errors.New(`healthPath: expected "" or an absolute path`)
	case i.Path != "" && (!strings.HasPrefix(i.Path, "/") || strings.HasSuffix(i.Path, "/")):
		err = errors.New(`path: expected "" or an absolute path without a slash at its end`)
	case i.Link != "" && !strings.HasPrefix(i.Link, "https://") && !strings.HasPrefix(i.Link, "http://"):
		err = errors.New("link: expected a URL for a browser")
	case i.Tenant != "" && !backend.ValidTenant(i.Tenant):
		err = errors.New("tenant: expected a tenant's name")
	case !slices.Contains(backend.Outcomes(), i.Outcome):
		err = errors.New("outcome: expected the outcome of a probe")
	}
	return i, err
}

func checkText(field, s string) error {
	if s == "" || len(s) > 512 {
		return fmt.Errorf("%s: expected 1 to 512 bytes", field)
	}
	if err := safetext.Check(s); err != nil {
		return fmt.Errorf("%s: %w", field, err)
	}
	return nil
}

func parseRef(s string) (backend.Ref, error) {
	namespace, name, ok := strings.Cut(s, "/")
	if !ok || namespace == "" || name == "" || strings.Contains(name, "/") {
		return backend.Ref{}, errors.New("expected a Service as namespace/name")
	}
	if err := checkText("service", s); err != nil {
		return backend.Ref{}, err
	}
	return backend.Ref{Namespace: namespace, Name: name}, nil
}
