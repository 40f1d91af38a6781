package controller

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"kubernaut.io/dynamic-toolset/internal/backend"
	"kubernaut.io/dynamic-toolset/internal/inventory"
	"kubernaut.io/dynamic-toolset/internal/publish"
)

// What is left out depends on what is there now: a process that has run for long writes what one writes that was just
// started. It measures the backends anew only after a change.
func TestTooLargeIsAsAfterAStart(t *testing.T) {
	t.Attr("req", "DTS-OUT-11")
	t.Attr("req", "DTS-OUT-5")
	var services []backend.Service
	for i := range 1500 {
		s := custom([]string{"a", "b", "c"}[i%3], fmt.Sprintf("x%04d", i), strings.Repeat("x", 500))
		services = append(services, aged(s, i))
	}
	running, s := crowd(t, inventory.Options{}, services)
	all := slices.Clone(s.Findings)
	describe := func(each, length int) func(int, *backend.Finding) {
		return func(i int, f *backend.Finding) {
			if i%each == 0 {
				f.Candidate.Description = strings.Repeat("x", length)
			}
		}
	}
	same := func(int, *backend.Finding) {}
	for _, step := range []struct {
		what   string
		change func(i int, f *backend.Finding)
	}{
		{"as at first", same},
		{"as before", same},
		{"a few notes are longer", describe(10, 580)},
		{"a few are gone", func(i int, f *backend.Finding) {
			if i%100 == 0 {
				f.Verdict = backend.Unavailable
			}
		}},
		{"and back", same},
		{"all notes are longer", describe(1, 1500)},
		{"all notes are short", describe(1, 1)},
		{"there is room for all", func(i int, f *backend.Finding) {
			if i%60 > 0 {
				f.Verdict = backend.Rejected
			}
		}},
	} {
		write := func(c *Controller) map[string]string {
			s.Findings = slices.Clone(all)
			for i, f := range all {
				f.Verdict, f.Reason = backend.Accepted, backend.Reason{}
				step.change(i, f)
			}
			_, keys, err := c.fit(s, nil)
			if err != nil {
				t.Fatal(err)
			}
			return keys
		}
		measured := running.memory.left
		got := write(running)
		left, bytes, room := running.memory.left, publish.SizeOf(got), step.what == "there is room for all"
		fresh, _ := crowd(t, inventory.Options{}, nil)
		if want := write(fresh); !maps.Equal(got, want) {
			t.Errorf("%s: %d bytes, want the %d that a new process writes", step.what, bytes, publish.SizeOf(want))
		}
		if bytes > publish.MaxBytes || !room && bytes < publish.MaxBytes*9/10 || room != (left == nil) {
			t.Errorf("%s: %d bytes, want what fits into %d; left out: %t", step.what, bytes, publish.MaxBytes, left != nil)
		}
		if again := measured == nil || measured != left; again == (step.what == "as before") {
			t.Errorf("%s: measured again: %t", step.what, again)
		}
	}
}
