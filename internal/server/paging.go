package server

import (
	"encoding/base64"
	"encoding/json"
	"reflect"
	"strings"

	"github.com/danielgtaylor/huma/v2"
)

// Optional is a parameter that may be missing.
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

// allows says that a value is the one that is asked for, if any is.
func (o Optional[T]) allows(value T) bool { return !o.Set || any(value) == any(o.Value) }

// cut is the beginning of a text that a caller chose.
func cut(s string, most int) string {
	if len(s) <= most {
		return s
	}
	return strings.ToValidUTF8(s[:most], "") + "…"
}

// Paging is how a list is read in parts.
type Paging struct {
	Limit    int   `query:"limit" minimum:"1" maximum:"500" default:"100" doc:"How many to answer with"`
	Continue Token `query:"continue" maxLength:"2048" doc:"From the answer before, for the part after it; it stays good when the list changes"`
}

// Token is where a page ended. It holds the sort key and not a number, so that a list which changes between two pages loses
// nothing that stays.
type Token string

// tokenKeys is how many texts the sort keys of a list have.
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
	if err != nil { // texts can be encoded
		return ""
	}
	return Token(base64.RawURLEncoding.EncodeToString(text))
}

// read is the sort key; ok is false where the token is none of that list.
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
			Location: "query.continue", Message: "not from an answer of this list; leave it out to begin at its beginning",
		}}
	}
	return nil
}
