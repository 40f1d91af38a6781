package store

import "kubernaut.io/dynamic-toolset/internal/backend"

// Warning is a fault in the input: a code, and the details for this code.
type Warning struct {
	Code     WarningCode
	File     string      // "" for a cluster
	Place    string      // in the file, "" for the whole file
	Kind     string      // of the object, "" if unknown or not useful
	Ref      backend.Ref // of the object, if its name is valid
	Refused  bool        // the object was left out
	Field    string      // path of the field in the object
	Found    ValueType   // type of the value in the field
	Wanted   ValueType   // type that the field must have
	Resource string      // name of a resource of the cluster, in the plural
	Err      error       // the cause
	Skipped  Kinds       // objects of other kinds in a file without Services
	Others   int         // number of refused objects in such a file
}

// ValueType is the type of a value in a file.
type ValueType string

// The types of values.
const (
	ValueNull    ValueType = "null"
	ValueBoolean ValueType = "boolean"
	ValueString  ValueType = "string"
	ValueNumber  ValueType = "number"
	ValueObject  ValueType = "object"
	ValueList    ValueType = "list"
	ValueTime    ValueType = "time"
)
