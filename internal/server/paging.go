package server

import (
	"cmp"
	"encoding/base64"
	"encoding/json"
	"reflect"
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2"
)

// Optional is a query parameter that may be missing.
type Optional[T any] struct {
	Value T
	Set   bool
}

// Receiver implements huma.ParamWrapper.
func (o *Optional[T]) Receiver() reflect.Value { return reflect.ValueOf(o).Elem().Field(0) }

// OnParamSet implements huma.ParamReactor.
func (o *Optional[T]) OnParamSet(set bool, _ any) { o.Set = set }

// Schema implements huma.SchemaProvider.
func (o *Optional[T]) Schema(r huma.Registry) *huma.Schema {
	return r.Schema(reflect.TypeFor[T](), true, "")
}

// cut shortens a text that a caller chose to about most bytes.
func cut(s string, most int) string {
	if len(s) <= most {
		return s
	}
	return strings.ToValidUTF8(s[:most], "") + "…"
}

// Paging holds the parameters for reading a list page by page.
type Paging struct {
	Limit    int   `query:"limit" minimum:"1" maximum:"500" default:"100" doc:"Maximum number of items in the response"`
	Continue Token `query:"continue" maxLength:"2048" doc:"The value from the previous response, for the next page; it stays valid if the list changes"`
}

// Token marks the end of a page. It holds the sort key of the last item and not a position, so that a reader misses no
// remaining item if the list changes between two pages.
type Token string

type tokenText struct {
	List  string // its operation ID
	After key
}

func newToken(list string, after key) Token {
	// This never fails, because a key has texts and a number.
	text, _ := json.Marshal(tokenText{list, after}) //nolint:musttag // the token is read only here
	return Token(base64.RawURLEncoding.EncodeToString(text))
}

// read returns the sort key. ok is false if the token does not belong to the list.
func (t Token) read(list string) (after key, ok bool) {
	var content tokenText
	text, err := base64.RawURLEncoding.DecodeString(string(t))
	if err != nil || json.Unmarshal(text, &content) != nil { //nolint:musttag // the same
		return key{}, false
	}
	return content.After, content.List == list
}

// page returns the items that follow the previous page, and the token for the next one. The items are in the order of
// their keys.
func page[T any](p *Paging, list string, items []T, keyOf func(T) key) ([]T, Token) {
	if after, ok := p.Continue.read(list); ok {
		begin, _ := slices.BinarySearchFunc(items, after, func(item T, after key) int {
			return cmp.Or(keyOf(item).compare(after), -1) // the item of the token was on the previous page
		})
		items = items[begin:]
	}
	if len(items) <= p.Limit {
		return items, ""
	}
	return items[:p.Limit], newToken(list, keyOf(items[p.Limit-1]))
}

// Resolve implements huma.Resolver.
func (t *Token) Resolve(ctx huma.Context) []error {
	if *t == "" {
		return nil
	}
	if _, ok := t.read(ctx.Operation().OperationID); !ok {
		return []error{&huma.ErrorDetail{
			Location: "query.continue",
			Message:  "not a value from a response of this list; leave it out to start with the first page",
		}}
	}
	return nil
}
