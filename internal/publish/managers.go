package publish

import (
	"encoding/json"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"kubernaut.io/dynamic-toolset/internal/toolset"
)

// section is the path in managedFields to a map of the ConfigMap whose entries have owners.
type section string

const (
	inData        section = "f:data"
	inBinaryData  section = "f:binaryData"
	inLabels      section = "f:metadata/f:labels"
	inAnnotations section = "f:metadata/f:annotations"
)

// owners holds the owners of a ConfigMap's entries, from its managedFields.
type owners struct {
	entries  []owner
	restorer bool // there is an entry of a restorer
	owner    bool // there is an apply under our field manager
}

type owner struct {
	manager string
	apply   bool
	fields  map[string]any
}

func ownersOf(cm *corev1.ConfigMap) (o owners) {
	for _, e := range cm.ManagedFields {
		if e.FieldsV1 == nil || e.Subresource != "" {
			continue
		}
		this := owner{manager: e.Manager, apply: e.Operation == metav1.ManagedFieldsOperationApply}
		// The API server checks these fields. An entry that cannot be read owns nothing.
		_ = json.Unmarshal(e.FieldsV1.GetRawBytes(), &this.fields)
		o.entries = append(o.entries, this)
		o.restorer = o.restorer || isRestorer(e.Manager)
		o.owner = o.owner || this.apply && e.Manager == FieldManager
	}
	return o
}

func (o *owner) has(s section, key string) bool {
	_, ok, _ := unstructured.NestedFieldNoCopy(o.fields, append(strings.Split(string(s), "/"), "f:"+key)...)
	return ok
}

// self reports whether our field manager, or a restorer, owns the entry, alone or with others.
func (o *owners) self(s section, key string) bool {
	return slices.ContainsFunc(o.entries, func(e owner) bool {
		return e.has(s, key) && isSelf(e.manager)
	})
}

// applied reports whether the entry was applied under our field manager.
func (o *owners) applied(s section, key string) bool {
	return slices.ContainsFunc(o.entries, func(e owner) bool {
		return e.apply && e.has(s, key) && e.manager == FieldManager
	})
}

// AnotherInstallation is the manager of a change under our own field manager that this process did not make.
const AnotherInstallation = "another installation of this service"

// drift returns a Drift if only other writers own the entry, or if remembered says that this Publisher left it in
// another state. Otherwise it returns nil: a text of our field manager may be older than this process, or of the
// replica that led before. The caller sets the key.
func (o *owners) drift(s section, key string, present, remembered bool) *Drift {
	var others []string
	ours := false
	if present {
		for _, e := range o.entries {
			switch {
			case !e.has(s, key):
			case isSelf(e.manager):
				ours = true
			default:
				others = append(others, e.manager)
			}
		}
	}
	switch {
	case !remembered && (ours || len(others) == 0):
		return nil
	case ours && len(others) == 0:
		return &Drift{Manager: AnotherInstallation}
	}
	slices.Sort(others)
	return &Drift{Manager: strings.Join(slices.Compact(others), ", ")}
}

// superseded reports whether another process with this field manager wrote generated keys after live. The next cycle
// decides what follows, because it first checks whether this replica leads.
func superseded(live, fresh *corev1.ConfigMap) bool {
	if fresh == nil {
		return false
	}
	if live == nil {
		live = &corev1.ConfigMap{}
	}
	owners := ownersOf(fresh)
	for k, text := range fresh.Data {
		old, ok := live.Data[k]
		if toolset.OwnedKey(k) && owners.self(inData, k) && (!ok || old != text) {
			return true
		}
	}
	return false
}

func isRestorer(manager string) bool { return strings.HasPrefix(manager, restorer) }

func isSelf(manager string) bool { return manager == FieldManager || isRestorer(manager) }
