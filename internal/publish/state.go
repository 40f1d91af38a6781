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

// State is what must outlive a restart: the key state.json. There are no clock times in it, so that it
// changes only when what it says does.
type State struct {
	Published []Instance             // in any order, each Service, type and tenant once
	Primaries map[string]backend.Ref // by type
	Overrides string                 // the last valid text of overrides.yaml
	Keys      []string               // keys of the admin's own (config output.keys) that were written
}

// Instance is a published one: enough to publish it again before it is probed again. Type and Service are written
// first, and by instanceJSON.
type Instance struct {
	Type       string          `json:"-"`                 // as in backend.Candidate
	Service    backend.Ref     `json:"-"`                 // the Service that is used
	Name       string          `json:"name"`              // how the documents name it
	Scheme     string          `json:"scheme"`            // http or https, as found
	Path       string          `json:"path,omitempty"`    // base path as found: "" or "/prometheus"
	Port       int32           `json:"port"`              // the number to use with the host, as in backend.Candidate.PortNumber
	Outcome    backend.Outcome `json:"outcome"`           // with which it was published
	Version    string          `json:"version,omitempty"` // older releases wrote it; a backend may change it with each answer
	SkipVerify bool            `json:"skipVerify,omitempty"`
	FoundHost  string          `json:"foundHost,omitempty"` // as in backend.Observation, as the next two
	FoundPort  int32           `json:"foundPort,omitempty"`
	Wants      backend.Kind    `json:"wants,omitempty"`
	// What else is written of it, for a namespace that may not be read for a while: as in backend.Candidate.
	Host        string `json:"host,omitempty"`
	HealthPath  string `json:"healthPath,omitempty"`
	Description string `json:"description,omitempty"`
	// Detected is the type that detection took it for, where that is a relative of Type; else "".
	Detected     string `json:"detected,omitempty"`
	Tenant       string `json:"tenant,omitempty"`
	TenantHeader string `json:"tenantHeader,omitempty"`
	Link         string `json:"link,omitempty"` // as in backend.Finding
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

// Encode is the text of state.json: the same State gives the same bytes. The instances are encoded one by one, since there may be
// many of them.
func (s *State) Encode() (string, error) {
	out := stateJSON{Version: stateVersion, Published: []instanceJSON{}, Primaries: map[string]string{}, Overrides: s.Overrides, Keys: s.Keys}
	for typ, ref := range s.Primaries {
		out.Primaries[typ] = ref.String()
	}
	var buf bytes.Buffer
	if err := encode(&buf, "", out); err != nil {
		return "", err
	}
	before, after, _ := strings.Cut(buf.String(), "[]") // it comes first
	var text strings.Builder
	text.WriteString(before + "[")
	for n, i := range slices.SortedFunc(slices.Values(s.Published), Instance.compare) {
		if n > 0 {
			text.WriteByte(',')
		}
		buf.Reset()
		if err := encode(&buf, "  ", instanceJSON{i.Type, i.Service.String(), i}); err != nil {
			return "", err
		}
		text.WriteString("\n  ")
		text.Write(bytes.TrimSuffix(buf.Bytes(), []byte("\n")))
	}
	if len(s.Published) > 0 {
		text.WriteString("\n ")
	}
	text.WriteString("]" + after)
	return text.String(), nil
}

func encode(to io.Writer, prefix string, v any) error {
	enc := json.NewEncoder(to)
	enc.SetEscapeHTML(false)
	enc.SetIndent(prefix, " ")
	if err := enc.Encode(v); err != nil {
		return fmt.Errorf("state.json: %w", err)
	}
	return nil
}

func (i Instance) compare(o Instance) int {
	return cmp.Or(strings.Compare(i.Type, o.Type), i.Service.Compare(o.Service), strings.Compare(i.Tenant, o.Tenant))
}

// DecodeState reads the text of state.json. It is strict, since anybody who may write the ConfigMap may have written
// it: with an error the caller starts anew, as with an empty State. What is published comes from Services, so that
// each entry which cannot be is left out by itself.
func DecodeState(text string) (*State, error) {
	var in struct {
		stateJSON
		Published []json.RawMessage `json:"published"` // one by one, so that a long list of nothing takes no memory
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

// strict decodes one JSON value of known fields.
func strict(text []byte, out any) error {
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.DisallowUnknownFields()
	if err := dec.Decode(out); err != nil {
		return errors.New(line(err))
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return errors.New("there is more after its end")
	}
	return nil
}

// instance checks what goes into documents.
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
		{"path", i.Path}, {"version", i.Version}, {"host", i.Host}, {"foundHost", i.FoundHost}, {"wants", string(i.Wants)},
		{"healthPath", i.HealthPath}, {"description", i.Description}, {"detected", i.Detected},
		{"tenantHeader", i.TenantHeader}, {"link", i.Link},
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
		err = errors.New("tenant: expected the name of one")
	case !slices.Contains(backend.Outcomes(), i.Outcome):
		err = errors.New("outcome: expected one of a probe")
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
