package server

import (
	"encoding/base64"
	"encoding/json"
	"reflect"
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

// allows reports whether the parameter is missing or equals value.
func (o Optional[T]) allows(value T) bool { return !o.Set || any(value) == any(o.Value) }

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

// tokenKeys returns the number of texts in a sort key of a list.
func tokenKeys(list string) int {
	if list == listServices {
		return 4
	}
	return 2
}

type tokenText struct {
	List string   `json:"l"`
	Key  []string `json:"k"`
}

func newToken(list string, key ...string) Token {
	text, err := json.Marshal(tokenText{list, key})
	if err != nil { // never: texts can always be encoded
		return ""
	}
	return Token(base64.RawURLEncoding.EncodeToString(text))
}

// read returns the sort key. ok is false if the token does not belong to the list.
func (t Token) read(list string) (k []string, ok bool) {
	text, err := base64.RawURLEncoding.DecodeString(string(t))
	if err != nil {
		return nil, false
	}
	var content tokenText
	if json.Unmarshal(text, &content) != nil || content.List != list || len(content.Key) != tokenKeys(list) {
		return nil, false
	}
	return content.Key, true
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
