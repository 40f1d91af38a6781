package files

import (
	"context"
	"fmt"
	"hash/maphash"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"kubernaut.io/dynamic-toolset/internal/backend"
	"kubernaut.io/dynamic-toolset/internal/store"
)

// reader reads one file after the other.
type reader struct {
	ctx    context.Context
	sink   store.Sink
	opts   ReadOptions
	report store.Report
	// seen holds a hash of each Service's name, so that one given twice is noticed at 20 bytes apiece.
	seen map[uint64]struct{}
	seed maphash.Seed

	// Of the file at hand:
	name    string
	objects int // Kubernetes objects of any kind
	given   int // of them to the sink
	skipped store.Kinds
	refusal string // the first

	raw    []byte // of the object at hand
	peeker jsontext.Decoder
}

// place is where in a file an object stands.
type place struct {
	document int // counted from 1
	line     int // where the document begins; 0 in JSON, which is better searched by item
	item     int // in a List, counted from 0 as in .items[0]; -1 outside
}

func (p place) String() string {
	var parts []string
	if p.document > 1 || p.line > 0 || p.item < 0 {
		s := fmt.Sprintf("document %d", p.document)
		if p.line > 0 {
			s += fmt.Sprintf(" (line %d)", p.line)
		}
		parts = append(parts, s)
	}
	if p.item >= 0 {
		parts = append(parts, fmt.Sprintf("items[%d]", p.item))
	}
	return strings.Join(parts, ", ")
}

// refuse leaves out something that is no Kubernetes object.
func (r *reader) refuse(at place, text string) {
	if r.refusal == "" {
		r.refusal = at.String() + ": " + text
	}
	r.report.Warn(store.Warning{Where: r.name + ": " + at.String(), Refused: true, Text: text})
}

const (
	kindService       = "Service"
	kindEndpointSlice = "EndpointSlice"
)

// object hands on a Service or an EndpointSlice, and counts anything else.
func (r *reader) object(raw jsontext.Value, h header, at place) {
	if h.kind == "" {
		r.refuse(at, "it has no kind, so it is no Kubernetes object")
		return
	}
	r.objects++
	group, _, _ := strings.Cut(h.apiVersion, "/")
	switch {
	case h.kind == kindService && (h.apiVersion == "v1" || h.apiVersion == ""):
		r.service(raw, at)
	case h.kind == kindEndpointSlice && (group == "discovery.k8s.io" || h.apiVersion == ""):
		r.endpointSlice(raw, at)
	case group == h.apiVersion: // the core group, where the version stands alone
		r.skip(h.kind)
	default:
		r.skip(h.kind + "." + group)
	}
}

func (r *reader) skip(kind string) {
	r.report.Skip(kind)
	r.skipped.Add(kind)
}

func (r *reader) service(raw jsontext.Value, at place) {
	ref, s, err := parseService(raw, r.opts.Namespace, r.opts.KeepAnnotation)
	if err != nil {
		r.report.Warn(store.Warning{Where: r.name + ": " + at.String(), Kind: kindService, Ref: ref, Refused: true, Text: err.Error()})
		return
	}
	if r.twice(ref) {
		r.report.Warn(store.Warning{Where: r.name + ": " + at.String(), Kind: kindService, Ref: ref,
			Text: "this Service was given before; the later one counts, as with kubectl apply"})
	} else {
		r.report.Services++
	}
	r.given++
	r.sink.Service(s)
}

func (r *reader) twice(ref backend.Ref) bool {
	var h maphash.Hash
	h.SetSeed(r.seed)
	h.WriteString(ref.Namespace)
	h.WriteByte('/')
	h.WriteString(ref.Name)
	sum := h.Sum64()
	_, seen := r.seen[sum]
	r.seen[sum] = struct{}{}
	return seen
}

func (r *reader) endpointSlice(raw jsontext.Value, at place) {
	ref, slice, err := parseEndpointSlice(raw, r.opts.Namespace, r.opts.Denied)
	switch {
	case err != nil:
		r.report.Warn(store.Warning{Where: r.name + ": " + at.String(), Kind: kindEndpointSlice, Ref: ref, Refused: true, Text: err.Error()})
	case ref.Name == "":
		r.skip(store.OrphanSlice)
	default:
		r.report.Slices++
		r.given++
		if !isToken(slice.Name, maxHost) || slice.Name == "" { // it is told from others by its place
			slice.Name = r.name + " " + at.String()
		}
		r.sink.Slice(ref, slice)
	}
}
