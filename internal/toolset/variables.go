package toolset

import (
	"cmp"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"kubernaut.io/dynamic-toolset/internal/backend"
)

// Variable is an environment variable that HolmesGPT needs to load the document.
type Variable struct {
	Name     string
	Toolset  string // the entry that refers to it and fails without it
	Instance string // the instance of the toolset: its name, or in an HTTP toolset its host; "" for all
	Field    string // the path in the instance or the entry, e.g. api_key
}

// reference is HolmesGPT's own expression for the variables that it replaces when it loads a file.
var reference = regexp.MustCompile(`{{\s*env\.([^}]*)\s*}}`)

func references(s string) []string {
	var names []string
	for _, m := range reference.FindAllStringSubmatch(s, -1) {
		names = append(names, strings.TrimSpace(m[1]))
	}
	return names
}

var shellReference = regexp.MustCompile(`\$\{([A-Za-z_][A-Za-z0-9_]*)\}`)

// NamesIn returns the variables that a text refers to, in the syntax of HolmesGPT or of the compact form.
func NamesIn(text string) []string {
	names := references(text)
	for _, m := range shellReference.FindAllStringSubmatch(text, -1) {
		names = append(names, m[1])
	}
	return names
}

// Variables returns the references in the HolmesGPT document, overrides included, ordered by name, toolset, instance
// and field.
func (d *Document) Variables() []Variable { return variables(d.HolmesGPT) }

// VariablesIn returns the references in the text of a HolmesGPT document, nil if the text cannot be read.
func VariablesIn(text string) []Variable {
	document, err := readDocument(text)
	if err != nil {
		return nil
	}
	return variables(document)
}

func variables(document map[string]any) []Variable {
	var out []Variable
	for at, tree := range eachEntry(document) {
		walkStrings("", tree, func(path, s string) {
			for _, v := range references(s) {
				instance, field := instanceAt(tree, path)
				out = append(out, Variable{Name: v, Toolset: at.name, Instance: instance, Field: field})
			}
		})
	}
	slices.SortFunc(out, func(a, b Variable) int {
		return cmp.Or(strings.Compare(a.Name, b.Name), strings.Compare(a.Toolset, b.Toolset),
			strings.Compare(a.Instance, b.Instance), strings.Compare(a.Field, b.Field))
	})
	return slices.Compact(out)
}

var instancePath = regexp.MustCompile(`^config\.(instances|endpoints)\[(\d+)\]\.?(.*)$`)

// instanceAt splits the path of a value in an entry into the name of the instance and the path in the instance.
func instanceAt(entry any, path string) (instance, field string) {
	m := instancePath.FindStringSubmatch(path)
	if m == nil {
		return "", strings.TrimPrefix(path, "config.")
	}
	instances := listIn(entry, m[1])
	i, err := strconv.Atoi(m[2])
	if err != nil || i >= len(instances) {
		return "", path
	}
	if m[1] == "instances" {
		return configName(instances[i]), m[3]
	}
	endpoint, _ := instances[i].(map[string]any)
	hosts, _ := endpoint["hosts"].([]any)
	if len(hosts) != 1 {
		return "", strings.TrimPrefix(path, "config.")
	}
	host, _ := hosts[0].(string)
	return host, m[3]
}

// IsFor reports whether the entry of a backend of the toolset uses the variable.
func (v *Variable) IsFor(f *backend.Finding) bool {
	origin, _ := splitURL(f.Endpoint())
	return v.Instance == "" || v.Instance == f.Candidate.Instance || v.Instance == origin
}
