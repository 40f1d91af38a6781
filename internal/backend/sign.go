package backend

// SignCode is a word for the kind of a sign. The set is closed, and package view has a text for each.
type SignCode string

// The signs by which detection recognises a Service.
const (
	SignRule       SignCode = "rule"       // a rule of the catalog matches: Parts are what matches it
	SignLabel      SignCode = "label"      // a label names the product
	SignSelector   SignCode = "selector"   // the selector names the product
	SignAnnotation SignCode = "annotation" // an annotation names the product; only as part of a rule
	SignName       SignCode = "name"       // the Service's name names the product
	SignPortName   SignCode = "port-name"  // the name of a port names the product
	SignPort       SignCode = "port"       // it has the product's own port
	SignIncluded   SignCode = "included"   // its owner includes it; Parts are the labels and other signs of its type
	SignTyped      SignCode = "typed"      // its owner names its type; Parts are the other types
	SignOtherType  SignCode = "other-type" // a type that its owner rules out; Parts are the evidence for it
	SignConfigured SignCode = "configured" // the configuration names it under backends
	SignRecorded   SignCode = "recorded"   // state.json records it; the Service cannot be read
)

// Sign is one thing by which detection recognised a Service: a code and the details. Details that a stranger chose are
// checked and bounded.
type Sign struct {
	Code    SignCode
	Key     string // the key of the label, the selector's entry or the annotation
	Value   string // the value of the label, the selector's entry or the annotation, or the name
	Type    string // the catalog's title, or the type's name
	Because string // the catalog's explanation of a rule
	Number  int32  // the port's number
	Parts   []Sign
}

// In reports whether other, or a part of it, is the same sign.
func (s *Sign) In(other *Sign) bool {
	if s.Code == other.Code && s.Key == other.Key && s.Value == other.Value && s.Number == other.Number &&
		s.Because == other.Because {
		return true
	}
	for i := range other.Parts {
		if s.In(&other.Parts[i]) {
			return true
		}
	}
	return false
}
