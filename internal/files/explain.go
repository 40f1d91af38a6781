package files

import (
	"errors"
	"fmt"
	"reflect"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"k8s.io/apimachinery/pkg/util/intstr"
)

func firstLine(err error) error {
	text, _, _ := strings.Cut(err.Error(), "\n")
	return errors.New(text)
}

// explainField turns a type error into words: which field, what is there and what belongs there.
func explainField(err error) error {
	var sem *json.SemanticError
	if !errors.As(err, &sem) {
		return firstLine(err)
	}
	at := fieldPath(sem.JSONPointer)
	switch {
	case sem.GoType == reflect.TypeFor[intstr.IntOrString]():
		return fmt.Errorf("%s: a port number or a port name belongs here", at)
	case errors.Is(sem.Err, strconv.ErrRange):
		return fmt.Errorf("%s: the number is too large", at)
	case sem.GoType == nil || sem.JSONKind == 0:
		return fmt.Errorf("%s: cannot be read", at)
	}
	found, wanted := kindName(sem.JSONKind), typeName(sem.GoType)
	if found == wanted {
		return fmt.Errorf("%s: not a valid value", at)
	}
	return fmt.Errorf("%s: %s, where %s belongs", at, found, wanted)
}

// fieldPath writes a JSON pointer as people write fields: /spec/ports/0/port is spec.ports[0].port.
func fieldPath(p jsontext.Pointer) string {
	var b strings.Builder
	for token := range p.Tokens() {
		switch _, err := strconv.ParseUint(token, 10, 32); {
		case err == nil && b.Len() > 0:
			b.WriteString("[" + token + "]")
		case !isToken(token, maxKey):
			b.WriteString("[" + quote(token) + "]")
		case strings.ContainsAny(token, "./"):
			b.WriteString("[" + token + "]")
		case b.Len() > 0:
			b.WriteString("." + token)
		default:
			b.WriteString(token)
		}
	}
	return b.String()
}

func kindName(k jsontext.Kind) string {
	switch k {
	case 'n':
		return "null"
	case 't', 'f':
		return "a boolean"
	case '"':
		return "a string"
	case '0':
		return "a number"
	case '{':
		return "an object"
	case '[':
		return "a list"
	}
	return "nothing"
}

func typeName(t reflect.Type) string {
	switch t.Kind() {
	case reflect.String:
		return "a string"
	case reflect.Bool:
		return "a boolean"
	case reflect.Int32:
		return "a number"
	case reflect.Slice:
		return "a list"
	case reflect.Pointer:
		return typeName(t.Elem())
	}
	if t.Name() == "Time" {
		return "an RFC 3339 time"
	}
	return "an object"
}
