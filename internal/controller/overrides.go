package controller

import (
	"errors"
	"unicode/utf8"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/resourceversion"

	"kubernaut.io/dynamic-toolset/internal/backend"
	"kubernaut.io/dynamic-toolset/internal/toolset"
)

// overrides is the admin's key of the ConfigMap over time: its text as last observed, the last text that was good,
// which is in force, and what is wrong with the one observed. It survives the deletion of the ConfigMap
// and, by state.json, a restart. The zero value has observed nothing.
type overrides struct {
	observed bool
	uid      types.UID // of the ConfigMap that text was read from
	version  string    // its resourceVersion
	text     string

	candidate *toolset.Overrides // text, parsed, until a document was built with it; nil if it is in force, or invalid
	inherited bool               // candidate was there, beside a document, when this process began

	named    []string           // the variables that text or goodText names
	good     *toolset.Overrides // in force; nil for none
	goodText string

	err error // what is wrong with text
}

// observe reads the live ConfigMap, nil if there is none. gone is the last state of the one that was deleted last,
// nil if none was: an edit right before the deletion counts too, though it was never observed live.
func (o *overrides) observe(live, gone *corev1.ConfigMap) {
	if gone != nil && o.precedes(gone) && !o.deleted(gone) {
		o.read(gone)
	}
	if !o.deleted(live) {
		o.read(live)
	}
	o.observed = true
}

// deleted reports whether the ConfigMap with the admin's text was deleted, so that its text is to be restored. A key
// that is absent from the same ConfigMap was removed by the admin; one in a new ConfigMap replaces the text.
func (o *overrides) deleted(live *corev1.ConfigMap) bool {
	if live == nil {
		return true
	}
	_, exists := overridesIn(live)
	return !exists && live.UID != o.uid && o.text != ""
}

// restore is the text to write back into the ConfigMap, "" for none.
func (o *overrides) restore(live *corev1.ConfigMap) string {
	switch {
	case !o.deleted(live):
		return ""
	case utf8.ValidString(o.text):
		return o.text // an invalid one too: the admin is to mend it
	}
	return o.goodText // binaryData is not written
}

// recall takes over the text that another process, or the replica that leads, has found good.
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

// build makes the document with the overrides: with the text as observed if a document can be built with it, which
// puts it in force, and else with the last good ones. A new credential for a whole toolset waits until discovery is
// complete, when it is known whether it would go to several instances.
func (o *overrides) build(
	findings []*backend.Finding, opts toolset.Options, discovered bool,
) (*toolset.Document, error) {
	if o.candidate != nil {
		var added []string
		if !o.inherited {
			added = o.candidate.Fresh(o.good, opts.Types)
		}
		if len(added) == 0 || discovered {
			var doc *toolset.Document
			err := o.candidate.Shared(findings, opts.Types, added)
			if err == nil {
				doc, err = toolset.Build(findings, opts, o.candidate)
			}
			if err == nil {
				o.use(o.candidate)
				return doc, nil
			}
			o.err = err
		}
	}
	opts.InForce = true
	return toolset.Build(findings, opts, o.good)
}

// read takes in the text of one ConfigMap.
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
		o.err = errors.New(toolset.KeyOverrides + ": it is not text in UTF-8; save it as such")
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

// precedes reports whether what was read is older than cm.
func (o *overrides) precedes(cm *corev1.ConfigMap) bool {
	if o.version == "" {
		return true
	}
	order, err := resourceversion.CompareResourceVersion(o.version, cm.ResourceVersion)
	return err == nil && order < 0
}

// overridesIn is the text of the key. The API server keeps text that is not UTF-8 in binaryData.
func overridesIn(cm *corev1.ConfigMap) (text string, exists bool) {
	if b, ok := cm.BinaryData[toolset.KeyOverrides]; ok {
		return string(b), true
	}
	text, exists = cm.Data[toolset.KeyOverrides]
	return text, exists
}
