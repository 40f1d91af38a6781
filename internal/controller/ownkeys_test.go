package controller

import (
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"

	"kubernaut.io/dynamic-toolset/internal/toolset"
)

// Whose a key is that has the name of a configured one, or of one that was.
func TestWhoseKey(t *testing.T) {
	t.Attr("req", "DTS-OUT-15")
	doc, err := toolset.Build(nil, toolset.Options{Own: toolset.OwnKeys{"k": map[string]any{"a": "b"}}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	keys, err := doc.Keys()
	if err != nil {
		t.Fatal(err)
	}
	text, binary := &corev1.ConfigMap{Data: map[string]string{"k": "x"}}, &corev1.ConfigMap{BinaryData: map[string][]byte{"k": {1}}}
	generated := &corev1.ConfigMap{Data: map[string]string{"k": keys["k"]}}
	for _, c := range []struct {
		name                 string
		configured, recorded bool
		live                 *corev1.ConfigMap
		want                 string
	}{
		{"no ConfigMap", true, false, nil, "own"},
		{"no such key", true, false, &corev1.ConfigMap{}, "own"},
		{"by hand", true, false, text, "taken"},
		{"by hand, in binaryData", true, false, binary, "taken"},
		{"ours, and the record is lost", true, false, generated, "own"},
		{"changed", true, true, text, "own"},
		{"moved", true, true, binary, "own"},
		{"no longer configured", false, true, generated, "own"},
		{"no longer configured, and written by hand since", false, true, text, ""},
		{"no longer configured, and gone", false, true, &corev1.ConfigMap{}, ""},
		{"never configured", false, false, generated, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			var r Controller
			if c.configured {
				r.opts.Toolset.Own = toolset.OwnKeys{"k": nil}
			}
			if c.recorded {
				r.memory.keys = []string{"k"}
			}
			own, taken := r.ownKeys(c.live)
			got := strings.Repeat("own", len(own)) + strings.Repeat("taken", len(taken))
			if got != c.want {
				t.Errorf("own %v, taken %v; want %q", own, taken, c.want)
			}
		})
	}
}
