package view

import (
	"strings"
	"testing"

	"kubernaut.io/dynamic-toolset/internal/doctor"
	"kubernaut.io/dynamic-toolset/internal/toolset"
)

// Variables that differ by an underscore, as those of team-a/grafana and team/a-grafana do, are not read from one Secret.
func TestEachVariableHasASecretOfItsOwn(t *testing.T) {
	t.Attr("req", "DTS-CLI-8 DTS-SEC-3")
	v := Values{Needs: doctor.Needs{Variables: []toolset.Variable{{Name: "KEY_TEAM_A__GRAFANA"}, {Name: "KEY_TEAM__A_GRAFANA"}}}}
	text := v.YAML()
	for _, secret := range []string{"holmesgpt-key-team-a--grafana", "holmesgpt-key-team--a-grafana"} {
		if strings.Count(text, "name: "+secret) != 1 || strings.Count(text, "generic "+secret) != 1 {
			t.Errorf("%s is not one variable's:\n%s", secret, text)
		}
	}
}
