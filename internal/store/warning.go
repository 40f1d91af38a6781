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
	Resource string      // name of a resource of the cluster, in the plural
	Err      error       // the cause
	Skipped  int         // number of objects of other kinds in a file without Services
	Others   int         // number of refused objects in such a file
}
