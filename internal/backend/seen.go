package backend

import (
	"net/netip"
	"time"
)

// Seen is what a probe saw: a code that programs read, and the details of which package view makes the sentence for
// people. Each code uses few of them. Text of the backend's is already checked and bounded.
type Seen struct {
	Code    Code
	Type    string  // the title of the type that it was asked as
	Answer  *Answer // the one that decided
	Because string  // the catalog's words for it
	Value   string  // what is written or said there
	Host    string
	Number  int
	Limit   int
	Wait    time.Duration
	Names   []string // that a certificate is for
	// From and Until are when a certificate is valid.
	From, Until time.Time
	Paths       []string // base paths that were tried as well
	Denial      Denial
}

// Answer is an answer in HTTP, as far as it is shown.
type Answer struct {
	Path      string // that was asked; "" where the sentence does not name it
	Landed    string // the path of the same host that it was redirected to, and that gave the answer; "" for none
	Status    int
	Redirect  string // where it leads
	Flaw      Flaw   // why the body cannot be used
	Title     string // of a web page
	Text      string // the beginning of another body
	Challenge string // the header WWW-Authenticate, where that decided
	Lack      Lack
	Because   string // the catalog's words for what it means that the answer lacks that
}

// Flaw is why the body of an answer cannot be used; "" where it can.
type Flaw string

// The flaws.
const (
	FlawGzip     Flaw = "gzip"     // it says gzip and is not
	FlawDamaged  Flaw = "damaged"  // its gzip ends early, or is too long
	FlawEncoding Flaw = "encoding" // another encoding, which was not asked for
	FlawLong     Flaw = "long"     // over 1 MiB
	FlawFraming  Flaw = "framing"  // not as HTTP/1.1 has it
	FlawProtocol Flaw = "protocol" // what follows is another protocol
)

// Lack is what a check of the catalog expects of an answer that is not so. The zero value means that nothing is
// missing.
type Lack struct {
	Part  LackPart
	Name  string // of a header, or the path of a JSON value
	Value string // what was expected; of a JSON value what is there: quoted, or null, [] or {} for any such
}

// LackPart is the part of an answer that lacks something.
type LackPart string

// The parts.
const (
	LackStatus    LackPart = "status" // the value lists all that would do
	LackHeader    LackPart = "header"
	LackBody      LackPart = "body" // it cannot be used
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
	Carried netip.Addr // the IPv4 address that it stands for, where that is the one which is forbidden
	Network netip.Prefix
}

// AddressOf is what of a Service has an address; "" for the one that was about to be dialled.
type AddressOf string

// What has one.
const (
	AddressOfHost      AddressOf = "host"
	AddressOfClusterIP AddressOf = "ClusterIP"
	AddressOfEndpoint  AddressOf = "endpoint"
)

// Meshes whose policies refuse: the Value of what is seen then. Of a refusal by an unknown hand it is a guess.
const (
	MeshLinkerd = "Linkerd"
	MeshIstio   = "Istio"
	MeshCilium  = "Cilium"
	MeshUnnamed = "Envoy" // which several are made of
)
