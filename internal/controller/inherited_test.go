package controller

import (
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"kubernaut.io/dynamic-toolset/internal/backend"
	"kubernaut.io/dynamic-toolset/internal/inventory"
	"kubernaut.io/dynamic-toolset/internal/toolset"
)

// What the admin wrote for ours/p, and what else stands in that text.
const forOurs = `toolsets:
  helm/core: {enabled: true}
  prometheus/metrics: {config: {additional_headers: {Authorization: "Bearer {{ env.TOKEN }}"}}}
`

func ours() backend.Service { return aged(in("ours", prometheus("p")), 2) }
func evil() backend.Service { return aged(in("evil", prometheus("x")), 3) }

func unprovenOf(s backend.Service, typ string) backend.Service {
	s.Annotations = map[string]string{
		"kubernaut.io/toolset": "true", "kubernaut.io/toolset-type": typ, "kubernaut.io/toolset-health-endpoint": "none",
	}
	return s
}

func relative() backend.Service {
	s := in("evil", prometheus("x"))
	s.Labels = map[string]string{"app.kubernetes.io/name": "thanos", "app.kubernetes.io/component": "query"}
	s.Ports[0].Number, s.Ports[0].Name = 10902, "http"
	return s
}

// named is a configuration that names ours/p.
func named() Options {
	return Options{Inventory: inventory.Options{Primary: map[string]backend.Ref{"prometheus": {Namespace: "ours", Name: "p"}}}}
}

// admin sets the text of the overrides.
func (r *rig) admin(text string) {
	r.output.set(func(m map[string]string) map[string]string {
		if m == nil {
			m = map[string]string{}
		}
		m[toolset.KeyOverrides] = text
		return m
	})
	pass(time.Second)
}

// holder is the URL of the instance that has the credential, "" for none.
func (r *rig) holder(t *testing.T) string {
	t.Helper()
	text := r.document()
	if n := strings.Count(text, "env.TOKEN"); n == 0 {
		return ""
	} else if n > 1 {
		t.Errorf("%d instances have the credential:\n%s", n, text)
	}
	_, after, _ := strings.Cut(text, "env.TOKEN")
	_, after, _ = strings.Cut(after, "prometheus_url: ")
	url, _, _ := strings.Cut(after, "\n")
	return url
}

// An owner of one namespace cannot bring the credential that the admin wrote for ours to another Service, nor have
// the other overrides dropped, whatever comes and goes.
func TestCredentialOfTheOverridesStays(t *testing.T) {
	t.Attr("req", "DTS-OUT-6 DTS-OUT-4 DTS-SEC-3")
	const url = "http://p.ours.svc.cluster.local:9090"
	gone := func(r *rig) { r.remove("ours", "p") }
	down := func(r *rig) { r.prober.set(map[string]backend.Outcome{"p": backend.Unreachable}) }
	set := func(s backend.Service) func(r *rig) { return func(r *rig) { r.world.Service(s) } }
	older := aged(evil(), 1)
	for name, steps := range map[string]struct {
		attack []func(r *rig)
		want   string
	}{
		"a second one":                      {[]func(*rig){set(evil())}, url},
		"a second one, older":               {[]func(*rig){set(older)}, url},
		"a second one, unproven":            {[]func(*rig){set(unprovenOf(evil(), "prometheus"))}, url},
		"a relative":                        {[]func(*rig){set(relative())}, url},
		"a relative, unproven":              {[]func(*rig){set(unprovenOf(evil(), "thanos"))}, url},
		"ours is deleted":                   {[]func(*rig){set(evil()), gone}, ""},
		"ours is deleted, then another":     {[]func(*rig){gone, set(evil())}, ""},
		"ours is deleted, then an unproven": {[]func(*rig){gone, set(unprovenOf(evil(), "prometheus"))}, ""},
		"ours is deleted, then a relative":  {[]func(*rig){gone, set(relative())}, ""},
		"ours is down":                      {[]func(*rig){set(evil()), down}, ""},
		"ours is made again":                {[]func(*rig){set(evil()), gone, set(aged(ours(), 9))}, url},
		"ours is unproven by now":           {[]func(*rig){set(unprovenOf(ours(), "prometheus"))}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			var left map[string]string
			start(t, nil, nil, true, named(), func(r *rig) {
				r.world.Service(ours())
				pass(time.Second)
				r.admin(forOurs)
				if got := r.holder(t); got != url {
					t.Fatalf("before, %q has the credential:\n%s", got, r.document())
				}
				for _, step := range steps.attack {
					step(r)
					pass(10 * time.Minute)
				}
				checkHolder(t, r, steps.want)
				left = r.output.Live().Data
			})
			again := func(what, want string, data map[string]string) {
				start(t, data, nil, true, named(), func(r *rig) {
					for _, step := range steps.attack {
						step(r)
					}
					if !strings.HasPrefix(name, "ours is deleted") && name != "ours is made again" && name != "ours is unproven by now" {
						r.world.Service(ours())
					}
					pass(10 * time.Minute)
					t.Log(what)
					checkHolder(t, r, want)
				})
			}
			again("after a restart", steps.want, maps.Clone(left))
			without := maps.Clone(left)
			delete(without, toolset.KeyState)
			again("after a restart without state.json", steps.want, without)
		})
	}
}

// checkHolder: the credential is with one alone, and all else of the overrides is in force.
func checkHolder(t *testing.T, r *rig, want string) {
	t.Helper()
	if got := r.holder(t); got != want {
		t.Errorf("%q has the credential, want %q:\n%s", got, want, r.document())
	}
	r.expect(t, "the rest of the overrides", "helm/core")
	if err := r.Snapshot().Overrides; err != nil {
		t.Errorf("the overrides are told to be invalid: %v", err)
	}
	warned := slices.ContainsFunc(r.Snapshot().Document.Warnings, func(w toolset.Warning) bool {
		return w.Code == toolset.WarningCredentialWithheld && w.Place.File == "overrides.yaml" && w.Place.Line == 3
	})
	if warned != (want == "") {
		t.Errorf("warnings: %+v", r.Snapshot().Document.Warnings)
	}
}

// Nobody gets the credential of the overrides for being the first, the only or the only one that works.
func TestNewCredentialOfTheOverrides(t *testing.T) {
	t.Attr("req", "DTS-OUT-6 DTS-SEC-3")
	const url = "http://p.ours.svc.cluster.local:9090"
	trusting := Options{Inventory: inventory.Options{TrustedNamespaces: []string{"ours"}}}
	for name, tt := range map[string]struct {
		options Options
		down    []string
		there   []backend.Service
		want    string
	}{
		"it is alone, and nobody is configured": {Options{}, nil, []backend.Service{evil()}, ""},
		"ours is down":                          {trusting, []string{"p"}, []backend.Service{ours(), evil()}, ""},
		"ours is not there":                     {trusting, nil, []backend.Service{evil()}, ""},
		"ours is trusted":                       {trusting, nil, []backend.Service{ours()}, url},
		"ours is trusted, and another older":    {trusting, nil, []backend.Service{ours(), aged(evil(), 1)}, ""},
		"ours is named":                         {named(), nil, []backend.Service{ours(), aged(evil(), 1)}, url},
		"ours is named, and down":               {named(), []string{"p"}, []backend.Service{ours(), evil()}, ""},
		"ours is named, and another unproven":   {named(), nil, []backend.Service{ours(), unprovenOf(evil(), "prometheus")}, url},
	} {
		data := map[string]string{toolset.KeyOverrides: forOurs}
		again := maps.Clone(data)
		again[toolset.KeyHolmesGPT] = "toolsets: {}" // an earlier process wrote it
		for _, data := range []map[string]string{data, again} {
			t.Run(name, func(t *testing.T) {
				start(t, data, nil, true, tt.options, func(r *rig) {
					outcomes := map[string]backend.Outcome{}
					for _, name := range tt.down {
						outcomes[name] = backend.Unreachable
					}
					r.prober.set(outcomes)
					for i := range tt.there {
						r.world.Service(tt.there[i])
					}
					pass(10 * time.Minute)
					checkHolder(t, r, tt.want)
				})
			})
		}
	}
}

// A credential for several instances is refused, and the overrides before it stay.
func TestSharedCredentialOfTheOverrides(t *testing.T) {
	t.Attr("req", "DTS-OUT-6")
	const before = "toolsets: {docker/core: {enabled: true}}"
	start(t, nil, nil, true, Options{}, func(r *rig) {
		r.world.Service(ours())
		r.world.Service(evil())
		pass(time.Minute)
		r.admin(before)
		r.admin(forOurs)
		r.expect(t, "written", "docker/core", "-helm/core", "-env.TOKEN")
		if err := r.Snapshot().Overrides; err == nil || !strings.Contains(err.Error(), "overrides.yaml:3:53: ") ||
			!strings.Contains(err.Error(), "goes to all 2 instances") {
			t.Errorf("told: %v", err)
		}
		left := r.output.Live().Data
		if !strings.Contains(left[toolset.KeyState], "docker/core") || strings.Contains(left[toolset.KeyState], "TOKEN") {
			t.Errorf("state.json: %s", left[toolset.KeyState])
		}
		r.admin(before)
		if err := r.Snapshot().Overrides; err != nil || len(r.report.told("OverridesValid")) != 1 {
			t.Errorf("the good ones again: %v", err)
		}
		r.admin(forOurs)
		r.remove("ours", "p")
		pass(10 * time.Minute)
		checkHolder(t, r, "") // the text is good now, and the one that is left gets nothing
	})
}
