package logging

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"regexp"
	"strings"
)

const asterisks = "***"

// secrets are the patterns of secrets, with what replaces each. No code should log a secret, but errors and values of
// libraries can contain URLs and headers.
var secrets = []struct {
	find *regexp.Regexp
	with string
}{
	// Credentials in a URL, up to the last "@" of its authority.
	{regexp.MustCompile(`(://)[^/\s?#"'<>\\]*@`), `${1}` + asterisks + `@`},
	// Headers, as text or as a Go or JSON map: up to the end of the value.
	{regexp.MustCompile(`(?i)((?:proxy-)?authorization|(?:set-)?cookie|x-(?:api-key|auth-token|access-token))` +
		`(["'\\]*\s*[:=]\s*[\["'\\]*)[^"'\]\r\n\\]+`), `${1}${2}` + asterisks},
	// Parameters of a query.
	{regexp.MustCompile(`(?i)((?:[?&]|\\u0026)(?:access_|id_|refresh_)?` + // "&" as JSON writes it
		`(?:token|api[_-]?key|key|password|secret|sig|signature)=)[^&\s"'#]+`), `${1}` + asterisks},
	// Tokens.
	{regexp.MustCompile(`(?i)\b(bearer\s+)[a-z0-9._~+/=-]{16,}`), `${1}` + asterisks},
	{regexp.MustCompile(`\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]*)?`), asterisks},
}

// redact returns s without secrets.
func redact(s string) string {
	for _, secret := range secrets {
		s = secret.find.ReplaceAllString(s, secret.with)
	}
	return s
}

// redactAttr is for slog.HandlerOptions.ReplaceAttr.
func redactAttr(_ []string, a slog.Attr) slog.Attr {
	switch a.Value.Kind() {
	case slog.KindString:
		if secretKey(a.Key) && a.Value.String() != "" {
			a.Value = slog.StringValue(asterisks)
			return a
		}
		a.Value = slog.StringValue(redact(a.Value.String()))
	case slog.KindAny:
		a.Value = redactValue(a.Key, a.Value)
	}
	return a
}

func redactValue(key string, v slog.Value) slog.Value {
	switch x := v.Any().(type) {
	case nil, slog.Level, *slog.Source:
		return v
	case error, fmt.Stringer:
		return slog.StringValue(redact(fmt.Sprint(x))) // Sprint survives a nil pointer
	default:
		if secretKey(key) {
			return slog.StringValue(asterisks)
		}
		// The handlers write other values as JSON or as text, which can show different parts: as text, pointers and
		// raw JSON are numbers.
		text := fmt.Sprintf("%+v", x)
		encoded, _ := json.Marshal(x) // nil if it cannot be written as JSON
		for _, form := range []string{text, string(encoded)} {
			if clean := redact(form); clean != form {
				return slog.StringValue(clean)
			}
		}
		return v
	}
}

// secretKey reports whether the name of a key means that its value is secret.
func secretKey(key string) bool {
	key = strings.NewReplacer("_", "", "-", "").Replace(strings.ToLower(key))
	for _, word := range []string{"password", "passwd", "secret", "token", "apikey", "authorization", "cookie"} {
		if strings.Contains(key, word) {
			return true
		}
	}
	return false
}
