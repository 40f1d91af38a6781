package view

import (
	"maps"
	"slices"
	"strconv"
	"strings"

	"kubernaut.io/dynamic-toolset/internal/toolset"
)

// warningTexts holds the text for each warning about a document. warningValues replaces the names in braces.
var warningTexts = map[toolset.WarningCode]string{
	toolset.WarningTypeUnknown: "{backend} is not written: its type is not in the catalog",
	toolset.WarningTextUnsafe:  "{backend} is not written: its {field} {because}",
	toolset.WarningNameDot: "{backend} is not written: " +
		"a dot in its name would make HolmesGPT reject the whole file",
	toolset.WarningHost:      "{backend} is not written: HolmesGPT does not accept its host",
	toolset.WarningNameTaken: "{backend} is not written: the name {value} is taken",
	toolset.WarningNameKept: "{backend} does not get the name {value} from the overrides: " +
		"the name is taken, or is not a string",
	toolset.WarningCredentialPlace: "{backend}: credential {field} is left out: " +
		"another credential has its place in the toolset",
	toolset.WarningCredentialAuth: "{backend}: credential {field} is left out: " +
		"it is for {kind} auth, and {other} auth is configured too",
	toolset.WarningCredentialPartial: "{backend}: no {kind} auth is written: " +
		"the configuration names no variable for {names}",
	toolset.WarningEntryLeftOut: "{backend} is not written: HolmesGPT would not load toolset {value}: {because}",

	toolset.WarningNotesNamespace: notesLeftOut + "the notes of one namespace take at most 2 KiB" + notesOrder,
	toolset.WarningNotesAll: notesLeftOut + "the notes of all namespaces take at most 16 KiB, " +
		"the namespaces of security.trustedNamespaces first" + notesThen,

	toolset.WarningKeyUnknown:      "this key has no effect; {meant}",
	toolset.WarningInstanceUnknown: "no such instance is published; it takes effect once one is{meant}",
	toolset.WarningNotOfInstance: "not a setting of one instance, so it has no effect: an instance has hosts, " +
		"paths, methods, auth and health_check_url; a setting for all instances belongs in {toolset}",
	toolset.WarningCompactLacking: "no backend of this type is published, " +
		"so {value} contains only what is set here, without {names}{meant}",
	toolset.WarningPatchLeftOut: "left out, because it does not fit what was found: {because}",
	toolset.WarningFoundLeftOut: "what was found under this name does not fit this entry, and is left out: {because}",
	toolset.WarningCredentialWithheld: "no instance gets this credential: " +
		"it goes only to a published and proven backend that the configuration names in {primary} or {credentials}, " +
		"or that is a primary in a namespace of {trusted}. Add one of these lines. " +
		"If there is one, explain NAMESPACE/NAME shows why that backend is not published; a backend " +
		"that is published without a probe (kubernaut.io/toolset-health-endpoint: none) needs a path to probe",
	toolset.WarningEntryDoubtful: "{because}",
	toolset.WarningMore:          "and {number} warnings more like these",
}

const (
	notesLeftOut = "namespace {namespace}: {number} of {of} notes of its Services (kubernaut.io/toolset-description) " +
		"are left out, so the agent does not read them: "
	notesOrder = ", the oldest Services first" + notesCure
	notesThen  = ", then the oldest Services" + notesCure
	notesCure  = "; shorten the notes, or remove some"
)

// WarningCode is the kind of a warning.
type WarningCode = toolset.WarningCode

// DocumentWarningCodes returns the codes of several warnings.
func DocumentWarningCodes(list []toolset.Warning) []WarningCode {
	codes := []WarningCode{}
	for i := range list {
		codes = append(codes, list[i].Code)
	}
	return codes
}

// DocumentWarning returns the text of a warning about a document or its overrides, with its place in the file.
func DocumentWarning(w *toolset.Warning) string {
	text := fill(warningTexts[w.Code], w, warningValues)
	if w.Place.File == "" {
		return text
	}
	at := w.Place
	at.Message = text
	return at.Error()
}

// DocumentWarnings returns the texts of several warnings.
func DocumentWarnings(list []toolset.Warning) []string {
	texts := []string{}
	for i := range list {
		texts = append(texts, DocumentWarning(&list[i]))
	}
	return texts
}

// warningValues returns the value of each name in a warning's text.
var warningValues = map[string]func(*toolset.Warning) string{
	"backend":     func(w *toolset.Warning) string { return w.Ref.String() + " (" + w.Type + ")" },
	"namespace":   func(w *toolset.Warning) string { return w.Ref.Namespace },
	"field":       func(w *toolset.Warning) string { return w.Field },
	"value":       func(w *toolset.Warning) string { return w.Value },
	"because":     func(w *toolset.Warning) string { return w.Because },
	"kind":        func(w *toolset.Warning) string { return w.Kind },
	"other":       func(w *toolset.Warning) string { return w.Other },
	"number":      func(w *toolset.Warning) string { return strconv.Itoa(w.Number) },
	"of":          func(w *toolset.Warning) string { return strconv.Itoa(w.Of) },
	"names":       func(w *toolset.Warning) string { return enumerate(strings.Split(w.Names, ",")) },
	"meant":       meant,
	"toolset":     func(w *toolset.Warning) string { return "toolsets: {" + w.Type + ": …}" },
	"primary":     func(w *toolset.Warning) string { return "primary: {" + w.Type + ": NAMESPACE/NAME}" },
	"credentials": func(w *toolset.Warning) string { return "credentials: {" + w.Type + ": {NAMESPACE/NAME: {…}}}" },
	"trusted":     func(*toolset.Warning) string { return "security: {trustedNamespaces: [NAMESPACE]}" },
}

// meant suggests the key that was most likely meant, or lists the valid keys.
func meant(w *toolset.Warning) string {
	hint := `did you mean "` + w.Meant + `"?`
	switch {
	case w.Code == toolset.WarningKeyUnknown && w.Meant == "":
		return "only toolsets, mcp_servers, instances and compact have an effect"
	case w.Code == toolset.WarningKeyUnknown:
		return hint
	case w.Meant == "":
		return ""
	}
	return "; " + hint
}

// WarningCodes returns all codes of warnings, sorted.
func WarningCodes() []WarningCode { return slices.Sorted(maps.Keys(warningTexts)) }

// WarningTemplate returns the text of a warning with names in braces.
func WarningTemplate(code string) string { return warningTexts[toolset.WarningCode(code)] }
