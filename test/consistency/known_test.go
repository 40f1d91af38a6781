package consistency

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"kubernaut.io/dynamic-toolset/internal/cli"
	"kubernaut.io/dynamic-toolset/internal/reference"
)

// known is what the code says there is.
type known struct {
	flags       map[string]bool
	keys        map[string]bool // of the configuration; those of mappings end in a dot
	values      map[string]bool // of the chart
	annotations map[string]bool
	metrics     map[string][]string // and their labels
	targets     map[string]bool     // of make
	events      map[string]bool     // reasons
}

func knowledge(t *testing.T) *known {
	t.Helper()
	k := &known{
		flags: map[string]bool{}, keys: map[string]bool{}, values: chartValues(t), annotations: map[string]bool{},
		metrics: map[string][]string{}, targets: map[string]bool{}, events: map[string]bool{},
	}
	commands := cli.Root()
	for _, c := range append([]*cobra.Command{commands}, commands.Commands()...) {
		c.InitDefaultHelpFlag()
		c.Flags().VisitAll(func(f *pflag.Flag) { k.flags["--"+f.Name] = true })
	}
	keys, err := reference.Keys(root)
	fatal(t, err)
	for _, key := range keys {
		k.keys[key.Path] = true
		if key.Type == "mapping" {
			k.keys[key.Path+"."] = true
		}
	}
	annotations, err := reference.Annotations(root)
	fatal(t, err)
	for _, a := range annotations {
		k.annotations[a] = true
	}
	list, err := reference.Metrics()
	fatal(t, err)
	for _, m := range list {
		k.metrics[m.Name] = m.Labels
		if m.Type == "histogram" {
			k.metrics[m.Name+"_bucket"] = append(slices.Clone(m.Labels), "le")
			k.metrics[m.Name+"_sum"], k.metrics[m.Name+"_count"] = m.Labels, m.Labels
		}
	}
	for _, text := range files(t, "", "Makefile") {
		for _, m := range regexp.MustCompile(`(?m)^([a-z][a-z-]*):`).FindAllStringSubmatch(text, -1) {
			k.targets[m[1]] = true
		}
	}
	events, err := reference.Events(root)
	fatal(t, err)
	for _, e := range events {
		k.events[e.Reason] = true
	}
	if len(k.flags) < 20 || len(k.keys) < 40 || len(k.metrics) < 20 || len(k.targets) < 10 || len(k.events) < 5 {
		t.Fatalf("less is known than there is: %d flags, %d keys, %d metrics, %d targets, %d Events",
			len(k.flags), len(k.keys), len(k.metrics), len(k.targets), len(k.events))
	}
	return k
}

func fatal(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// key says whether a key of the configuration, or of the chart's values, is one.
func (k *known) key(path string) bool {
	if k.keys[path] || k.values[path] {
		return true
	}
	for i := range path {
		if path[i] == '.' && k.keys[path[:i+1]] {
			return true // below a mapping
		}
	}
	return false
}

// sections are the first parts of keys.
func (k *known) sections() string {
	var list []string
	for key := range k.keys {
		section, _, _ := strings.Cut(key, ".")
		if !slices.Contains(list, section) {
			list = append(list, section)
		}
	}
	slices.Sort(list)
	return strings.Join(list, "|")
}
