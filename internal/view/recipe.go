package view

import (
	"cmp"
	"fmt"
	"strings"

	"kubernaut.io/dynamic-toolset/internal/backend"
	"kubernaut.io/dynamic-toolset/internal/recipe"
)

// Recipe is one way to give HolmesGPT the credentials of a backend: the Secret that contains them, the variables for
// them, and the lines to copy. This service reads no Secret.
type Recipe struct {
	By            string           `json:"by" doc:"The chart or operator that makes the credentials; empty if not known"`
	Source        string           `json:"source" doc:"The source of this recipe: repository and file"`
	Secret        string           `json:"secret" doc:"The Secret in the Service's namespace that contains them; empty if not known"`
	Copy          string           `json:"copy" doc:"The Secret in HolmesGPT's namespace for its variables; empty if there are none"`
	Variables     []RecipeVariable `json:"variables" doc:"Variables of HolmesGPT's environment"`
	Configuration string           `json:"configuration" doc:"The line of the configuration that names the variables; empty if it names them already"`
	Steps         []Advice         `json:"steps" doc:"What to do first"`
	Bring         string           `json:"bring" doc:"The command that makes the copy; empty if a step makes it, or none is needed"`
	Environment   string           `json:"environment" doc:"The lines for the values of HolmesGPT's chart; empty without variables"`
	Note          string           `json:"note" doc:"What the credentials allow"`

	byHand bool // people type the contents of the copy
}

// RecipeVariable is one variable of HolmesGPT's environment.
type RecipeVariable struct {
	Name  string `json:"name"`
	Field string `json:"field" doc:"The field of the toolset"`
	Key   string `json:"key" doc:"The key of the Secret; empty if there is a value"`
	Value string `json:"value" doc:"The value, if it is not secret"`
	Holds string `json:"holds" doc:"What it must contain, if that is not the key's value itself"`
}

// recipes returns the ways to give HolmesGPT the credentials of a backend.
func (m *Material) recipes(f *backend.Finding) []Recipe {
	list := []Recipe{}
	for _, r := range recipe.For(f, m.Catalog.Lookup(f.Type), m.Hints.HolmesGPT) {
		list = append(list, newRecipe(f, r, m.Hints.HolmesGPT))
	}
	return list
}

// newRecipe describes a recipe for HolmesGPT in a namespace.
func newRecipe(f *backend.Finding, r backend.Recipe, namespace string) Recipe {
	out := Recipe{
		By: r.By, Source: r.Source, Secret: r.Secret, Copy: r.Copy, Configuration: r.Line, Note: r.Note,
		Variables: []RecipeVariable{}, Steps: []Advice{},
	}
	made := r.Copy == r.Secret // whether the copy exists, or a step makes it
	for _, s := range r.Steps {
		out.Steps = append(out.Steps, Advice(s))
		made = made || strings.Contains(s.Command, r.Copy)
	}
	var lines, data []string
	for _, i := range r.Items {
		out.Variables = append(out.Variables,
			RecipeVariable{Name: i.Variable, Field: i.Field, Key: i.Key, Value: i.Value, Holds: i.Holds})
		from := "value: " + yamlText(i.Value)
		if i.Key != "" {
			from = fmt.Sprintf("valueFrom:\n      secretKeyRef: {name: %s, key: %s}", yamlText(r.Copy), yamlText(i.Key))
			data = append(data, `"`+i.Key+`": "{{index .data "`+i.Key+`"}}"`)
		}
		lines = append(lines, fmt.Sprintf("  - name: %s\n    %s", i.Variable, from))
	}
	if len(lines) > 0 {
		out.Environment = "additionalEnvVars:\n" + strings.Join(lines, "\n")
	}
	out.byHand = !made && r.Secret == ""
	switch {
	case made:
	case out.byHand:
		out.Bring = fmt.Sprintf("kubectl -n %s create secret generic %s --from-env-file=/dev/stdin", namespace, r.Copy)
	default:
		out.Bring = fmt.Sprintf("kubectl -n %s get secret %s -o go-template='\n"+
			`{"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "%s"},`+"\n"+
			` "data": {%s}}`+"\n' | kubectl -n %s apply -f -",
			f.Namespace, r.Secret, r.Copy, strings.Join(data, ", "), namespace)
	}
	return out
}

// advise returns how the variables get their values. line is the line of the configuration that is shown already.
func (r *Recipe) advise(f *backend.Finding, line string) (out []Advice) {
	text := fmt.Sprintf("Its credentials can come from %s.", r.By)
	if r.Secret != "" {
		text = fmt.Sprintf("Its credentials are in the Secret %s/%s, as made by %s.", f.Namespace, r.Secret, r.By)
	}
	if r.Note != "" {
		text += " " + r.Note
	}
	if r.By != "" {
		out = append(out, Advice{text, ""})
	}
	if pods := podsOf(f); r.Secret != "" && pods != "" {
		out = append(out, Advice{"If there is no such Secret, for example because the chart uses one of yours " +
			"(existingSecret), this shows the Secrets and keys that its pods use. " +
			"Use them instead of " + r.Secret + " and its keys below:", pods + " -o jsonpath='" + usedSecrets + "'"})
	}
	out = append(out, r.Steps...)
	switch {
	case r.byHand:
		out = append(out, Advice{"Put the credentials into a Secret in HolmesGPT's namespace: type " + r.typed() +
			", then Ctrl-D.", r.Bring})
	case r.Bring != "":
		out = append(out, Advice{"Copy the keys that are needed to HolmesGPT's namespace, " +
			"and again when the Secret changes:", r.Bring})
	}
	if r.Environment != "" {
		out = append(out, Advice{"Add the variables to the values of HolmesGPT's chart:", r.Environment})
	}
	if r.Configuration != "" && r.Configuration != line {
		out = append(out, Advice{"Then name them in the configuration" + caution + ":", r.Configuration})
	}
	return out
}

// usedSecrets is the JSONPath that lists the Secrets of pods, a line each: of variables with the key, of envFrom, of
// volumes.
const usedSecrets = `{range .items[*]..secretKeyRef}{.name} {.key}{"\n"}{end}` +
	`{range .items[*]..secretRef}{.name}{"\n"}{end}` +
	`{range .items[*]..secretName}{@}{"\n"}{end}`

// caution says that a line of the configuration that names variables trusts the owners of a Service.
const caution = " (anyone who can change this Service gets their values)"

// typed returns the lines that people type into a Secret.
func (r *Recipe) typed() string {
	var lines []string
	for _, v := range r.Variables {
		if v.Key != "" {
			value := strings.ReplaceAll(strings.ToUpper(cmp.Or(v.Holds, v.Field)), "BASE64 OF ", "base64 of ")
			lines = append(lines, fmt.Sprintf("the line %s=%s", v.Key, value))
		}
	}
	return strings.Join(lines, " and ")
}
