package controller

import (
	"slices"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"kubernaut.io/dynamic-toolset/internal/backend"
	"kubernaut.io/dynamic-toolset/internal/toolset"
)

// Texts of the key. Each valid one enables one toolset, by which the document shows which is in force.
const (
	helm   = "toolsets: {helm/core: {enabled: true}}"
	docker = "toolsets: {docker/core: {enabled: true}}"
	secret = "toolsets: {argocd/core: {enabled: true}, " +
		"prometheus/metrics: {config: {additional_headers: {Authorization: \"Bearer {{ env.TOKEN }}\"}}}}"
	broken     = "toolsets: {"
	unloadable = "toolsets: {a.b: {enabled: true}}" // HolmesGPT does not load it
	notUTF8    = "toolsets: {a\xff: {enabled: true}}"
	absent     = "-" // the ConfigMap has no such key
)

// configMap is one with the text, of this uid and version.
func configMap(uid types.UID, version, text string) *corev1.ConfigMap {
	cm := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{UID: uid, ResourceVersion: version}, Data: map[string]string{}}
	switch text {
	case absent:
	case notUTF8:
		cm.BinaryData = map[string][]byte{toolset.KeyOverrides: []byte(text)}
	default:
		cm.Data[toolset.KeyOverrides] = text
	}
	return cm
}

// withDocument is cm with a document.
func withDocument(cm *corev1.ConfigMap) *corev1.ConfigMap {
	cm.Data[toolset.KeyHolmesGPT] = "toolsets: {}"
	return cm
}

// twoPrometheus are instances that a credential for the whole toolset would go to.
func twoPrometheus() (list []*backend.Finding) {
	for _, name := range []string{"a", "b"} {
		f := finding(prometheus(name), "prometheus")
		f.Observation.Outcome = backend.Ready
		c := f.Candidate
		c.Instance, c.Scheme, c.Host, c.PortNumber = "ns/"+name, "http", name+".ns.svc", 9090
		list = append(list, f)
	}
	return list
}

// Each case is what happens to the ConfigMap, in order, and what is then in force, restored and wrong.
func TestOverrides(t *testing.T) {
	t.Attr("req", "DTS-OUT-6 DTS-OUT-8 DTS-OUT-10")
	c, _ := builtin(t)
	type step struct {
		live, gone *corev1.ConfigMap
		recalled   string // by state.json
		early      bool   // discovery is not complete
		instances  bool   // twoPrometheus are published
	}
	live := func(uid types.UID, version, text string) step { return step{live: configMap(uid, version, text)} }
	deleted := step{}
	for _, tt := range []struct {
		id, name string
		steps    []step
		inForce  string // the toolset that the text in force enables, "" for none
		restore  string
		wrong    string // part of the error, "" for none
	}{
		{"OUT-6", "none", []step{live("a", "1", absent)}, "", "", ""},
		{"OUT-6", "valid", []step{live("a", "1", helm)}, "helm", "", ""},
		{"OUT-6", "replaced", []step{live("a", "1", helm), live("a", "2", docker)}, "docker", "", ""},
		{"OUT-6", "invalid at first", []step{live("a", "1", broken)}, "", "", "overrides.yaml:2: not valid YAML"},
		{"OUT-6", "invalid YAML", []step{live("a", "1", helm), live("a", "2", broken)}, "helm", "", "overrides.yaml:2: not valid YAML"},
		{"OUT-6", "invalid for HolmesGPT", []step{live("a", "1", helm), live("a", "2", unloadable)}, "helm", "", "overrides.yaml:1:17: "},
		{"OUT-6", "not UTF-8", []step{live("a", "1", helm), live("a", "2", notUTF8)}, "helm", "", "not text in UTF-8"},
		{"OUT-6", "invalid, then another valid one", []step{live("a", "1", helm), live("a", "2", broken), live("a", "3", docker)}, "docker", "", ""},
		{"OUT-6", "invalid, then the good one again", []step{live("a", "1", helm), live("a", "2", broken), live("a", "3", helm)}, "helm", "", ""},
		{"OUT-6", "invalid, then removed", []step{live("a", "1", helm), live("a", "2", broken), live("a", "3", absent)}, "", "", ""},
		{"OUT-6", "empty", []step{live("a", "1", helm), live("a", "2", "")}, "", "", ""},
		{"OUT-6", "new credential for one instance", []step{live("a", "1", helm), live("a", "2", secret)}, "argocd", "", ""},
		{
			"OUT-6", "new credential for several instances",
			[]step{live("a", "1", helm), {live: configMap("a", "2", secret), instances: true}}, "helm", "", "goes to all 2 instances",
		},
		{
			"OUT-6", "it is valid once one of the instances is gone",
			[]step{live("a", "1", helm), {live: configMap("a", "2", secret), instances: true}, live("a", "2", secret)}, "argocd", "", "",
		},
		{
			"OUT-6", "new credential before discovery is complete",
			[]step{live("a", "1", helm), {live: configMap("a", "2", secret), early: true}}, "helm", "", "",
		},
		{
			"OUT-6", "credential that was published before this process began",
			[]step{{live: withDocument(configMap("a", "1", secret)), early: true, instances: true}}, "argocd", "", "",
		},
		{
			"OUT-6", "new credential beside a document",
			[]step{live("a", "1", absent), {live: withDocument(configMap("a", "2", secret)), instances: true}}, "", "", "goes to all 2 instances",
		},

		{"OUT-8", "deleted", []step{live("a", "1", helm), deleted}, "helm", helm, ""},
		{"OUT-8", "deleted while invalid", []step{live("a", "1", helm), live("a", "2", broken), deleted}, "helm", broken, "overrides.yaml:2: not valid YAML"},
		{"OUT-8", "deleted while not UTF-8", []step{live("a", "1", helm), live("a", "2", notUTF8), deleted}, "helm", helm, "UTF-8"},
		{"OUT-8", "deleted without overrides", []step{live("a", "1", absent), deleted}, "", "", ""},
		{"OUT-8", "made again without the key", []step{live("a", "1", helm), live("b", "3", absent)}, "helm", helm, ""},
		{"OUT-8", "made again with another text", []step{live("a", "1", helm), deleted, live("b", "3", docker)}, "docker", "", ""},
		{"OUT-8", "made again with an empty text", []step{live("a", "1", helm), live("b", "3", "")}, "", "", ""},
		{"OUT-8", "removed from a live one", []step{live("a", "1", helm), live("a", "2", absent)}, "", "", ""},
		{"OUT-8", "removed, then deleted", []step{live("a", "1", helm), live("a", "2", absent), deleted}, "", "", ""},
		{"OUT-8", "restored", []step{live("a", "1", helm), deleted, live("b", "4", helm)}, "helm", "", ""},
		{"OUT-8", "restored, then removed", []step{live("a", "1", helm), deleted, live("b", "4", helm), live("b", "5", absent)}, "", "", ""},
		{"OUT-8", "edited right before the deletion", []step{live("a", "1", helm), {gone: configMap("a", "2", docker)}}, "docker", docker, ""},
		{
			"OUT-8", "edited, deleted and made again at once",
			[]step{live("a", "1", helm), {gone: configMap("a", "2", docker), live: configMap("b", "3", absent)}}, "docker", docker, "",
		},
		{"OUT-8", "removed right before the deletion", []step{live("a", "1", helm), {gone: configMap("a", "2", absent)}}, "", "", ""},
		{"OUT-8", "an earlier deletion", []step{live("b", "3", helm), {live: configMap("b", "3", helm), gone: configMap("a", "2", docker)}}, "helm", "", ""},
		{"OUT-8", "deleted, and the last state seen is older", []step{live("b", "3", helm), {gone: configMap("a", "2", docker)}}, "helm", helm, ""},
		{"OUT-8", "made again without the key, and deleted", []step{live("a", "1", helm), {gone: configMap("b", "3", absent)}}, "helm", helm, ""},
		{"OUT-8", "deleted before this process saw it", []step{{gone: configMap("a", "2", docker)}}, "docker", docker, ""},

		{"OUT-10", "recalled beside an invalid text", []step{{recalled: helm, live: configMap("a", "1", broken)}}, "helm", "", "overrides.yaml:2: not valid YAML"},
		{"OUT-10", "recalled beside a newer text", []step{{recalled: helm, live: configMap("a", "1", docker)}}, "docker", "", ""},
		{"OUT-10", "recalled, and removed meanwhile", []step{{recalled: helm, live: configMap("a", "1", absent)}}, "", "", ""},
		{"OUT-10", "recalled without a ConfigMap", []step{{recalled: helm}}, "helm", "", ""},
		{"OUT-10", "unreadable", []step{{recalled: broken, live: configMap("a", "1", absent)}}, "", "", ""},
		{"OUT-10", "nothing recalled", []step{live("a", "1", helm), {recalled: "", live: configMap("a", "1", helm)}}, "helm", "", ""},
		{"OUT-10", "what the leader found good, of an older text", []step{live("a", "1", helm), {recalled: docker, live: configMap("a", "1", helm)}}, "helm", "", ""},
		{
			"OUT-10", "what the leader found good, of the text that is refused here",
			[]step{
				live("a", "1", helm), {live: configMap("a", "2", secret), instances: true},
				{live: configMap("a", "2", secret), recalled: secret, instances: true},
			}, "argocd", "", "",
		},
	} {
		t.Run(tt.id+" "+tt.name, func(t *testing.T) {
			var o overrides
			var document string
			for _, s := range tt.steps {
				o.recall(s.recalled)
				o.observe(s.live, s.gone)
				document = buildWith(t, &o, toolset.Options{Types: c.Types}, s.instances, !s.early)
			}
			for _, name := range []string{"helm", "docker", "argocd"} {
				if strings.Contains(document, name+"/core") != (name == tt.inForce) || strings.Contains(o.goodText, name) != (name == tt.inForce) {
					t.Errorf("want %q in force; state.json would have %q, the document is\n%s", tt.inForce, o.goodText, document)
				}
			}
			if got := o.restore(tt.steps[len(tt.steps)-1].live); got != tt.restore {
				t.Errorf("restores %q, want %q", got, tt.restore)
			}
			if o.err == nil && tt.wrong != "" || o.err != nil && (tt.wrong == "" || !strings.Contains(o.err.Error(), tt.wrong)) {
				t.Errorf("error %v, want %q", o.err, tt.wrong)
			}
		})
	}
}

// buildWith is the document that is built with the overrides.
func buildWith(t *testing.T, o *overrides, opts toolset.Options, instances, discovered bool) string {
	t.Helper()
	var findings []*backend.Finding
	if instances {
		findings = twoPrometheus()
	}
	doc, err := o.build(findings, opts, discovered)
	if err != nil {
		t.Fatal(err)
	}
	keys, err := doc.Keys()
	if err != nil {
		t.Fatal(err)
	}
	return keys[toolset.KeyHolmesGPT]
}

// The variables that the overrides name are known as soon as they are observed, and while the last good ones are in force.
func TestVariablesOfTheOverrides(t *testing.T) {
	t.Attr("req", "DTS-OUT-4 DTS-SEC-3")
	text := func(s string) *corev1.ConfigMap {
		return &corev1.ConfigMap{Data: map[string]string{toolset.KeyOverrides: s}}
	}
	var o overrides
	o.recall("toolsets: {own: {config: {key: '{{ env.FIRST }}'}}}")
	o.observe(text("compact: {grafana: {apiKey: '${SECOND}'}}\ntoolsets: {own: {config: {key: '{{env.THIRD}}'}}}"), nil)
	for _, want := range []string{"FIRST", "SECOND", "THIRD"} {
		if !slices.Contains(o.named, want) {
			t.Errorf("%s is not in %q", want, o.named)
		}
	}
}
