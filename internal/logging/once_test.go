package logging

import (
	"maps"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// A condition is reported when it begins, changes and ends, each once.
func TestConditionIsReportedOnce(t *testing.T) {
	t.Attr("req", "DTS-LOG-1")
	var one Condition[string]
	var many Conditions[string, string]
	for i, step := range []struct {
		now     string
		changed bool
	}{{"", false}, {"refused", true}, {"refused", false}, {"timeout", true}, {"", true}, {"", false}, {"refused", true}} {
		if got := one.Changed(step.now); got != step.changed {
			t.Errorf("step %d, %q: changed %t, want %t", i, step.now, got, step.changed)
		}
	}
	for i, step := range []struct{ now, begin, over []string }{
		{nil, nil, nil},
		{[]string{"a", "b"}, []string{"a", "b"}, nil},
		{[]string{"b", "c"}, []string{"c"}, []string{"a"}},
		{[]string{"b", "c"}, nil, nil},
		{nil, nil, []string{"b", "c"}},
		{[]string{"a"}, []string{"a"}, nil},
	} {
		var begin []string
		for _, subject := range step.now {
			if !many.Is(subject, "x") {
				begin = append(begin, subject)
				many.Reported(subject, "x")
			}
		}
		over := slices.Sorted(maps.Keys(many.Over(func(s string) bool { return slices.Contains(step.now, s) })))
		if diff := cmp.Diff([][]string{step.begin, step.over}, [][]string{begin, over}); diff != "" {
			t.Errorf("step %d (-want +got):\n%s", i, diff)
		}
	}
	many.Reported("a", "y")
	if last, reported := many.Last("a"); last != "y" || !reported || !many.Drop("a") || many.Drop("a") {
		t.Error("a subject is not dropped once")
	}
	many.Reported("a", "y")
	if many.Is("a", "x") || !many.Is("a", "y") {
		t.Error("what was reported of a subject before still counts")
	}
}
