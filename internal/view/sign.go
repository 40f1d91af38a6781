package view

import (
	"fmt"
	"strings"

	"kubernaut.io/dynamic-toolset/internal/backend"
)

// Sign returns the text of one sign that detection recognised a Service by.
func Sign(s *backend.Sign) string {
	switch s.Code {
	case backend.SignRule:
		return fmt.Sprintf("%s (%s)", strings.Join(signParts(s), ", "), s.Because)
	case backend.SignName, backend.SignPortName:
		return "its " + signPart(s)
	case backend.SignPort:
		return fmt.Sprintf("port %d (%s's own)", s.Number, s.Type)
	case backend.SignIncluded:
		return fmt.Sprintf("its annotation %s=%s, with %s", s.Key, s.Value, Sign(&s.Parts[0]))
	case backend.SignTyped:
		given := fmt.Sprintf("its annotations %s=%s and kubernaut.io/toolset-type=%s", s.Key, s.Value, s.Type)
		return strings.Join(append([]string{given}, signParts(s)...), ", ")
	case backend.SignOtherType:
		return fmt.Sprintf("in place of %s by %s", s.Type, Sign(&s.Parts[0]))
	case backend.SignConfigured:
		return "the configuration (backends)"
	case backend.SignRecorded:
		return "state.json"
	}
	return signPart(s)
}

// signParts returns the texts of a sign's parts.
func signParts(s *backend.Sign) (parts []string) {
	for i := range s.Parts {
		parts = append(parts, signPart(&s.Parts[i]))
	}
	return parts
}

// signPart returns the text of a sign within another sign.
func signPart(s *backend.Sign) string {
	switch s.Code {
	case backend.SignLabel, backend.SignSelector, backend.SignAnnotation:
		return fmt.Sprintf("%s %s=%s", s.Code, s.Key, s.Value)
	case backend.SignName:
		return fmt.Sprintf("name %q", s.Value)
	case backend.SignPortName:
		return fmt.Sprintf("port name %q", s.Value)
	}
	return Sign(s)
}

// signs returns the texts of several signs.
func signs(list []backend.Sign) (said []string) {
	for i := range list {
		said = append(said, Sign(&list[i]))
	}
	return said
}
