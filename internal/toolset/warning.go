package toolset

import (
	"errors"

	"kubernaut.io/dynamic-toolset/internal/backend"
	"kubernaut.io/dynamic-toolset/internal/yamlfile"
)

// WarningCode says in a word what a warning is about. The set is closed: programs may rely on each, and package view
// has a text for each.
type WarningCode string

// Backends that are not written, or not wholly.
const (
	WarningTypeUnknown        WarningCode = "type-unknown"        // its type is not in the catalog
	WarningTypeReserved       WarningCode = "type-reserved"       // its type has a reserved name
	WarningTypeSyntax         WarningCode = "type-syntax"         // its type is not a DNS label
	WarningTextUnsafe         WarningCode = "text-unsafe"         // HolmesGPT would expand a text of it
	WarningNameDot            WarningCode = "name-dot"            // HolmesGPT accepts no dot in its name
	WarningHost               WarningCode = "host"                // HolmesGPT does not understand its host
	WarningNameTaken          WarningCode = "name-taken"          // another entry of the document has its name
	WarningNameKept           WarningCode = "name-kept"           // the overrides give it a name that it cannot have
	WarningCredentialUnknown  WarningCode = "credential-unknown"  // its type has no such credential
	WarningCredentialVariable WarningCode = "credential-variable" // the configuration names no environment variable
	WarningCredentialPlace    WarningCode = "credential-place"    // another credential has the same place
	WarningCredentialAuth     WarningCode = "credential-auth"     // it is for another kind of authentication
)

// Notes of owners that are left out.
const (
	WarningNotesNamespace WarningCode = "notes-namespace" // those of one namespace are too long
	WarningNotesAll       WarningCode = "notes-all"       // those of all namespaces are too long
)

// Overrides that have no effect, or another one than was meant.
const (
	WarningKeyUnknown         WarningCode = "key-unknown"         // there is no such key
	WarningInstanceUnknown    WarningCode = "instance-unknown"    // no such instance is published now
	WarningToolsetFormer      WarningCode = "toolset-former"      // the instances of the type are one toolset now
	WarningNotOfInstance      WarningCode = "not-of-instance"     // a setting of all instances is given to one
	WarningCompactLacking     WarningCode = "compact-lacking"     // an entry of the compact form lacks keys
	WarningPatchLeftOut       WarningCode = "patch-left-out"      // a patch does not fit what is found now
	WarningFoundLeftOut       WarningCode = "found-left-out"      // what is found now does not fit the admin's entry
	WarningCredentialWithheld WarningCode = "credential-withheld" // no instance may have the credential
	WarningEntryDoubtful      WarningCode = "entry-doubtful"      // HolmesGPT loads it, but probably not as meant
	WarningMore               WarningCode = "more"                // there are more of the warnings before it
)

// Warning is one thing for people to know about a document: a code, and the details that belong to it. What strangers
// chose of them is checked and bounded.
type Warning struct {
	Code    WarningCode
	Place   yamlfile.Error // in the overrides, without a message; zero if it is not about them
	Ref     backend.Ref    // the Service; for notes the namespace alone
	Type    string         // of the backend
	Field   string         // the credential's, or the text's
	Value   string         // the name that is taken or not given, or the key that is lacking
	Names   string         // what there is, or what is missing, separated by commas
	Meant   string         // what was most likely meant, "" if nothing is near
	Because string         // the words of a check
	Kind    string         // of authentication that the credential is for
	Other   string         // of authentication that is configured
	Number  int            // how many are left out
	Of      int            // among how many
}

// about is a warning about an item.
func (it *item) about(code WarningCode) Warning {
	return Warning{Code: code, Ref: it.Ref, Type: it.Candidate.Type}
}

// at is a warning about a path of the overrides.
func (o *Overrides) at(path string, w Warning) Warning {
	f := o.file.Fresh()
	f.At(path, "")
	var errs yamlfile.Errors
	if errors.As(f.Err(), &errs) {
		w.Place = errs[0]
	}
	return w
}

// few cuts a list of warnings to what a person reads.
func few(warnings []Warning) []Warning {
	const most = 20
	if more := len(warnings) - most; more > 0 {
		return append(warnings[:most:most], Warning{Code: WarningMore, Number: more})
	}
	return warnings
}
