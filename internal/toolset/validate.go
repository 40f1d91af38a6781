package toolset

import (
	"cmp"
	"errors"
	"slices"

	"kubernaut.io/dynamic-toolset/internal/yamlfile"
)

// Problem is something in a HolmesGPT document that its author should know.
type Problem struct {
	yamlfile.Error
	Severity Severity
}

// Validate checks a HolmesGPT document of any author for what HolmesGPT cannot load or would misread, and lists the
// environment variables that it needs. The problems are in the order of the text; name is the document's name in them.
func Validate(name string, data []byte) []Problem {
	f, err := yamlfile.Parse(name, data)
	if err != nil {
		return problems(Error, err)
	}
	var root any
	f.Python()
	f.Decode(&root)
	if err := f.Err(); err != nil {
		return problems(Error, err)
	}
	c := checker{shared: Doubtful}
	if doc, ok := root.(map[string]any); ok {
		c.document(doc)
	} else {
		c.errorf("", "expected a mapping with toolsets and mcp_servers")
	}
	var out []Problem
	for _, severity := range []Severity{Error, Doubtful, Note} {
		f := f.Fresh()
		for _, p := range c.complaints {
			if p.severity == severity {
				f.At(p.path, "%s", p.message)
			}
		}
		out = append(out, problems(severity, f.Err())...)
	}
	slices.SortStableFunc(out, func(a, b Problem) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
	})
	return out
}

func problems(severity Severity, err error) []Problem {
	var errs yamlfile.Errors
	errors.As(err, &errs)
	out := make([]Problem, len(errs))
	for i, e := range errs {
		out[i] = Problem{e, severity}
	}
	return out
}
