package main

import (
	"strings"

	"kubernaut.io/dynamic-toolset/internal/backend"
	"kubernaut.io/dynamic-toolset/internal/catalog"
	"kubernaut.io/dynamic-toolset/internal/server"
)

func metricsPage(m *markdown, root string) error {
	c, err := catalog.Builtin()
	if err != nil {
		return err
	}
	var names []string
	for _, t := range c.Types {
		names = append(names, t.Type)
	}
	m.para("The service serves them at `/metrics` of `metrics.address`, together with the metrics of the Go runtime " +
		"(`go_*`) and of the process (`process_*`). The [guide](../metrics.md) has queries and alerts.")
	rows := [][]string{{"metric", "type", "labels", "meaning"}}
	for _, d := range server.NewMetrics("devel", names).Describe() {
		rows = append(rows, []string{span(d.Name), d.Type, spans(d.Labels), prose(d.Help)})
	}
	m.table(rows...)
	m.heading(2, "Values of labels")
	m.para("The values of every label are bounded: your own types count as `custom`, and values outside a list count " +
		"as `other`. `type`, `service_type` and `detector` are the [built-in types](types.md), `custom` and `mcp`; " +
		"`endpoint` is the pattern of a route; `name` is the type and instance of a published backend, such as " +
		"`prometheus/monitoring/prometheus`.")
	s, err := parse(root, "internal/server")
	if err != nil {
		return err
	}
	verdicts, err := parse(root, "internal/backend")
	if err != nil {
		return err
	}
	values(m, "phase", s, "Phase", server.Phases())
	values(m, "result", s, "Result", server.Results())
	values(m, "operation", s, "Operation", server.Operations())
	values(m, "state", verdicts, "", backend.Verdicts)
	values(m, "reason", verdicts, "", server.FailureReasons())
	return nil
}

// values lists the values of a label, with the comments on the constants.
func values[T ~string](m *markdown, label string, s *source, prefix string, list []T) {
	var parts []string
	for _, v := range list {
		part := span(string(v))
		if text := s.constant(prefix, string(v)); text != "" {
			part += " (" + prose(strings.TrimSuffix(text, ".")) + ")"
		}
		parts = append(parts, part)
	}
	m.linef("- %s: %s.", span(label), strings.Join(parts, ", "))
}
