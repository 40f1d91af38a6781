package controller

import (
	"slices"
	"testing"

	corev1 "k8s.io/api/core/v1"

	"kubernaut.io/dynamic-toolset/internal/toolset"
)

// The variables that the overrides name are known as soon as they are observed, and while the last good ones are in force.
func TestVariablesOfTheOverrides(t *testing.T) {
	t.Attr("req", "DTS-OUT-4")
	t.Attr("req", "DTS-SEC-3")
	text := func(s string) *corev1.ConfigMap {
		return &corev1.ConfigMap{Data: map[string]string{toolset.KeyOverrides: s}}
	}
	var o overrides
	o.recall("toolsets: {own: {config: {key: '{{ env.FIRST }}'}}}")
	o.observe(text("compact: {grafana: {apiKey: '${SECOND}'}}\ntoolsets: {own: {config: {key: '{{env.THIRD}}'}}}"), nil)
	for _, want := range []string{"FIRST", "SECOND", "THIRD"} {
		if !slices.Contains(o.named, want) {
			t.Errorf("%s is not in %q", want, o.named)
		}
	}
}
