package files

import (
	"cmp"
	"context"
	"fmt"
	"hash/maphash"
	"slices"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"kubernaut.io/dynamic-toolset/internal/backend"
	"kubernaut.io/dynamic-toolset/internal/links"
	"kubernaut.io/dynamic-toolset/internal/store"
)

// reader reads the files in turn.
type reader struct {
	ctx    context.Context
	sink   store.Sink
	opts   ReadOptions
	report store.Report
	// seen holds a hash of the name of each Service, to find the ones that are given twice with 20 bytes for each.
	seen map[uint64]struct{}
	seed maphash.Seed

	// Of the current file:
	name    string
	meter   meter
	objects int            // Kubernetes objects of any kind
	given   int            // those of them that the sink was given
	refusal *store.Warning // of the first entry that is no object
}

// place is the position of an object in a file.
type place struct {
	document int // counted from 1
	line     int // the first line of the document; 0 in JSON, where the item helps more
	item     int // the index in a List, as in .items[0]; -1 for an object that is not in a List
}

func (p place) String() string {
	document := fmt.Sprintf("document %d", p.document)
	if p.line > 0 {
		document += fmt.Sprintf(" (line %d)", p.line)
	}
	switch {
	case p.item < 0:
		return document
	case p.document == 1 && p.line == 0:
		return fmt.Sprintf("items[%d]", p.item)
	}
	return fmt.Sprintf("%s, items[%d]", document, p.item)
}

// header identifies the kind of an object.
type header struct {
	Kind       word `json:"kind"`
	APIVersion word `json:"apiVersion"`
}

// word is a string. It is empty if the value has another type.
type word string

// UnmarshalJSONFrom implements json.UnmarshalerFrom.
func (w *word) UnmarshalJSONFrom(dec *jsontext.Decoder) error {
	if dec.PeekKind() != '"' {
		return dec.SkipValue()
	}
	token, err := dec.ReadToken()
	*w = word(token.String())
	return err
}

// listOrObject is a List, or an object with its raw fields, which are decoded when the kind is known.
type listOrObject struct {
	header

	Items  items          `json:"items"`
	Fields jsontext.Value `json:",embed"`
}

// items are the items of a List. Each is processed while the List is read.
type items struct {
	reader *reader
	list   *header
	at     place
	found  bool
}

// UnmarshalJSONFrom implements json.UnmarshalerFrom.
func (i *items) UnmarshalJSONFrom(dec *jsontext.Decoder) error {
	if dec.PeekKind() != '[' {
		return dec.SkipValue()
	}
	if _, err := dec.ReadToken(); err != nil {
		return err
	}
	i.found = true
	// The API server sends items without a kind: it follows from the kind of the List.
	inherited := header{Kind: word(strings.TrimSuffix(string(i.list.Kind), "List")), APIVersion: i.list.APIVersion}
	for i.at.item = 0; dec.PeekKind() != ']'; i.at.item++ {
		i.reader.meter.left = maxObject
		item, err := dec.ReadValue()
		if err == nil {
			err = i.reader.ctx.Err()
		}
		if err != nil {
			return err
		}
		if item.Kind() != '{' {
			i.reader.refuse(i.at)
			continue
		}
		h := inherited
		if err := json.Unmarshal(item, &h, jsonOptions); err != nil {
			return err
		}
		i.reader.object(h, item, i.at)
	}
	_, err := dec.ReadToken()
	return err
}

// document reads the next value of the decoder, which should be an object. h has the parts of its header that are known
// already.
func (r *reader) document(dec *jsontext.Decoder, at place, h header) error {
	r.meter.left = maxObject
	if dec.PeekKind() != '{' {
		err := dec.SkipValue()
		if err == nil {
			r.refuse(at)
		}
		return err
	}
	d := listOrObject{header: h, Fields: jsontext.Value("{}")}
	d.Items = items{reader: r, list: &d.header, at: at}
	if err := json.UnmarshalDecode(dec, &d, jsonOptions); err != nil {
		return err
	}
	if d.Items.found {
		r.objects++
	} else {
		r.object(d.header, d.Fields, at)
	}
	return r.ctx.Err()
}

// refuse records an entry that is no Kubernetes object.
func (r *reader) refuse(at place) {
	w := store.Warning{Code: store.WarningNotObject, File: r.name, Place: at.String(), Refused: true}
	if r.refusal == nil {
		r.refusal = &w
	}
	r.report.Warn(w)
}

const (
	kindService       = "Service"
	kindEndpointSlice = "EndpointSlice"
)

// object decodes an object of a kind that is used, and counts any other.
func (r *reader) object(h header, fields jsontext.Value, at place) {
	if h.Kind == "" {
		r.refuse(at)
		return
	}
	r.objects++
	kind := string(h.Kind)
	group, _, _ := strings.Cut(string(h.APIVersion), "/")
	exposer := slices.IndexFunc(r.opts.Links.Kinds,
		func(k links.Kind) bool { return k.Kind == kind && (k.Group == group || h.APIVersion == "") })
	switch {
	case exposer >= 0:
		r.exposer(r.opts.Links.Kinds[exposer], fields, at)
	case kind == kindService && (h.APIVersion == "v1" || h.APIVersion == ""):
		r.service(fields, at)
	case kind == kindEndpointSlice && (group == "discovery.k8s.io" || h.APIVersion == ""):
		r.endpointSlice(fields, at)
	default:
		r.report.Skipped++
	}
}

// exposer decodes an object that leads people to Services.
func (r *reader) exposer(kind links.Kind, fields jsontext.Value, at place) {
	decode := func(into any) error { return json.Unmarshal(fields, into, jsonOptions) }
	var o struct {
		Metadata metav1.ObjectMeta `json:"metadata"`
	}
	err := decode(&o)
	by := store.Exposer{
		Kind: kind.Kind,
		Ref:  backend.Ref{Namespace: cmp.Or(o.Metadata.Namespace, r.opts.Namespace), Name: o.Metadata.Name},
	}
	if err == nil {
		err = checkExposer(by.Ref)
	}
	var services map[string][]backend.Exposure
	if err == nil {
		services, err = r.opts.Links.Read(kind, by.Namespace, decode)
	}
	if err != nil {
		r.reject(kind.Kind, fields, at, err)
		return
	}
	r.given++
	r.sink.Expose(by, services)
}

// service decodes a Service.
func (r *reader) service(fields jsontext.Value, at place) {
	var o struct { // the status is not used
		Metadata metav1.ObjectMeta  `json:"metadata"`
		Spec     corev1.ServiceSpec `json:"spec"`
	}
	err := json.Unmarshal(fields, &o, jsonOptions)
	s := &corev1.Service{ObjectMeta: o.Metadata, Spec: o.Spec}
	s.Namespace = cmp.Or(s.Namespace, r.opts.Namespace)
	if err == nil {
		err = checkService(s)
	}
	if err != nil {
		r.reject(kindService, fields, at, err)
		return
	}
	found := store.FromService(s, r.opts.KeepAnnotation)
	sum := maphash.Comparable(r.seed, found.Ref)
	if _, twice := r.seen[sum]; twice {
		r.report.Warn(store.Warning{
			Code: store.WarningGivenTwice, File: r.name, Place: at.String(), Kind: kindService, Ref: found.Ref,
		})
	} else {
		r.report.Services++
	}
	r.seen[sum] = struct{}{}
	r.given++
	r.sink.Service(found)
}

// endpointSlice decodes an EndpointSlice, and skips it if it belongs to no Service.
func (r *reader) endpointSlice(fields jsontext.Value, at place) {
	var s discoveryv1.EndpointSlice
	err := json.Unmarshal(fields, &s, jsonOptions)
	if err == nil && s.Labels[discoveryv1.LabelServiceName] == "" {
		r.report.Skipped++
		return
	}
	s.Namespace = cmp.Or(s.Namespace, r.opts.Namespace)
	if err == nil {
		err = checkSlice(&s)
	}
	if err != nil {
		r.reject(kindEndpointSlice, fields, at, err)
		return
	}
	r.given++
	service, slice := store.FromEndpointSlice(&s, r.opts.Denied)
	if !isToken(slice.Name, maxHost) || slice.Name == "" { // a name that no other slice has
		slice.Name = r.name + " " + at.String()
	}
	r.sink.Slice(service, slice)
}

// reject adds a warning about an object that cannot be used. It has the name of the object if that is valid.
func (r *reader) reject(kind string, fields jsontext.Value, at place, err error) {
	var o struct {
		Metadata struct {
			Name      word `json:"name"`
			Namespace word `json:"namespace"`
		} `json:"metadata"`
	}
	_ = json.Unmarshal(fields, &o, jsonOptions) // err has the reason already
	ref := backend.Ref{Namespace: cmp.Or(string(o.Metadata.Namespace), r.opts.Namespace), Name: string(o.Metadata.Name)}
	if checkExposer(ref) != nil || kind == kindService && !isLabelName(ref.Name) {
		ref = backend.Ref{}
	}
	r.report.Warn(store.Warning{
		Code: store.WarningInvalid, File: r.name, Place: at.String(), Kind: kind, Ref: ref, Refused: true,
		Err: fieldError(err),
	})
}
