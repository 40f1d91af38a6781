package inventory_test

import (
	"regexp"
	"strings"
	"testing"

	"kubernaut.io/dynamic-toolset/internal/backend"
	"kubernaut.io/dynamic-toolset/internal/inventory"
	"kubernaut.io/dynamic-toolset/internal/recipe"
)

// Lines are copied, and names of Services are chosen: no line names a variable that holds what is another's.
func TestSuggestedVariablesAreNobodyElses(t *testing.T) {
	t.Attr("req", "DTS-OUT-4 DTS-SEC-3")
	given := func(typ, ref, field, variable string) map[string]map[backend.Ref]map[string]string {
		namespace, name, _ := strings.Cut(ref, "/")
		return map[string]map[backend.Ref]map[string]string{typ: {at(namespace, name): {field: variable}}}
	}
	both := given("grafana", "evil/grafana", "username", "A")
	both["grafana"][at("monitoring", "grafana")] = map[string]string{"username": "B"}
	shared := given("grafana", "evil/grafana", "username", "GRAFANA_PASSWORD_EVIL_GRAFANA")
	shared["loki"] = map[backend.Ref]map[string]string{at("a", "b"): {"username": "GRAFANA_PASSWORD_EVIL_GRAFANA"}}
	usual := `^GRAFANA_(API_KEY|USERNAME|PASSWORD)$`
	own := `^GRAFANA_(API_KEY|USERNAME|PASSWORD)_EVIL_GRAFANA$`
	apart := `^GRAFANA_(API_KEY|USERNAME|PASSWORD)_EVIL_GRAFANA_[0-9A-F]{8}$`
	for name, tc := range map[string]struct {
		options inventory.Options
		want    string // evil/grafana's, but those that it has
	}{
		"nothing is configured":               {inventory.Options{}, own},
		"the configuration gives it another":  {inventory.Options{Credentials: given("grafana", "x/y", "api_key", "GRAFANA_API_KEY_EVIL_GRAFANA")}, apart},
		"of another type":                     {inventory.Options{Credentials: given("loki", "x/y", "api_key", "GRAFANA_PASSWORD_EVIL_GRAFANA")}, apart},
		"its own":                             {inventory.Options{Credentials: given("grafana", "evil/grafana", "username", "GRAFANA_PASSWORD_EVIL_GRAFANA")}, usual},
		"its own, which another has too":      {inventory.Options{Credentials: shared}, usual},
		"one of two that are named":           {inventory.Options{Credentials: both}, own},
		"the usual one is another's":          {inventory.Options{Credentials: given("loki", "x/y", "api_key", "GRAFANA_API_KEY")}, own},
		"the overrides name it":               {inventory.Options{Taken: []string{"GRAFANA_API_KEY_EVIL_GRAFANA"}}, apart},
		"primary, the usual one is another's": {inventory.Options{Primary: map[string]backend.Ref{"grafana": at("evil", "grafana")}, Credentials: given("loki", "x/y", "api_key", "GRAFANA_API_KEY")}, own},
	} {
		tc.options.FirstRoundOver = true
		all := builtin(t)
		f := build(t, tc.options, theirs(1, wants), strangers(2, wants))["evil/grafana"]
		suggested := 0
		for _, r := range recipe.For(f, all.Lookup("grafana"), "kubernaut-system") {
			for _, item := range r.Items {
				if r.Line == "" {
					continue
				}
				if suggested++; !regexp.MustCompile(tc.want).MatchString(item.Variable) {
					t.Errorf("%s: %s is suggested, want %s", name, item.Variable, tc.want)
				}
				for _, services := range tc.options.Credentials {
					for ref, fields := range services {
						for _, v := range fields {
							if ref != f.Ref && v == item.Variable {
								t.Errorf("%s: %s is suggested, which %s has", name, v, ref)
							}
						}
					}
				}
			}
			for _, line := range f.Remedies {
				if r.Line != "" && strings.Contains(r.Line, "api_key") && line != r.Line && strings.HasPrefix(line, "credentials") {
					t.Errorf("%s: %s beside %s", name, line, r.Line)
				}
			}
		}
		if suggested == 0 && len(f.Credentials) == 0 {
			t.Errorf("%s: nothing is suggested", name)
		}
	}
}
