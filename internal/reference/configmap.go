package reference

import (
	"fmt"
	"reflect"

	"kubernaut.io/dynamic-toolset/internal/config"
	"kubernaut.io/dynamic-toolset/internal/publish"
	"kubernaut.io/dynamic-toolset/internal/toolset"
)

func configMap(root string) (Page, error) {
	p := Page{Name: "configmap.md", Title: "The ConfigMap", About: "every key that is written, and whose it is"}
	c := config.Default()
	var m markdown
	m.para(fmt.Sprintf("%s in the namespace %s unless `output.configMap` and `output.namespace` say otherwise; without a cluster "+
		"(`serve -f`) the keys are files in the directory of `--out`. It is written by server-side apply under the field manager %s. "+
		"Other keys, labels and annotations are left alone.", span(c.Output.ConfigMap), span(c.Output.Namespace), span(publish.DefaultFieldManager)))
	m.table([]string{"key", "whose", "what it holds"}, [][]string{
		{span(toolset.KeyHolmesGPT), "generated (`output.formats`: `holmesgpt`)", "the HolmesGPT document: what HolmesGPT loads"},
		{span(toolset.KeyCompact("<type>")), "generated (`output.formats`: `compact`)", "the compact form of one type; " +
			span(toolset.KeyCompact("kubernetes")) + " is always there"},
		{span(toolset.KeyState), "generated, for this service itself", "what must outlive a restart; see below"},
		{span(toolset.KeyOverrides), "the admin's", "[overrides](../configuration.md#overrides); merged, never rewritten, and brought back if the ConfigMap is deleted"},
	})
	m.para(fmt.Sprintf("Changes to generated keys are undone. A key of one of these names that is no longer generated is removed. Nothing is "+
		"written that would make the ConfigMap larger than %d KiB, and a Warning Event comes from %d KiB on.", publish.MaxBytes>>10, publish.WarnBytes>>10))
	m.heading(2, "Example")
	text, err := golden(root, "internal/cli/testdata/generate-configmap.golden")
	if err != nil {
		return p, err
	}
	m.para("What `generate` prints for a small cluster, where HASH is eight digits that change with the document; `serve` adds `state.json`.")
	m.code("yaml", text)
	m.heading(2, "state.json")
	s, err := parse(dir(root, "internal/publish"))
	if err != nil {
		return p, err
	}
	if err := jsonFields(&m, s, "State", reflect.TypeFor[publish.State](), map[string]string{
		"Published": "published", "Primaries": "primaries", "Overrides": "overrides",
	}); err != nil {
		return p, err
	}
	p.Text = m.String()
	return p, nil
}

// jsonFields describes a struct by its comments; names are its fields' in JSON.
func jsonFields(m *markdown, s *source, name string, t reflect.Type, names map[string]string) error {
	docs := s.types[name]
	m.para(prose(sentence(name, docs.doc)))
	var rows [][]string
	for i := range t.NumField() {
		f := t.Field(i)
		key, ok := names[f.Name]
		if !ok || docs.fields[f.Name] == "" {
			return fmt.Errorf("%s.%s: no name or no comment", name, f.Name)
		}
		rows = append(rows, []string{span(key), prose(upper(docs.fields[f.Name]))})
	}
	m.table([]string{"field", "meaning"}, rows)
	return nil
}
