package view

import (
	"slices"
	"strings"
	"testing"

	"kubernaut.io/dynamic-toolset/internal/agent"
	"kubernaut.io/dynamic-toolset/internal/backend"
	"kubernaut.io/dynamic-toolset/internal/doctor"
)

// TestDoctor has a text for each code, and something to do wherever it is not well.
func TestDoctor(t *testing.T) {
	t.Attr("req", "DTS-CLI-7")
	facts := &doctor.Facts{ConfigMap: backend.Ref{Namespace: "holmes", Name: "toolsets"}}
	w := &doctor.Workload{Kind: "Deployment", Ref: backend.Ref{Namespace: "ai", Name: "x"}}
	said := map[string]doctor.Code{}
	for code := range doctorTexts {
		d := NewDoctor(facts, []doctor.Check{{Level: doctor.Todo, Code: code, Workload: w, Name: "NAME", Value: "VALUE", Want: "/want",
			Object: doctor.Object{Kind: doctor.KindSecret, Ref: backend.Ref{Namespace: "ai", Name: "s"}}, Key: "k", Toolset: "a/b",
			Hosts: []string{"a.b.svc"}, Right: doctor.Right{Verb: "get", Resource: "secrets", Namespace: "ai"}, Count: 2}})
		c := d.Checks[0]
		text := c.Message
		for _, a := range c.Advice {
			text += a.Text + a.Command
		}
		if other, both := said[text]; both || c.Message == "" || strings.ContainsAny(text, "<") || d.Well {
			t.Errorf("%s and %q: %q", code, other, text)
		}
		said[text] = code
	}
}

// The lines that print HolmesGPT's values do so for the ConfigMap that was checked, with the credentials of the service.
func TestDoctorValues(t *testing.T) {
	t.Attr("req", "DTS-CLI-7")
	facts := &doctor.Facts{ConfigMap: backend.Ref{Namespace: "holmes", Name: "toolsets"}}
	const want = "kubectl -n holmes get configmap dynamic-toolset-config -o jsonpath='{.data.config\\.yaml}' > config.yaml\n" +
		"dynamic-toolset generate --probe=proxy --values --config config.yaml > holmesgpt-values.yaml"
	for _, code := range []doctor.Code{doctor.CodeNoAgent, doctor.CodeVariableMissing, doctor.CodeVariableEmpty} {
		if got := NewDoctor(facts, []doctor.Check{{Code: code}}).Checks[0].Advice[0].Command; got != want {
			t.Errorf("%s: %s", code, got)
		}
	}
}

// TestDoctorSources: what is not known is not said as if it were.
func TestDoctorSources(t *testing.T) {
	t.Attr("req", "DTS-CLI-7")
	for _, tt := range []struct {
		check doctor.Check
		want  string
	}{
		{doctor.Check{Code: doctor.CodeObjectUnseen}, "could not see Secret ai/s, from which KEY comes: your user needs get secrets in namespace ai"},
		{doctor.Check{Code: doctor.CodeObjectUnseen, Possible: true},
			"could not see Secret ai/s, from which KEY could come: your user needs get secrets in namespace ai"},
		{doctor.Check{Code: doctor.CodeObjectMissing, Toolset: "a/b"},
			"KEY comes from Secret ai/s, which does not exist: the pod does not start, or HolmesGPT fails toolset a/b with all its instances"},
		{doctor.Check{Code: doctor.CodeObjectMissing}, "KEY comes from Secret ai/s, which does not exist: the pod does not start, or the variable is not set"},
	} {
		c := tt.check
		c.Name, c.Object = "KEY", doctor.Object{Kind: doctor.KindSecret, Ref: backend.Ref{Namespace: "ai", Name: "s"}}
		c.Right = doctor.Right{Verb: "get", Resource: "secrets", Namespace: "ai"}
		if got := NewDoctor(&doctor.Facts{}, []doctor.Check{c}).Checks[0].Message; got != tt.want {
			t.Errorf("got  %s\nwant %s", got, tt.want)
		}
	}
}

// TestDoctorLines: what owners of workloads choose adds nothing to lines that are copied.
func TestDoctorLines(t *testing.T) {
	t.Attr("req", "DTS-CLI-7 DTS-SEC-3")
	facts := &doctor.Facts{ConfigMap: backend.Ref{Namespace: "holmes", Name: "toolsets"}}
	w := &doctor.Workload{Kind: "Pod", Ref: backend.Ref{Namespace: "holmes", Name: "x"}}
	const bad = "/a'$(id)}, {name: PATH, value: b\nc: d\x1b[2J"
	for _, tt := range []struct{ code, want string }{
		{"location-missing", "- {name: CUSTOM_TOOLSET_LOCATION, value: '/a$(id)}, {name: PATH, value: b c: d"},
		{"sidecar-document", "kubectl -n holmes exec pod/x -c holmes -- cat '/a$(id)}, {name: PATH, value: b c: d"},
	} {
		c := doctor.Check{Level: doctor.Todo, Code: doctor.Code(tt.code), Workload: w, Name: "CUSTOM_TOOLSET_LOCATION", Value: "holmes", Want: bad}
		if tt.code == "sidecar-document" {
			c.Name = bad
		}
		d := NewDoctor(facts, []doctor.Check{c})
		command := d.Checks[0].Advice[0].Command
		if !strings.HasPrefix(command, tt.want) || strings.Count(command, "'") != 2 || strings.ContainsAny(command+d.Checks[0].Message, "\n\x1b") {
			t.Errorf("%s: %q", tt.code, command)
		}
	}
}

// TestDoctorAgent: HolmesGPT's toolsets are reported also where its answer does not show which document it has.
func TestDoctorAgent(t *testing.T) {
	t.Attr("req", "DTS-CLI-7")
	failed := []agent.Toolset{{Name: "a", Status: agent.StatusFailed, Error: "x"}}
	for _, tt := range []struct {
		name, generation string
		replica          agent.Replica
		want             []string
		well             bool
	}{
		{"it has the document", "generation/1", agent.Replica{Outcome: agent.Loaded}, []string{"ok agent-loaded"}, true},
		{"it has none", "generation/1", agent.Replica{Outcome: agent.NoDocument}, []string{"todo agent-no-document"}, false},
		{"no marker", "", agent.Replica{Outcome: agent.NoDocument}, []string{"unseen agent-unmarked"}, true},
		{"no marker, and it has an older one", "", agent.Replica{Outcome: agent.Loaded, Generation: "generation/1"}, []string{"unseen agent-unmarked"}, true},
		{"no marker, and a toolset fails", "", agent.Replica{Outcome: agent.NoDocument, Toolsets: failed},
			[]string{"unseen agent-unmarked", "todo agent-toolset-failed"}, false},
		{"no marker, and no answer", "", agent.Replica{Outcome: agent.Away}, []string{"unseen agent-away"}, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			d := Doctor{Well: true}
			a := NewAgent(&agent.State{Leading: true, Document: agent.Document{Generation: tt.generation}, Replicas: []agent.Replica{tt.replica}})
			d.AddAgent(&a)
			var got []string
			for _, c := range d.Checks {
				got = append(got, c.Level+" "+c.Code)
			}
			if !slices.Equal(got, tt.want) || d.Well != tt.well {
				t.Errorf("well is %t: %q", d.Well, got)
			}
		})
	}
}

func TestDoctorRights(t *testing.T) {
	t.Attr("req", "DTS-CLI-7")
	for command, r := range map[string]doctor.Right{
		"kubectl auth can-i list deployments.apps -A":  {Verb: "list", Group: "apps", Resource: "deployments"},
		"kubectl auth can-i get secrets -n holmes":     {Verb: "get", Resource: "secrets", Namespace: "holmes"},
		"kubectl auth can-i get configmaps -n default": {Verb: "get", Resource: "configmaps", Namespace: "default"},
	} {
		d := NewDoctor(&doctor.Facts{}, []doctor.Check{{Level: doctor.Unseen, Code: doctor.CodeUnseen, Right: r}})
		if got := d.Checks[0].Advice; !d.Well || !slices.Equal(got, []Advice{{got[0].Text, command}}) {
			t.Errorf("%+v", d)
		}
	}
}
