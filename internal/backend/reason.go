package backend

import "time"

// Reason is why something is as it is: a code that programs read, and the details of which package view makes the text
// for people. What strangers chose of it is already checked and bounded. The zero value means that there is none.
type Reason struct {
	Code Code
	Details
}

// Details are what a reason's text needs beside the finding itself. Each code uses few of them.
type Details struct {
	Type       string // a type of the catalog by its name or title, or a product by its title
	Annotation string // the annotation's key
	Key        string // a label's key, a header's name, or another annotation's key
	Value      string // what is written or said there
	Because    string // the catalog's words for it
	Host       string
	Number     int
	Limit      int // what Number may be at most
	Wait       time.Duration
	Other      Ref   // another Service that decides
	Port       *Port // of the Service; nil for the candidate's
}

// equal compares what the ports say, not where they are kept.
func (d Details) equal(o Details) bool {
	p, q := d.Port, o.Port
	o.Port = p
	return d == o && (p == q || p != nil && q != nil && *p == *q)
}

// Equal reports whether two reasons have the same code and details.
func (r Reason) Equal(o Reason) bool { return r.Code == o.Code && r.Details.equal(o.Details) }

// Is reports whether there is a reason at all.
func (r Reason) Is() bool { return r.Code != "" }

// Limit is what keeps a backend that works from being published.
type Limit string

// The limits.
const (
	LimitNamespace Limit = "namespace" // its namespace has too many
	LimitSize      Limit = "size"      // the document would be too large
)

// Limit is the limit that the code speaks of; "" for another code.
func (c Code) Limit() Limit {
	switch c {
	case CodeNamespaceServices, CodeNamespaceCandidates, CodeNamespaceBackends, CodeNamespacePaths,
		CodeNamespaceTenants, CodeNamespaceRead:
		return LimitNamespace
	case CodeDocumentSize:
		return LimitSize
	}
	return ""
}

// PrimaryRule is the rule that decides which instance of a type is its primary.
type PrimaryRule string

// The rules, in the order in which they hold.
const (
	PrimaryConfigured PrimaryRule = "configured" // the configuration names it
	PrimaryAnnotated  PrimaryRule = "annotated"  // its owner, in a trusted namespace, says so
	PrimaryRecorded   PrimaryRule = "recorded"   // it was the primary so far
	PrimaryPreferred  PrimaryRule = "preferred"  // it comes first and waits for credentials
	PrimaryOldest     PrimaryRule = "oldest"     // the oldest that works without credentials
	PrimaryFirst      PrimaryRule = "first"      // the same where no age is known, as in files
	// PrimaryOldestLocked and PrimaryFirstLocked are the oldest and the first where none works without credentials.
	PrimaryOldestLocked PrimaryRule = "oldest-locked"
	PrimaryFirstLocked  PrimaryRule = "first-locked"
)

// Kept is for which Service the place of a type's primary is kept, by which rule, and what became of that Service. The
// zero value means that it is not kept.
type Kept struct {
	For     Ref
	By      PrimaryRule
	Verdict Verdict // "": there is no such Service, or none of this type
	Winner  Ref     // of which it is the duplicate
}

// Excess says that a Service has more labels, annotations or requirements in its selector than are kept.
type Excess struct {
	Of            Part
	Number, Limit int
}

// Part of a Service's description.
type Part string

// The parts that are bounded.
const (
	PartLabels      Part = "labels"
	PartAnnotations Part = "annotations"
	PartSelector    Part = "selector"
)
