package view

import (
	"fmt"
	"strings"

	"kubernaut.io/dynamic-toolset/internal/store"
)

// inputTexts holds the text for each warning about what is read. inputValues replace the names in braces.
var inputTexts = map[store.WarningCode]string{
	store.WarningNotObject:  "expected a Kubernetes object, with its kind",
	store.WarningInvalid:    "{because}",
	store.WarningGivenTwice: "this Service is in the input more than once; the last one counts, as with kubectl apply",
	store.WarningNoServices: "no Services in it{instead}",

	store.WarningServicesForbidden: "{because}",
	store.WarningSlicesForbidden: "{because}; " +
		"without EndpointSlices it is not known which Services have ready endpoints",
	store.WarningLinksUnlisted: "{because}; without these objects their links are not known",
	store.WarningLinksResource: "the cluster has no {resource}, which links.from names; " +
		"install their CustomResourceDefinition, or remove them from links.from",
	store.WarningLinksInvalid: "{object} gives no links: {because}",
}

// InputWarning returns the text of a warning about what is read in one line, with its place in the file.
func InputWarning(w *store.Warning) string {
	text := InputFault(w)
	if w.File == "" {
		return text
	}
	at := []string{w.File}
	if w.Place != "" {
		at = append(at, w.Place)
	}
	if w.Kind != "" {
		at = append(at, inputObject(w))
	}
	return strings.Join(append(at, text), ": ")
}

// InputFault returns the text of a warning about what is read, without its place.
func InputFault(w *store.Warning) string {
	return fill(inputTexts[w.Code], w, inputValues)
}

// inputValues returns the value of each name in the text of a warning.
var inputValues = map[string]func(*store.Warning) string{
	"object":   inputObject,
	"resource": func(w *store.Warning) string { return w.Resource },
	"instead":  instead,
	"because": func(w *store.Warning) string {
		first, _, _ := strings.Cut(w.Err.Error(), "\n")
		return first
	},
}

// inputObject names an object by its kind, and by its name where that is known.
func inputObject(w *store.Warning) string {
	if w.Ref.Name == "" {
		return w.Kind
	}
	return w.Kind + " " + w.Ref.String()
}

// instead says what a file has that has no Services.
func instead(w *store.Warning) string {
	var notes []string
	if w.Skipped > 0 {
		notes = append(notes, fmt.Sprintf("skipped %d of other kinds", w.Skipped))
	}
	if w.Others > 0 {
		notes = append(notes, fmt.Sprintf("refused %d", w.Others))
	}
	if len(notes) == 0 {
		return ""
	}
	return " (" + strings.Join(notes, "; ") + ")"
}

// InputTemplate returns the text of a warning about what is read with names in braces.
func InputTemplate(code string) string { return inputTexts[store.WarningCode(code)] }
