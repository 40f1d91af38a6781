package consistency

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	yaml "go.yaml.in/yaml/v3"

	"kubernaut.io/dynamic-toolset/internal/cli"
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
	for _, row := range listed(t, "configuration.md") {
		k.keys[row[0]] = true
		if strings.HasPrefix(row[1], "mapping") {
			k.keys[row[0]+"."] = true
		}
	}
	for _, row := range listed(t, "annotations.md") {
		k.annotations[row[0]] = true
	}
	for _, row := range listed(t, "metrics.md") {
		name, labels := row[0], strings.FieldsFunc(row[2], func(r rune) bool { return r == ',' || r == ' ' })
		k.metrics[name] = labels
		if row[1] == "histogram" {
			k.metrics[name+"_bucket"] = append(slices.Clone(labels), "le")
			k.metrics[name+"_sum"], k.metrics[name+"_count"] = labels, labels
		}
	}
	for _, text := range files(t, "", "Makefile") {
		for _, m := range regexp.MustCompile(`(?m)^([a-z][a-z-]*):`).FindAllStringSubmatch(text, -1) {
			k.targets[m[1]] = true
		}
	}
	for _, row := range listed(t, "events.md") {
		k.events[row[0]] = true
	}
	if len(k.flags) < 20 || len(k.keys) < 40 || len(k.metrics) < 20 || len(k.targets) < 10 || len(k.events) < 5 {
		t.Fatalf("less is known than there is: %d flags, %d keys, %d metrics, %d targets, %d Events",
			len(k.flags), len(k.keys), len(k.metrics), len(k.targets), len(k.events))
	}
	return k
}

// listed are the rows of the tables of a reference page, which is made from the code, without the marks of code.
func listed(t *testing.T, page string) (rows [][]string) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, "docs", "reference", page))
	fatal(t, err)
	for line := range strings.Lines(string(text)) {
		if strings.HasPrefix(line, "| `") {
			rows = append(rows, strings.Split(strings.Trim(strings.ReplaceAll(line, "`", ""), "| \n"), " | "))
		}
	}
	return rows
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
		section, _, _ := strings.Cut(strings.ReplaceAll(key, "[", "."), ".")
		if !slices.Contains(list, section) {
			list = append(list, section)
		}
	}
	slices.Sort(list)
	return strings.Join(list, "|")
}

// chartValues are the keys of the chart's values, joined by dots, and those of the configuration below config.
func chartValues(t *testing.T) map[string]bool {
	t.Helper()
	const chart = "charts/dynamic-toolset"
	var tree map[string]any
	fatal(t, yaml.Unmarshal([]byte(files(t, chart, "values.yaml")[chart+"/values.yaml"]), &tree))
	set := map[string]bool{}
	addKeys(set, "", tree)
	return set
}

func addKeys(set map[string]bool, prefix string, tree map[string]any) {
	for key, value := range tree {
		set[prefix+key] = true
		if below, ok := value.(map[string]any); ok {
			addKeys(set, prefix+key+".", below)
		}
	}
}
