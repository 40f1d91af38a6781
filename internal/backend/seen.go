package backend

import (
	"net/netip"
	"time"
)

// Seen is what a probe saw: a code that programs read, and the details from which package view makes a text for people.
// Each code uses few of them. Text from the backend is already checked and bounded.
type Seen struct {
	Code    Code
	Type    string  // the title of the type that was probed for
	Answer  *Answer // the response that decided
	Because string  // the catalog's explanation
	Value   string  // the value that was found
	Host    string
	Number  int
	Limit   int
	Wait    time.Duration
	Names   []string // the names in a certificate
	// From and Until bound the time in which a certificate is valid.
	From, Until time.Time
	Paths       []string // other base paths that were tried
	Denial      Denial
}

// Answer is an HTTP response, reduced to what is shown.
type Answer struct {
	Path      string // the requested path; "" if the text does not name it
	Landed    string // the path on the same host to which the request was redirected and which answered; "" for none
	Status    int
	Redirect  string // the target of the redirect
	Flaw      Flaw   // why the body cannot be used
	Title     string // the title of a web page
	Text      string // the beginning of any other body
	Challenge string // the header WWW-Authenticate, if it decided
	Lack      Lack
	Because   string // the catalog's explanation of what is missing
}

// Flaw is why the body of a response cannot be used; "" if it can.
type Flaw string

// The flaws.
const (
	FlawGzip     Flaw = "gzip"     // its encoding is gzip, but the body is not
	FlawDamaged  Flaw = "damaged"  // its gzip data ends early or is too long
	FlawEncoding Flaw = "encoding" // an encoding that was not requested
	FlawLong     Flaw = "long"     // it is longer than 1 MiB
	FlawFraming  Flaw = "framing"  // it is not framed as HTTP/1.1 requires
	FlawProtocol Flaw = "protocol" // the connection switches to another protocol
)

// Lack is what a check of the catalog expects and a response lacks. The zero value means that nothing is missing.
type Lack struct {
	Part  LackPart
	Name  string // the name of a header, or the path of a JSON value
	Value string // the expected value; for a JSON value the actual one: quoted, or null, [] or {}
}

// LackPart is the part of a response that lacks something.
type LackPart string

// The parts.
const (
	LackStatus    LackPart = "status" // Value lists all accepted statuses
	LackHeader    LackPart = "header"
	LackBody      LackPart = "body" // the body cannot be used
	LackText      LackPart = "text"
	LackWords     LackPart = "words"
	LackJSON      LackPart = "json"
	LackJSONPath  LackPart = "json-path"
	LackJSONValue LackPart = "json-value"
)

// Denial is an address that security.denyCIDRs forbids.
type Denial struct {
	Of      AddressOf
	Address netip.Addr
	Carried netip.Addr // the IPv4 address inside Address, if that one is denied
	Network netip.Prefix
}

// AddressOf is the part of a Service that has the address; "" for the address that was about to be dialled.
type AddressOf string

// The parts that have addresses.
const (
	AddressOfHost      AddressOf = "host"
	AddressOfClusterIP AddressOf = "ClusterIP"
	AddressOfEndpoint  AddressOf = "endpoint"
)

// Meshes whose policies refuse requests: the Value of such an observation. It is a guess if the response does not name
// the mesh.
const (
	MeshLinkerd = "Linkerd"
	MeshIstio   = "Istio"
	MeshCilium  = "Cilium"
	MeshUnnamed = "Envoy" // several meshes use it
)
