package server

import (
	"context"
	"errors"
	"maps"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"kubernaut.io/dynamic-toolset/internal/view"
	"kubernaut.io/dynamic-toolset/internal/yamlfile"
)

// Document is the published document with its overrides, variables and warnings.
type Document struct {
	Target          string            `json:"target" doc:"Place of the document: namespace/name of the ConfigMap, or a directory"`
	Keys            map[string]string `json:"keys" doc:"The generated keys as they are stored, with their texts"`
	WrittenAt       *time.Time        `json:"written_at" doc:"When this process wrote them; null if it has not written them"`
	ResourceVersion string            `json:"resource_version" doc:"resourceVersion of the ConfigMap; empty for files"`
	Replaced        map[string]string `json:"replaced" nullable:"true" doc:"The keys before the last write; null if not known"`
	Desired         map[string]string `json:"desired" nullable:"true" doc:"The keys to write, if they differ: in a dry run, before the write, or if the write fails"`
	Error           *string           `json:"error" doc:"Why the document is not written; null for no error"`
	Overrides       Overrides         `json:"overrides"`
	Variables       []Variable        `json:"variables" doc:"Environment variables that HolmesGPT needs to load the document"`
	Warnings        []string          `json:"warnings" doc:"Entries that the document leaves out, with the reason, and parts of the overrides without effect"`

	WarningCodes []view.WarningCode `json:"warning_codes" doc:"The code of each warning, in the same order"`
}

// Overrides are the overrides of the administrator.
type Overrides struct {
	Text   string  `json:"text" doc:"The text of overrides.yaml; empty if there are no overrides"`
	Valid  bool    `json:"valid" doc:"Whether these overrides are in force; if not, the last valid ones are"`
	Error  *string `json:"error" doc:"The errors, one in each line; null for none"`
	Line   *int    `json:"line" doc:"Line of the first error, from 1"`
	Column *int    `json:"column" doc:"Column of the first error, from 1"`
}

// Variable is an environment variable that HolmesGPT needs.
type Variable struct {
	Name     string `json:"name"`
	Toolset  string `json:"toolset" doc:"The toolset that refers to the variable; it fails without it"`
	Instance string `json:"instance" doc:"The instance that refers to it; empty if the toolset has no instances"`
	Field    string `json:"field" doc:"Field of the toolset, such as api_key"`
}

func (a *API) registerDocument(h huma.API) {
	o := operation(http.MethodGet, "/api/v1/document", "get-document",
		"Get the written document and the one that it replaced", Right{Verb: "get", Resource: ResourceToolsets})
	handle(h, o, func(context.Context, *struct{}) (Document, error) { return a.document(), nil })
}

func (a *API) document() Document {
	s := a.o.State.Snapshot()
	d := Document{
		Target: a.o.Target, Keys: map[string]string{}, ResourceVersion: s.Output.Version, Replaced: s.Output.Replaced,
		Error: text(s.Err), Overrides: overrides(s.Overrides), Variables: []Variable{}, Warnings: []string{},
		WarningCodes: []view.WarningCode{},
	}
	maps.Copy(d.Keys, s.Output.Keys)
	if at := s.Output.At; !at.IsZero() {
		at = at.UTC()
		d.WrittenAt = &at
	}
	if s.Keys != nil && !maps.Equal(s.Keys, d.Keys) {
		d.Desired = s.Keys
	}
	if a.o.Overrides != nil {
		d.Overrides.Text = a.o.Overrides()
	}
	if s.Document != nil {
		for _, v := range s.Document.Variables() {
			d.Variables = append(d.Variables, Variable(v))
		}
		d.Warnings = view.DocumentWarnings(s.Document.Warnings)
		d.WarningCodes = view.DocumentWarningCodes(s.Document.Warnings)
	}
	return d
}

func overrides(err error) Overrides {
	o := Overrides{Valid: err == nil, Error: text(err)}
	if places := (yamlfile.Errors)(nil); errors.As(err, &places) && len(places) > 0 {
		if first := places[0]; first.Line > 0 {
			o.Line = &first.Line
			if first.Column > 0 {
				o.Column = &first.Column
			}
		}
	}
	return o
}

func text(err error) *string {
	if err == nil {
		return nil
	}
	s := err.Error()
	return &s
}
