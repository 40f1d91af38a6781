package controller

import (
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"kubernaut.io/dynamic-toolset/internal/backend"
	"kubernaut.io/dynamic-toolset/internal/inventory"
	"kubernaut.io/dynamic-toolset/internal/toolset"
)

func grafana(namespace string) backend.Service {
	return on(namespace, "grafana", 3000, map[string]string{"app.kubernetes.io/name": "grafana"})
}

// Who gets a credential is reported when it changes, once, also by an upgrade that takes one away.
func TestReferencesAreReported(t *testing.T) {
	t.Attr("req", "DTS-OUT-4")
	const variable = "variable GRAFANA_API_KEY of toolset grafana/dashboards "
	o := Options{Inventory: inventory.Options{TrustedNamespaces: []string{"monitoring"}}}
	var left map[string]string
	start(t, nil, nil, true, o, func(r *rig) {
		r.prober.set(map[string]backend.Outcome{"grafana": backend.AuthRequired})
		r.world.Service(grafana("monitoring"))
		r.world.Service(grafana("evil"))
		pass(time.Second)
		r.expect(t, "the trusted one", "{{ env.GRAFANA_API_KEY }}", "name: monitoring/grafana", "-evil")
		if got := r.report.told("CredentialGiven"); len(got) != 1 || !strings.HasSuffix(got[0], variable+"is used for monitoring/grafana") {
			t.Errorf("Events: %q", got)
		}
		left = r.output.Live().Data
	})
	start(t, maps.Clone(left), nil, true, o, func(r *rig) {
		r.prober.set(map[string]backend.Outcome{"grafana": backend.AuthRequired})
		r.world.Service(grafana("monitoring"))
		pass(time.Second)
		if len(r.report.told("CredentialGiven")) > len(r.report.told("CredentialWithdrawn")) {
			t.Errorf("a restart reports what it found: %q", events(r.report))
		}
	})
	// The same document, read by a service that trusts nobody any more.
	start(t, maps.Clone(left), []string{"p"}, true, Options{}, func(r *rig) {
		pass(time.Second)
		got := r.report.told("CredentialWithdrawn")
		if len(got) != 1 || !strings.HasSuffix(got[0], variable+"is no longer used for monitoring/grafana") {
			t.Errorf("Events: %q", got)
		}
	})
}

func TestMoves(t *testing.T) {
	t.Attr("req", "DTS-OUT-4")
	old := references{{"N", "t", "main"}: "ns/main", {"K", "t", "a"}: "ns/a", {"K", "t", "b"}: "ns/b", {"L", "t", "a"}: "ns/a"}
	now := references{{"N", "t", "ns/main"}: "ns/main", {"K", "t", "b"}: "ns/b", {"K", "t", "c"}: "ns/c", {"M", "t", "a"}: "ns/a"}
	want := []ReferenceMove{{"K", "t", "ns/a", "ns/c"}, {"L", "t", "ns/a", ""}, {"M", "t", "", "ns/a"}}
	if got := moves(old, now); !slices.Equal(got, want) {
		t.Errorf("%+v, want %+v", got, want)
	}
}

// The place of a primary is kept for its name while a chart installs it again.
func TestPlaceOfThePrimary(t *testing.T) {
	t.Attr("req", "DTS-OUT-4 DTS-SEC-3")
	trusting := Options{Inventory: inventory.Options{TrustedNamespaces: []string{"monitoring", "evil"}}}
	start(t, nil, nil, true, trusting, func(r *rig) {
		r.prober.set(map[string]backend.Outcome{"grafana": backend.AuthRequired})
		r.world.Service(aged(grafana("monitoring"), 1))
		pass(time.Second)
		r.world.Service(aged(grafana("evil"), 2))
		pass(time.Second)
		r.remove("monitoring", "grafana")
		pass(10 * time.Minute)
		r.expect(t, "deleted", "-GRAFANA_API_KEY")
		r.world.Service(aged(grafana("monitoring"), 3))
		pass(time.Minute)
		r.expect(t, "made again", "GRAFANA_API_KEY", "name: monitoring/grafana", "-name: evil/grafana")
	})
}

// A stranger's Grafana that is the primary and goes down keeps no key from the trusted one, which is the primary from then on.
func TestDeadStrangerKeepsNoPlace(t *testing.T) {
	t.Attr("req", "DTS-OUT-4 DTS-SEC-3")
	trusting := Options{Inventory: inventory.Options{TrustedNamespaces: []string{"monitoring"}}}
	start(t, nil, nil, true, trusting, func(r *rig) {
		r.world.Service(aged(grafana("evil"), 1))
		pass(time.Second)
		r.expect(t, "alone", "name: evil/grafana")
		ours := aged(grafana("monitoring"), 2)
		ours.Name = "ours"
		r.prober.set(map[string]backend.Outcome{"ours": backend.AuthRequired})
		r.world.Service(ours)
		pass(time.Minute)
		r.expect(t, "beside it", "name: evil/grafana", "-GRAFANA_API_KEY")
		r.prober.set(map[string]backend.Outcome{"ours": backend.AuthRequired, "grafana": backend.Unreachable})
		pass(5 * time.Minute)
		r.expect(t, "it is down", "-name: evil/grafana", "name: monitoring/ours", "{{ env.GRAFANA_API_KEY }}")
		if state := r.output.Live().Data[toolset.KeyState]; !strings.Contains(state, "monitoring/ours") || strings.Contains(state, "evil") {
			t.Errorf("recorded: %s", state)
		}
		r.prober.set(map[string]backend.Outcome{"ours": backend.AuthRequired, "grafana": backend.AuthRequired})
		pass(5 * time.Minute)
		r.expect(t, "it requires credentials", "name: monitoring/ours", "{{ env.GRAFANA_API_KEY }}", "-name: evil/grafana")
	})
}

// It is kept for a day, and while the Service is there for ever.
func TestPlaceIsKeptForADay(t *testing.T) {
	t.Attr("req", "DTS-OUT-4")
	synctest.Test(t, func(t *testing.T) {
		m := memory{gone: map[string]time.Time{}}
		for _, step := range []struct {
			present bool
			wait    time.Duration
			want    bool
		}{
			{true, 48 * time.Hour, true}, {false, 23 * time.Hour, true}, {true, time.Hour, true}, {false, 12 * time.Hour, true},
			{false, 11 * time.Hour, true}, {false, time.Hour, true}, {false, 0, false},
		} {
			if got := m.keepsPlace("grafana", step.present); got != step.want {
				t.Errorf("%+v: %t", step, got)
			}
			time.Sleep(step.wait) //nolint:forbidigo // on the clock of synctest
		}
	})
}
