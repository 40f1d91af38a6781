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
	Target          string            `json:"target" doc:"Where it is: namespace/name of the ConfigMap, or a directory"`
	Keys            map[string]string `json:"keys" doc:"The generated keys as they are there, and their texts"`
	WrittenAt       *time.Time        `json:"written_at" doc:"Since when; null: since before this process began"`
	ResourceVersion string            `json:"resource_version" doc:"Of the ConfigMap, empty for files"`
	Replaced        map[string]string `json:"replaced" nullable:"true" doc:"What was there before; null where that is not known"`
	Desired         map[string]string `json:"desired" nullable:"true" doc:"What should be there, where that is something else: dry run, not written yet, or failing"`
	Error           *string           `json:"error" doc:"Why it is not as it should be"`
	Overrides       Overrides         `json:"overrides"`
	Variables       []Variable        `json:"variables" doc:"Environment variables that HolmesGPT needs to load it"`
	Warnings        []string          `json:"warnings" doc:"What was left out and why, and what in the overrides has no effect"`

	WarningCodes []view.WarningCode `json:"warning_codes" doc:"The code of each warning, in the same order"`
}

// Overrides are the overrides of the administrator.
type Overrides struct {
	Text   string  `json:"text" doc:"overrides.yaml as it is, empty for none"`
	Valid  bool    `json:"valid" doc:"In force; else the last good ones are"`
	Error  *string `json:"error" doc:"All that is wrong, a line each"`
	Line   *int    `json:"line" doc:"Of the first error, from 1"`
	Column *int    `json:"column" doc:"Of the first error, from 1"`
}

// Variable is an environment variable that HolmesGPT needs.
type Variable struct {
	Name     string `json:"name"`
	Toolset  string `json:"toolset" doc:"The entry that refers to it, and that fails without it"`
	Instance string `json:"instance" doc:"Its instance, empty where it has none"`
	Field    string `json:"field" doc:"As in api_key"`
}

func (a *API) registerDocument(h huma.API) {
	o := operation(http.MethodGet, "/api/v1/document", "get-document", "Get what is written, and what it replaced",
		Right{Verb: "get", Resource: ResourceToolsets})
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
