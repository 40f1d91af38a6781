package store

// WarningCode identifies a kind of warning about the input. Programs may rely on the codes. Package view has a text for
// each.
type WarningCode string

// Faults in files.
const (
	WarningNotObject  WarningCode = "not-object"  // an item or a document is no Kubernetes object
	WarningInvalid    WarningCode = "invalid"     // an object that no API server would have stored
	WarningGivenTwice WarningCode = "given-twice" // a Service was in the input before
	WarningNoServices WarningCode = "no-services" // a file has no Services
)

// Objects of a cluster that cannot be read.
const (
	WarningServicesForbidden WarningCode = "services-forbidden" // the Services of a namespace
	WarningSlicesForbidden   WarningCode = "slices-forbidden"   // the EndpointSlices of a namespace
	WarningLinksUnlisted     WarningCode = "links-unlisted"     // objects that lead people to Services, in a namespace
	WarningLinksResource     WarningCode = "links-resource"     // a resource of links.from that is not in the cluster
	WarningLinksInvalid      WarningCode = "links-invalid"      // one object that leads people to Services
)
