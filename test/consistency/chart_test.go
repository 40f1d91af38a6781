package consistency

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"
	"testing"

	yaml "go.yaml.in/yaml/v3"
)

const (
	chart   = "charts/dynamic-toolset"
	runbook = "docs/runbook.md"
)

// chartValues are the keys of the chart's values, joined by dots, and those of the configuration below config; none while
// there is no chart.
func chartValues(t *testing.T) map[string]bool {
	t.Helper()
	set := map[string]bool{}
	for name, text := range files(t, chart, "values.yaml") {
		if name != chart+"/values.yaml" {
			continue
		}
		var tree map[string]any
		fatal(t, yaml.Unmarshal([]byte(text), &tree))
		addKeys(set, "", tree)
	}
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

var alertBlock = regexp.MustCompile(`(?s)- alert: (\w+)\n(.*?)(?:\n\s*- alert:|\z)`)

// alerts are the alerts of the chart and the anchors that they link to.
func alerts(t *testing.T) map[string]string {
	t.Helper()
	found := map[string]string{}
	for _, text := range files(t, chart, ".yaml", ".tpl") {
		for rest := text; ; {
			m := alertBlock.FindStringSubmatchIndex(rest)
			if m == nil {
				break
			}
			body := rest[m[4]:m[5]]
			_, url, _ := strings.Cut(body, "runbook_url:")
			line, _, _ := strings.Cut(url, "\n")
			_, anchor, _ := strings.Cut(strings.TrimSpace(line), "#")
			found[rest[m[2]:m[3]]] = anchor
			rest = rest[m[5]:]
		}
	}
	return found
}

// Each alert has a section in the runbook, which it links to, and one in the page on metrics; and the runbook has no other.
func TestRunbook(t *testing.T) {
	t.Attr("req", "DTS-DOC-1 DTS-PKG-1")
	all := documents(t)
	book, anchors := all[runbook], map[string]bool{}
	for _, l := range book.lines {
		if name, ok := strings.CutPrefix(l.text, "## "); ok && strings.HasPrefix(name, "DynamicToolset") {
			anchors[slug(name)] = true
		}
	}
	list := alerts(t)
	if len(list) < 5 {
		t.Fatalf("only %d alerts found in %s", len(list), chart)
	}
	var metricsPage strings.Builder
	for _, l := range all["docs/metrics.md"].lines {
		metricsPage.WriteString(l.text + "\n")
	}
	for name, anchor := range list {
		if anchor != slug(name) {
			t.Errorf("alert %s links to #%s, expected #%s", name, anchor, slug(name))
		}
		if !anchors[slug(name)] {
			t.Errorf("%s has no section %s", runbook, name)
		}
		if !strings.Contains(metricsPage.String(), name) {
			t.Errorf("docs/metrics.md does not tell of the alert %s", name)
		}
		delete(anchors, slug(name))
	}
	for anchor := range anchors {
		t.Errorf("%s has a section #%s, and there is no such alert", runbook, anchor)
	}
}

// A dashboard is JSON, and its expressions are checked as all names are; each panel has one.
func TestDashboard(t *testing.T) {
	t.Attr("req", "DTS-PKG-1")
	for name, text := range files(t, chart, "dashboard.json") {
		var d struct {
			Panels []struct {
				Title   string `json:"title"`
				Type    string `json:"type"`
				Targets []struct {
					Expr string `json:"expr"`
				} `json:"targets"`
			} `json:"panels"`
		}
		fatal(t, json.Unmarshal([]byte(text), &d))
		for _, p := range d.Panels {
			if p.Type != "row" && (len(p.Targets) == 0 || p.Targets[0].Expr == "") {
				t.Errorf("%s: the panel %q asks for nothing", name, p.Title)
			}
		}
	}
}

// object is a manifest.
type object map[string]any

// objects reads manifests.
func objects(text string) (list []object, err error) {
	d := yaml.NewDecoder(bytes.NewReader([]byte(text)))
	for {
		var o object
		switch err := d.Decode(&o); {
		case errors.Is(err, io.EOF):
			return list, nil
		case err != nil:
			return nil, err
		case o != nil:
			list = append(list, o)
		}
	}
}

// get is what is at a path, "" if nothing is.
func (o object) get(path ...any) any {
	var at any = map[string]any(o)
	for _, p := range path {
		switch key := p.(type) {
		case string:
			m, _ := at.(map[string]any)
			if m == nil {
				if m2, ok := at.(object); ok {
					m = m2
				}
			}
			at = m[key]
		case int:
			list, _ := at.([]any)
			if key >= len(list) {
				return nil
			}
			at = list[key]
		}
	}
	return at
}

func (o object) text(path ...any) string {
	if v := o.get(path...); v != nil {
		return fmt.Sprint(v)
	}
	return ""
}

// list is what is at a path, as objects.
func (o object) list(path ...any) (out []object) {
	items, _ := o.get(path...).([]any)
	for _, i := range items {
		switch m := i.(type) {
		case map[string]any:
			out = append(out, m)
		case object:
			out = append(out, m)
		}
	}
	return out
}
