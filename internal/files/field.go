package files

import (
	"cmp"
	"errors"
	"reflect"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"k8s.io/apimachinery/pkg/util/intstr"

	"kubernaut.io/dynamic-toolset/internal/store"
)

var valueTypes = map[jsontext.Kind]store.ValueType{
	'n': store.ValueNull, 't': store.ValueBoolean, 'f': store.ValueBoolean, '"': store.ValueString,
	'0': store.ValueNumber, '{': store.ValueObject, '[': store.ValueList,
}

// wantedTypes has the JSON type for each Go type of a field. All other fields hold an object.
var wantedTypes = map[reflect.Kind]store.ValueType{
	reflect.String: store.ValueString, reflect.Bool: store.ValueBoolean, reflect.Int32: store.ValueNumber,
	reflect.Slice: store.ValueList,
}

// fieldWarning describes why an object cannot be decoded. For a type error it names the field, the type found there,
// and the type that belongs there.
func fieldWarning(err error) store.Warning {
	var wrong *json.SemanticError
	if !errors.As(err, &wrong) {
		return store.Warning{Code: store.WarningInvalid, Err: err}
	}
	w := store.Warning{Field: fieldPath(wrong.JSONPointer)}
	goType := wrong.GoType
	for goType != nil && goType.Kind() == reflect.Pointer {
		goType = goType.Elem()
	}
	switch {
	case goType == reflect.TypeFor[intstr.IntOrString]():
		w.Code = store.WarningFieldPort
		return w
	case errors.Is(wrong.Err, strconv.ErrRange):
		w.Code = store.WarningFieldRange
		return w
	case goType == nil || wrong.JSONKind == 0:
		w.Code = store.WarningFieldUnreadable
		return w
	}
	w.Found, w.Wanted = valueTypes[wrong.JSONKind], cmp.Or(wantedTypes[goType.Kind()], store.ValueObject)
	if goType.Name() == "Time" {
		w.Wanted = store.ValueTime
	}
	w.Code = store.WarningFieldType
	if w.Found == w.Wanted {
		w.Code = store.WarningFieldValue
	}
	return w
}

// fieldPath formats a JSON pointer as people write fields: /spec/ports/0/port becomes spec.ports[0].port.
func fieldPath(p jsontext.Pointer) string {
	var b strings.Builder
	for token := range p.Tokens() {
		_, err := strconv.ParseUint(token, 10, 32)
		switch {
		case !isToken(token, maxKey):
			b.WriteString("[" + quote(token) + "]")
		case err == nil || strings.ContainsAny(token, "./"):
			b.WriteString("[" + token + "]")
		default:
			b.WriteString("." + token)
		}
	}
	return strings.TrimPrefix(b.String(), ".")
}
