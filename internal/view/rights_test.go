package view

import "testing"

func TestRights(t *testing.T) {
	t.Attr("req", "DTS-CLI-4")
	const rules = `{apiGroups: [""], resources: [services], verbs: [get, list, watch]} and ` +
		`{apiGroups: ["discovery.k8s.io"], resources: [endpointslices], verbs: [list, watch]}`
	if got := WatchRules(); got != rules {
		t.Errorf("to watch: %s\nwant %s", got, rules)
	}
	if got := (Rule{Resource: "configmaps", Name: "tools", Verbs: "get"}).String(); got != `{apiGroups: [""], resources: [configmaps], resourceNames: [tools], verbs: [get]}` {
		t.Errorf("of one ConfigMap: %s", got)
	}
	if r, ok := OwnRule("secrets"); ok {
		t.Errorf("it needs %s", r)
	}
	for want, namespaces := range map[string][]string{
		"get on services/proxy in namespace a":                         {"a"},
		"get on services/proxy in namespaces a, b":                     {"a", "b"},
		"get on services/proxy in namespaces a, b, c, d, e and 2 more": {"a", "b", "c", "d", "e", "f", "g"},
	} {
		if right, check := NeedsProxy(namespaces); right != want || check != "kubectl auth can-i get services --subresource=proxy -n a" {
			t.Errorf("%s; %s\nwant %s", right, check, want)
		}
	}
}
