package backend

import "time"

// Reason is why something is as it is: a code that programs read, and the details from which package view makes a text
// for people. Details that a stranger chose are already checked and bounded. The zero value means no reason.
type Reason struct {
	Code Code
	Details
}

// Details are the values that a reason's text needs beside the finding itself. Each code uses few of them.
type Details struct {
	Type       string // a type of the catalog by its name or title, or a product by its title
	Annotation string // the annotation's key
	Key        string // a label's key, a header's name, or another annotation's key
	Value      string // the value that was found
	Because    string // the catalog's explanation
	Host       string
	Number     int
	Limit      int // the maximum of Number
	Wait       time.Duration
	Other      Ref   // another Service that decides
	Port       *Port // a port of the Service; nil for the candidate's
}

// equal compares the ports by value, not by pointer.
func (d Details) equal(o Details) bool {
	p, q := d.Port, o.Port
	o.Port = p
	return d == o && (p == q || p != nil && q != nil && *p == *q)
}

// Equal reports whether two reasons have the same code and details.
func (r Reason) Equal(o Reason) bool { return r.Code == o.Code && r.Details.equal(o.Details) }

// Is reports whether r is not the zero value.
func (r Reason) Is() bool { return r.Code != "" }

// Limit is a limit that prevents a working backend from being published.
type Limit string

// The limits.
const (
	LimitNamespace Limit = "namespace" // its namespace has too much
	LimitSize      Limit = "size"      // the document would be too large
)

// Limit returns the limit that the code reports; "" for another code.
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

// The rules, in their order of precedence.
const (
	PrimaryConfigured PrimaryRule = "configured" // the configuration names it
	PrimaryAnnotated  PrimaryRule = "annotated"  // its owner, in a trusted namespace, chose it
	PrimaryRecorded   PrimaryRule = "recorded"   // it was the primary before
	PrimaryPreferred  PrimaryRule = "preferred"  // it comes first and waits for credentials
	PrimaryOldest     PrimaryRule = "oldest"     // the oldest that works without credentials
	PrimaryFirst      PrimaryRule = "first"      // the same as oldest if no age is known, as in files
	// PrimaryOldestLocked and PrimaryFirstLocked choose the oldest and the first if none works without credentials.
	PrimaryOldestLocked PrimaryRule = "oldest-locked"
	PrimaryFirstLocked  PrimaryRule = "first-locked"
)

// StandIn is a primary for the time being, and the Service that takes its place when it works.
type StandIn struct{ By, For Ref }

// Kept is the Service for which the place of a type's primary is kept, the rule that keeps it, and the verdict on that
// Service. The zero value means that the place is not kept.
type Kept struct {
	For     Ref
	By      PrimaryRule
	Verdict Verdict // "": no such Service exists, or it has no finding of this type
	Winner  Ref     // the Service that it duplicates
}

// Excess means that a Service has more labels, annotations or selector requirements than are kept.
type Excess struct {
	Of            Part
	Number, Limit int
}

// Part is a part of a Service's description.
type Part string

// The parts that are bounded.
const (
	PartLabels      Part = "labels"
	PartAnnotations Part = "annotations"
	PartSelector    Part = "selector"
)
