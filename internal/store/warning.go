package store

import "kubernaut.io/dynamic-toolset/internal/backend"

// Warning is one thing in the input that could not be used, or not as it stands: a code, and the details that belong to
// it.
type Warning struct {
	Code     WarningCode
	File     string      // "" for a cluster
	Place    string      // in the file, "" for all of it
	Kind     string      // of the object, "" where it is not known or of no use here
	Ref      backend.Ref // the object's name where it has a valid one
	Refused  bool        // the object was left out
	Field    string      // its path in the object
	Found    ValueType   // what stands there
	Wanted   ValueType   // what belongs there
	Resource string      // of the cluster, in the plural
	Err      error       // what was wrong
	Skipped  Kinds       // what a file without Services has
	Others   int         // how many objects of such a file were refused
}

// ValueType is the type of a value in a file.
type ValueType string

// What a value can be, and what can be wanted of one.
const (
	ValueNull    ValueType = "null"
	ValueBoolean ValueType = "boolean"
	ValueString  ValueType = "string"
	ValueNumber  ValueType = "number"
	ValueObject  ValueType = "object"
	ValueList    ValueType = "list"
	ValueTime    ValueType = "time"
)
