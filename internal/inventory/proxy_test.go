package inventory_test

import (
	"testing"

	"kubernaut.io/dynamic-toolset/internal/backend"
	"kubernaut.io/dynamic-toolset/internal/detect"
	"kubernaut.io/dynamic-toolset/internal/inventory"
	"kubernaut.io/dynamic-toolset/internal/view"
)

// vmauth is the way in to what it stands before, once a probe has shown that it answers queries.
func TestProxyOfAnInstallation(t *testing.T) {
	t.Attr("req", "DTS-DET-6")
	c := builtin(t)
	d, err := detect.New(c, detect.Options{})
	if err != nil {
		t.Fatal(err)
	}
	ready := backend.Observation{Outcome: backend.Ready, Identity: true}
	labels := func(name, instance string) map[string]string {
		return map[string]string{"app.kubernetes.io/name": name, "app.kubernetes.io/instance": instance, "managed-by": "vm-operator"}
	}
	for name, tt := range map[string]struct {
		auth     map[string]string
		notes    map[string]string
		headless bool
		seen     *backend.Observation
		want     [2]string // of vmauth and of vmselect
	}{
		"it works":                  {auth: labels("vmauth", "main"), seen: &ready, want: [2]string{"accepted", "duplicate of vm/auth"}},
		"before a headless one":     {auth: labels("vmauth", "main"), seen: &ready, headless: true, want: [2]string{"accepted", "duplicate of vm/auth"}},
		"of another installation":   {auth: labels("vmauth", "other"), seen: &ready, want: [2]string{"accepted", "accepted"}},
		"nobody asked":              {auth: labels("vmauth", "main"), want: [2]string{"unconfirmed", "accepted"}},
		"it requires credentials":   {auth: labels("vmauth", "main"), seen: &backend.Observation{Outcome: backend.AuthRequired}, want: [2]string{"unconfirmed", "accepted"}},
		"it is something else":      {auth: labels("vmauth", "main"), seen: &backend.Observation{Outcome: backend.WrongIdentity}, want: [2]string{"rejected", "accepted"}},
		"it is down":                {auth: labels("vmauth", "main"), seen: &backend.Observation{Outcome: backend.NoEndpoints}, want: [2]string{"unconfirmed", "accepted"}},
		"its owner says what it is": {auth: labels("vmauth", "main"), notes: include, want: [2]string{"accepted", "duplicate of vm/auth"}},
		"its owner says, and it is down": {
			auth: labels("vmauth", "main"), notes: include, seen: &backend.Observation{Outcome: backend.NoEndpoints}, want: [2]string{"unavailable", "accepted"},
		},
		"by the cluster's chart": {
			auth: map[string]string{"app.kubernetes.io/name": "victoria-metrics-cluster", "app.kubernetes.io/instance": "main", "app": "vmauth"},
			seen: &ready, want: [2]string{"accepted", "duplicate of vm/auth"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			list := []inventory.Detection{
				proxyPart(d, "auth", tt.auth, tt.notes, 8427, false), proxyPart(d, "select", labels("vmselect", "main"), nil, 8481, tt.headless),
			}
			seen := map[backend.Key]backend.Observation{}
			if tt.seen != nil {
				seen[list[0].Candidates[0].Key()] = *tt.seen
				seen[list[1].Candidates[0].Key()] = ready
			}
			for _, f := range inventory.Build(list, seen, inventory.Options{Type: c.Lookup}) {
				got, want := string(f.Verdict), tt.want[0]
				if f.Ref == at("vm", "select") {
					want = tt.want[1]
				}
				if f.Verdict == backend.Duplicate {
					got += " of " + f.Winner.String()
				}
				if got != want {
					t.Errorf("%s is %s (%s), want %s", f.Ref, got, view.Reason(f), want)
				}
			}
		})
	}
}

var include = map[string]string{"kubernaut.io/toolset": "true", "kubernaut.io/toolset-type": "victoriametrics"}

func proxyPart(d *detect.Detector, name string, labels, notes map[string]string, port int32, headless bool) inventory.Detection {
	s := &backend.Service{
		Ref: at("vm", name), ClusterIP: "10.0.0.1", Labels: labels, Annotations: notes, Selector: map[string]string{"part": name},
		Ports: []backend.Port{{Name: "http", Number: port, Protocol: "TCP"}},
	}
	if headless {
		s.ClusterIP = "None"
	}
	return inventory.Detection{Service: s, Result: d.Detect(s, nil)}
}
