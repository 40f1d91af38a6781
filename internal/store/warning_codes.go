package store

// WarningCode says in a word what a warning about the input is about. The set is closed: programs may rely on each,
// and package view has a text for each.
type WarningCode string

// What is in files and cannot be used, or not as it stands.
const (
	WarningNotObject       WarningCode = "not-object"       // an item or a document is no object
	WarningNoKind          WarningCode = "no-kind"          // an object has no kind
	WarningFieldType       WarningCode = "field-type"       // a field holds a value of another type
	WarningFieldPort       WarningCode = "field-port"       // a field holds neither a port's number nor its name
	WarningFieldRange      WarningCode = "field-range"      // a field holds a number that is too large
	WarningFieldValue      WarningCode = "field-value"      // a field holds a value that is not valid
	WarningFieldUnreadable WarningCode = "field-unreadable" // a field cannot be read
	WarningInvalid         WarningCode = "invalid"          // an object that no API server would have stored
	WarningGivenTwice      WarningCode = "given-twice"      // a Service was in the input before
	WarningNoServices      WarningCode = "no-services"      // a file has no Services
)

// What cannot be read of a cluster.
const (
	WarningServicesForbidden WarningCode = "services-forbidden" // the Services of a namespace
	WarningSlicesForbidden   WarningCode = "slices-forbidden"   // the EndpointSlices of a namespace
	WarningLinksUnlisted     WarningCode = "links-unlisted"     // what leads people to Services, in a namespace
	WarningLinksResource     WarningCode = "links-resource"     // a resource of links.from that is not in the cluster
	WarningLinksInvalid      WarningCode = "links-invalid"      // one object that leads people to Services
)
