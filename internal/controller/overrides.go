package controller

import (
	"errors"
	"unicode/utf8"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"

	"kubernaut.io/dynamic-toolset/internal/backend"
	"kubernaut.io/dynamic-toolset/internal/publish"
	"kubernaut.io/dynamic-toolset/internal/toolset"
)

// overrides holds the state of the admin's key: the text as last observed, and the last valid text, which is in force.
// It survives the deletion of the ConfigMap and, through state.json, a restart.
type overrides struct {
	observed bool
	uid      types.UID // of the ConfigMap from which text was read
	version  string    // the resourceVersion of that ConfigMap
	text     string

	candidate *toolset.Overrides // text, parsed, until a document is built with it; nil if it is in force or invalid
	inherited bool               // candidate and a document existed when this process began

	named    []string           // the variables that text or goodText names
	good     *toolset.Overrides // in force; nil if there are none
	goodText string

	err error // what is wrong with text
}

// observe reads the live ConfigMap, which is nil if there is none. gone is the last state of the ConfigMap that was
// deleted last, nil if none was. It is needed because the admin may have changed the text right before the deletion.
func (o *overrides) observe(live, gone *corev1.ConfigMap) {
	after := gone != nil && (o.version == "" || publish.Newer(gone.ResourceVersion, o.version))
	if after && !o.deleted(gone) {
		o.read(gone)
	}
	if !o.deleted(live) {
		o.read(live)
	}
	o.observed = true
}

// deleted reports whether the ConfigMap with the admin's text was deleted, so that the text must be restored. If the
// key is missing in the same ConfigMap, the admin has removed it. If a new ConfigMap has the key, it replaces the text.
func (o *overrides) deleted(live *corev1.ConfigMap) bool {
	if live == nil {
		return true
	}
	_, exists := overridesIn(live)
	return !exists && live.UID != o.uid && o.text != ""
}

// restore returns the text to write back into the ConfigMap, "" if none.
func (o *overrides) restore(live *corev1.ConfigMap) string {
	switch {
	case !o.deleted(live):
		return ""
	case utf8.ValidString(o.text):
		return o.text // even if it is invalid, so that the admin can correct it
	}
	return o.goodText // text that is not UTF-8 would need binaryData, which is never written
}

// recall takes over the text that another process, or the leader, has found valid.
func (o *overrides) recall(text string) {
	if text == "" || text == o.goodText || o.good != nil && text != o.text {
		return
	}
	parsed, err := toolset.ParseOverrides(toolset.KeyOverrides, []byte(text))
	if err != nil {
		return
	}
	o.named = toolset.NamesIn(o.text + "\n" + text)
	if o.good, o.goodText = parsed, text; text == o.text {
		o.candidate, o.err = nil, nil
	}
}

// build builds the document with the text as observed, which is then in force, or else with the last valid overrides. A
// new credential for a whole toolset waits until discovery is complete, because only then is it known whether it would
// go to several instances.
func (o *overrides) build(
	findings []*backend.Finding, opts toolset.Options, discovered bool,
) (*toolset.Document, error) {
	if o.candidate != nil {
		var added []string
		if !o.inherited {
			added = o.candidate.Fresh(o.good, opts.Types)
		}
		if len(added) == 0 || discovered {
			if o.err = o.candidate.Shared(findings, opts.Types, added); o.err == nil {
				doc, err := toolset.Build(findings, opts, o.candidate)
				if err == nil {
					o.use(o.candidate)
					return doc, nil
				}
				o.err = err
			}
		}
	}
	opts.InForce = true
	return toolset.Build(findings, opts, o.good)
}

// read reads the text of a ConfigMap.
func (o *overrides) read(cm *corev1.ConfigMap) {
	o.uid, o.version = cm.UID, cm.ResourceVersion
	text, _ := overridesIn(cm)
	if text == o.text && (text != "" || o.good == nil) {
		return
	}
	o.text, o.candidate = text, nil
	o.named = toolset.NamesIn(text + "\n" + o.goodText)
	switch {
	case text == "":
		o.use(nil)
	case text == o.goodText:
		o.use(o.good)
	case !utf8.ValidString(text):
		o.err = errors.New(toolset.KeyOverrides + ": it is not text in UTF-8; save it as UTF-8")
	default:
		parsed, err := toolset.ParseOverrides(toolset.KeyOverrides, []byte(text))
		if err != nil {
			o.err = err
			return
		}
		o.candidate, o.inherited = parsed, !o.observed && cm.Data[toolset.KeyHolmesGPT] != ""
	}
}

// use puts the text as observed in force.
func (o *overrides) use(parsed *toolset.Overrides) {
	o.good, o.goodText, o.candidate, o.err = parsed, o.text, nil, nil
}

// overridesIn returns the text of the key. Text that is not UTF-8 is in binaryData.
func overridesIn(cm *corev1.ConfigMap) (text string, exists bool) {
	if b, ok := cm.BinaryData[toolset.KeyOverrides]; ok {
		return string(b), true
	}
	text, exists = cm.Data[toolset.KeyOverrides]
	return text, exists
}
