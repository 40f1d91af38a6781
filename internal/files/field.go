package files

import (
	"cmp"
	"errors"
	"fmt"
	"reflect"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"k8s.io/apimachinery/pkg/util/intstr"
)

var kindNames = map[jsontext.Kind]string{
	'n': "null", 't': "a boolean", 'f': "a boolean", '"': "a string", '0': "a number", '{': "an object", '[': "a list",
}

var typeNames = map[reflect.Kind]string{
	reflect.String: "a string", reflect.Bool: "a boolean", reflect.Int32: "a number", reflect.Slice: "a list",
}

// describeField says of a type error which field it is, what is there and what belongs there.
func describeField(err error) string {
	var wrong *json.SemanticError
	if !errors.As(err, &wrong) {
		text, _, _ := strings.Cut(err.Error(), "\n")
		return text
	}
	at := fieldPath(wrong.JSONPointer)
	goType := wrong.GoType
	for goType != nil && goType.Kind() == reflect.Pointer {
		goType = goType.Elem()
	}
	switch {
	case goType == reflect.TypeFor[intstr.IntOrString]():
		return at + ": a port number or a port name belongs here"
	case errors.Is(wrong.Err, strconv.ErrRange):
		return at + ": the number is too large"
	case goType == nil || wrong.JSONKind == 0:
		return at + ": cannot be read"
	}
	found, wanted := kindNames[wrong.JSONKind], cmp.Or(typeNames[goType.Kind()], "an object")
	if goType.Name() == "Time" {
		wanted = "an RFC 3339 time"
	}
	if found == wanted {
		return at + ": not a valid value"
	}
	return fmt.Sprintf("%s: %s, where %s belongs", at, found, wanted)
}

// fieldPath writes a JSON pointer as people write fields: /spec/ports/0/port is spec.ports[0].port.
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
