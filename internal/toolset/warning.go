package toolset

import (
	"errors"

	"kubernaut.io/dynamic-toolset/internal/backend"
	"kubernaut.io/dynamic-toolset/internal/yamlfile"
)

// WarningCode is the kind of a warning. The set is closed: programs may rely on each code, and package view has a text
// for each.
type WarningCode string

// These codes are about backends that are not written, or only in part.
const (
	WarningTypeUnknown       WarningCode = "type-unknown"       // its type is not in the catalog
	WarningTextUnsafe        WarningCode = "text-unsafe"        // HolmesGPT would expand one of its texts
	WarningNameDot           WarningCode = "name-dot"           // HolmesGPT accepts no dot in its name
	WarningHost              WarningCode = "host"               // HolmesGPT does not understand its host
	WarningNameTaken         WarningCode = "name-taken"         // another entry of the document has its name
	WarningNameKept          WarningCode = "name-kept"          // the overrides give it a name that it cannot have
	WarningCredentialPlace   WarningCode = "credential-place"   // another credential has the same place
	WarningCredentialAuth    WarningCode = "credential-auth"    // it is for another kind of authentication
	WarningCredentialPartial WarningCode = "credential-partial" // it works only with another that is not configured
	WarningEntryLeftOut      WarningCode = "entry-left-out"     // HolmesGPT would not load its entry
)

// These codes are about owners' notes that are left out.
const (
	WarningNotesNamespace WarningCode = "notes-namespace" // the notes of one namespace are too long
	WarningNotesAll       WarningCode = "notes-all"       // the notes of all namespaces are too long
)

// These codes are about overrides that have no effect, or not the intended effect.
const (
	WarningKeyUnknown         WarningCode = "key-unknown"         // there is no such key
	WarningInstanceUnknown    WarningCode = "instance-unknown"    // no such instance is published now
	WarningNotOfInstance      WarningCode = "not-of-instance"     // a setting of all instances is given to one
	WarningCompactLacking     WarningCode = "compact-lacking"     // an entry of the compact form lacks keys
	WarningPatchLeftOut       WarningCode = "patch-left-out"      // a patch does not fit the backends found now
	WarningFoundLeftOut       WarningCode = "found-left-out"      // a backend found now does not fit the admin's entry
	WarningCredentialWithheld WarningCode = "credential-withheld" // no instance may have the credential
	WarningEntryDoubtful      WarningCode = "entry-doubtful"      // HolmesGPT loads it, but probably not as meant
	WarningMore               WarningCode = "more"                // the list before it was cut
)

// Warning is a message for people about a document: a code and its details. Details that strangers chose are checked
// and bounded.
type Warning struct {
	Code    WarningCode
	Place   yamlfile.Error // in the overrides, without a message; zero if it is not about them
	Ref     backend.Ref    // the Service; for notes the namespace alone
	Type    string         // of the backend
	Field   string         // the name of the credential or of the text
	Value   string         // the name that is taken or not given, or the incomplete key
	Names   string         // the missing names, separated by commas
	Meant   string         // the name that was most likely meant, "" if no name is near
	Because string         // the message of a check
	Kind    string         // the kind of authentication that the credential is for
	Other   string         // the kind of authentication that is configured
	Number  int            // how many are left out
	Of      int            // among how many
}

// about returns the warning with the item as its subject.
func (it *item) about(w Warning) Warning {
	w.Ref, w.Type = it.Ref, it.Candidate.Type
	return w
}

// at returns the warning with the place of a path in the overrides.
func (o *Overrides) at(path string, w Warning) Warning {
	f := o.file.Fresh()
	f.At(path, "")
	var errs yamlfile.Errors
	if errors.As(f.Err(), &errs) {
		w.Place = errs[0]
	}
	return w
}

// few limits a list of warnings to a number that people read.
func few(warnings []Warning) []Warning {
	const most = 20
	if more := len(warnings) - most; more > 0 {
		return append(warnings[:most:most], Warning{Code: WarningMore, Number: more})
	}
	return warnings
}
