package publish

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"kubernaut.io/dynamic-toolset/internal/toolset"
)

func TestCompare(t *testing.T) {
	t.Attr("req", "DTS-OUT-7 DTS-OUT-8 DTS-OUT-9")
	yes := true
	const tried = "toolset: prometheus # next\n"
	for _, tt := range []struct {
		name  string
		live  *corev1.ConfigMap
		fresh bool // this Publisher has published nothing yet
		want  Difference
	}{
		{name: "as it should be", live: configMap("1")},
		{name: "the admin's keys are nobody's business", live: configMap("1", by("kubectl", toolset.KeyOverrides, "x"), by("kubectl", "README", "y"))},
		{
			name: "changed by another before this process started", fresh: true, live: configMap("1", by("vandal", keyProm, "x")),
			want: Difference{Changed: []string{keyProm}, Drifted: []Drift{{keyProm, "vandal"}}},
		},
		{
			name: "the text of an earlier process is no drift", fresh: true,
			live: configMap("1", func(cm *corev1.ConfigMap) { cm.Data[keyProm] = "older" }),
			want: Difference{Changed: []string{keyProm}},
		},
		{
			name: "changed under our field manager after this process wrote it",
			live: configMap("1", func(cm *corev1.ConfigMap) { cm.Data[keyProm] = "theirs" }),
			want: Difference{Changed: []string{keyProm}, Drifted: []Drift{{keyProm, AnotherInstallation}}},
		},
		{
			name: "sent by this process, without an answer",
			live: configMap("1", func(cm *corev1.ConfigMap) { cm.Data[keyProm] = tried }),
			want: Difference{Changed: []string{keyProm}},
		},
		{
			name: "held before, and so owned by two",
			live: configMap("1", by("vandal", keyProm, "x"), func(cm *corev1.ConfigMap) {
				owned(cm, FieldManager, metav1.ManagedFieldsOperationApply, keyProm)
			}),
			want: Difference{Changed: []string{keyProm}, Drifted: []Drift{{keyProm, "vandal"}}},
		},
		{
			name: "missing at the first look may never have been there", fresh: true, live: configMap("1", without(keyProm)),
			want: Difference{Changed: []string{keyProm}},
		},
		{
			name: "immutable", live: configMap("1", func(cm *corev1.ConfigMap) { cm.Immutable = &yes }, by("vandal", keyProm, "x")),
			want: Difference{Changed: []string{keyProm}, Drifted: []Drift{{keyProm, "vandal"}}, Immutable: true},
		},
		{
			name: "not there yet", fresh: true,
			want: Difference{Changed: []string{
				toolset.KeyHolmesGPT, keyProm, toolset.KeyState, "label app.kubernetes.io/managed-by", "label app.kubernetes.io/name",
			}},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := New(nil, testOptions)
			if !tt.fresh {
				p.known, p.tried = testKeys(), map[string]string{keyProm: tried}
			}
			got := p.Compare(tt.live, Desired{Keys: testKeys()})
			opts := cmp.Options{cmpopts.IgnoreUnexported(Difference{}), cmpopts.IgnoreFields(Difference{}, "Bytes"), cmpopts.EquateEmpty()}
			if diff := cmp.Diff(tt.want, got, opts); diff != "" {
				t.Errorf("difference (-want +got):\n%s", diff)
			}
		})
	}
}

func TestSize(t *testing.T) {
	t.Attr("req", "DTS-OUT-9")
	o := testOptions
	o.Labels = map[string]string{"l": "mine"}
	live := &corev1.ConfigMap{
		ObjectMeta: metav1.ObjectMeta{Labels: map[string]string{"l": "x", "m": "yy"}, Annotations: map[string]string{"a": "123"}},
		Data:       map[string]string{keyProm: "old", "a-toolset.yaml": "gone", "f": strings.Repeat("f", 10)},
		BinaryData: map[string][]byte{"b": make([]byte, 20), "c-toolset.yaml": make([]byte, 99)},
	}
	got := New(nil, o).Compare(live, Desired{Keys: map[string]string{keyProm: "newer"}, Restore: "four"}).Bytes
	want := 5 + 3 + 4 + 11 + 21 + len(keyProm) + 5 + len(toolset.KeyOverrides) + 4
	if got != want {
		t.Errorf("%d bytes, want %d", got, want)
	}
}
