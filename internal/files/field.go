package files

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

var kindNames = map[jsontext.Kind]string{
	'n': "null", 't': "this boolean", 'f': "this boolean", '"': "this string", '0': "this number",
	'{': "this object", '[': "this list", 0: "this value",
}

// fieldError names the field if an object cannot be decoded because of a value. It returns other errors as they are.
func fieldError(err error) error {
	var wrong *json.SemanticError
	if !errors.As(err, &wrong) {
		return err
	}
	return fmt.Errorf("%s: %s is not valid here", fieldPath(wrong.JSONPointer), kindNames[wrong.JSONKind])
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
