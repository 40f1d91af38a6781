package backend

// SignCode says in a word what kind of sign it is. The set is closed, and package view has a text for each.
type SignCode string

// What detection recognises a Service by.
const (
	SignRule       SignCode = "rule"       // a rule of the catalog fits: Parts are what fits it
	SignLabel      SignCode = "label"      // a label names the product
	SignSelector   SignCode = "selector"   // the selector names it
	SignAnnotation SignCode = "annotation" // an annotation does; only as part of a rule
	SignName       SignCode = "name"       // the Service's name does
	SignPortName   SignCode = "port-name"  // the name of a port does
	SignPort       SignCode = "port"       // it has the product's own port
	SignIncluded   SignCode = "included"   // its owner includes it as what Parts say
	SignTyped      SignCode = "typed"      // its owner names its type; Parts are the other types
	SignOtherType  SignCode = "other-type" // a type that it is not, by its owner; Parts are what spoke for it
	SignConfigured SignCode = "configured" // the configuration names it below backends
	SignRecorded   SignCode = "recorded"   // state.json has it; the Service cannot be read
)

// Sign is one thing that detection recognised a Service by: a code, and what stands there. What strangers chose of it
// is checked and bounded.
type Sign struct {
	Code    SignCode
	Key     string // of the label, the selector's entry or the annotation
	Value   string // what stands there
	Type    string // the catalog's title, or the type's name
	Because string // the catalog's words for a rule
	Number  int32  // the port's
	Parts   []Sign
}

// In reports whether the same is said by another sign, or is part of it.
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
