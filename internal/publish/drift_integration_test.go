//go:build integration

package publish

import (
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"kubernaut.io/dynamic-toolset/internal/toolset"
)

func testCreate(t *testing.T, c *cluster) {
	t.Attr("req", "DTS-OUT-1 DTS-OUT-7 DTS-SEC-1")
	p, requests := c.publisher()
	res := c.publish(p, Desired{Keys: testKeys()})
	if !res.Written || !res.Created || res.Restored || len(res.Drifted) > 0 {
		t.Errorf("result %+v", res)
	}
	cm := c.get()
	equal(t, "data", testKeys(), cm.Data)
	equal(t, "labels", testLabels, cm.Labels)
	if len(cm.ManagedFields) != 1 || cm.ManagedFields[0].Manager != "dynamic-toolset" || cm.ManagedFields[0].Operation != "Apply" {
		t.Errorf("managedFields %+v, want one entry of dynamic-toolset", cm.ManagedFields)
	}
	if res.Live.ResourceVersion != cm.ResourceVersion {
		t.Errorf("Live is at %s, the ConfigMap at %s", res.Live.ResourceVersion, cm.ResourceVersion)
	}
	c.quiet(p, requests, testKeys())

	// A changed text is one request.
	keys := testKeys()
	keys[keyProm] = "toolset: prometheus # 2\n"
	requests.requests = nil
	res = c.publish(p, Desired{Keys: keys})
	equal(t, "requests", []string{"apply"}, requests.requests)
	equal(t, "changed", []string{keyProm}, res.Changed)
	equal(t, "drifted", []Drift(nil), res.Drifted)
	c.quiet(p, requests, keys)
}

// The field managers are named, whatever they did. That all is repaired is held by the integration tests of the service.
func testDrift(t *testing.T, top *cluster) {
	const zipkin = "zipkin-toolset.yaml"
	for _, tt := range []struct {
		name  string
		do    func(*cluster)
		drift []Drift
	}{
		{
			"applied by two", func(c *cluster) {
				c.apply("vandal", true, map[string]string{keyProm: "x"})
				c.apply("another", false, map[string]string{keyProm: "x"})
			},
			[]Drift{{keyProm, "another, vandal"}},
		},
		{
			"several at once", func(c *cluster) {
				c.patch("vandal", object{
					"data":       object{keyProm: "x", toolset.KeyHolmesGPT: nil, zipkin: "x"},
					"binaryData": object{toolset.KeyHolmesGPT: []byte{1}, keyGrafana: []byte{2}},
				})
			},
			[]Drift{{toolset.KeyHolmesGPT, "vandal"}, {keyProm, "vandal"}, {keyGrafana, "vandal"}, {zipkin, "vandal"}},
		},
		{
			"owners forgotten", func(c *cluster) {
				c.patch("vandal", object{"metadata": object{"managedFields": []any{object{}}}})
				c.patch("vandal", object{"data": object{keyProm: "x"}, "metadata": object{"managedFields": []any{object{}}}})
			},
			[]Drift{{keyProm, ""}},
		},
		{
			"label changed", func(c *cluster) {
				c.patch("helm", object{"metadata": object{"labels": object{"app.kubernetes.io/managed-by": "Helm", "app.kubernetes.io/name": nil}}})
			},
			[]Drift{{"label app.kubernetes.io/managed-by", "helm"}, {"label app.kubernetes.io/name", ""}},
		},
		{
			"replaced", func(c *cluster) {
				cm := c.get()
				cm.Data, cm.Labels, cm.Annotations = map[string]string{toolset.KeyOverrides: cm.Data[toolset.KeyOverrides]}, nil, nil
				if _, err := c.admin.Update(c.t.Context(), cm, metav1.UpdateOptions{FieldManager: "kubectl-replace"}); err != nil {
					c.t.Fatal(err)
				}
			},
			[]Drift{
				{toolset.KeyHolmesGPT, ""}, {keyProm, ""}, {toolset.KeyState, ""},
				{"label app.kubernetes.io/managed-by", ""}, {"label app.kubernetes.io/name", ""},
			},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Attr("req", "DTS-OUT-7 DTS-OUT-8")
			c := newCluster(t, top.env)
			p, requests := c.publisher()
			c.publish(p, Desired{Keys: testKeys()})
			c.apply("admin", false, map[string]string{toolset.KeyOverrides: "mine: [1]\n"})
			tt.do(c)
			res := c.publish(p, Desired{Keys: testKeys()})
			if !res.Written {
				t.Error("nothing was written")
			}
			equal(t, "drifted", tt.drift, res.Drifted)
			if got := c.get().Data[toolset.KeyOverrides]; got != "mine: [1]\n" {
				t.Errorf("overrides %q", got)
			}
			c.quiet(p, requests, testKeys())
		})
	}
}

// Whatever is not ours stays to the byte, however often we write, and even where it was applied under our name.
func testForeign(t *testing.T, c *cluster) {
	t.Attr("req", "DTS-OUT-7 DTS-OUT-6")
	p, requests := c.publisher()
	c.publish(p, Desired{Keys: testKeys()})
	const text = "# mine \t\r\ntoolsets:\n  a/b: {x: \"é \\u0000 {{ env.X }}\"}   \n\n\n  # no end"
	foreign := map[string]string{toolset.KeyOverrides: text, "notes.txt": "  x\n", "toolset.yaml": "", "custom_toolset.yml": "y"}
	c.apply("admin", false, foreign)
	c.apply("kubectl", false, map[string]string{"README": "z"})
	c.apply("dynamic-toolset", true, map[string]string{"applied-under-our-name": "still the admin's"}) // takes our keys away, too
	c.patch("kubectl-annotate", object{
		"metadata":   object{"labels": object{"team": "sre"}, "annotations": object{"why": "because\n"}, "finalizers": []string{"example.com/keep"}},
		"binaryData": object{"logo.png": []byte{0, 1, 0xff}},
	})
	for n := range 3 {
		keys := testKeys()
		keys[keyProm] = strings.Repeat("x", n)
		if n == 1 {
			keys[keyGrafana] = "for one cycle"
		}
		c.publish(p, Desired{Keys: keys})
	}
	cm := c.get()
	for k, v := range foreign {
		if cm.Data[k] != v {
			t.Errorf("%s is %q, want %q", k, cm.Data[k], v)
		}
	}
	equal(t, "README", "z", cm.Data["README"])
	equal(t, "what was applied under our name", "still the admin's", cm.Data["applied-under-our-name"])
	equal(t, "binaryData", map[string][]byte{"logo.png": {0, 1, 0xff}}, cm.BinaryData)
	equal(t, "annotations", map[string]string{"why": "because\n"}, cm.Annotations)
	equal(t, "finalizers", []string{"example.com/keep"}, cm.Finalizers)
	equal(t, "foreign label", "sre", cm.Labels["team"])
	equal(t, "managers of the overrides", []string{"admin/Apply"}, c.managers(toolset.KeyOverrides))
	keys := testKeys()
	keys[keyProm] = "xx"
	c.quiet(p, requests, keys)
}

// An apply leaves keys that others own too; they go all the same.
func testPruned(t *testing.T, c *cluster) {
	t.Attr("req", "DTS-OUT-7")
	p, requests := c.publisher()
	keys := testKeys()
	keys[keyGrafana] = "toolset: grafana\n"
	c.publish(p, Desired{Keys: keys})
	c.apply("gitops", false, map[string]string{keyGrafana: keys[keyGrafana]})
	equal(t, "managers", []string{"dynamic-toolset/Apply", "gitops/Apply"}, c.managers(keyGrafana))
	requests.requests = nil
	if res := c.publish(p, Desired{Keys: keys}); res.Written {
		t.Error("a second owner of the same text made us write")
	}
	changed := testKeys()
	changed[keyProm] = "another text, so that there is an apply, too"
	res := c.publish(p, Desired{Keys: changed})
	equal(t, "changed", []string{keyProm}, res.Changed)
	equal(t, "removed", []string{keyGrafana}, res.Removed)
	equal(t, "drifted", []Drift(nil), res.Drifted)
	equal(t, "requests", []string{"apply", "patch"}, requests.requests)
	c.quiet(p, requests, changed)
}

// A key that has been repaired too often is left for a while, and the others are not.
func testHold(t *testing.T, c *cluster) {
	t.Attr("req", "DTS-OUT-8")
	p, requests := c.publisher()
	c.publish(p, Desired{Keys: testKeys()})
	c.patch("vandal", object{"data": object{keyProm: "x", keyGrafana: "y"}})
	before := c.get()
	hold := []string{keyProm, keyGrafana}
	if res := c.publish(p, Desired{Keys: testKeys(), Hold: hold}); res.Written || len(res.Held) != 2 {
		t.Errorf("result %+v", res)
	}
	if c.get().ResourceVersion != before.ResourceVersion {
		t.Error("written, though all that differs is held")
	}
	keys := testKeys()
	keys[toolset.KeyHolmesGPT] = "new"
	res := c.publish(p, Desired{Keys: keys, Hold: hold})
	equal(t, "changed", []string{toolset.KeyHolmesGPT}, res.Changed)
	cm := c.get()
	if cm.Data[keyProm] != "x" || cm.Data[keyGrafana] != "y" || cm.Data[toolset.KeyHolmesGPT] != "new" {
		t.Errorf("data %q", cm.Data)
	}
	c.publish(p, Desired{Keys: keys})
	c.quiet(p, requests, keys)
}
