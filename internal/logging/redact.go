package logging

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"regexp"
	"strings"
)

const asterisks = "***"

// redactor removes secrets from log entries. No code should log a secret, but errors and values of libraries can
// contain URLs and headers.
type redactor struct {
	rules  []rule
	encode func(any) string
}

type rule struct {
	find *regexp.Regexp
	with string
}

// newRedactor makes a redactor. encode formats values that are neither text nor numbers, as the handler does.
func newRedactor(encode func(any) string) *redactor {
	r := &redactor{encode: encode}
	for _, s := range []struct{ find, with string }{
		// Credentials in a URL, up to the last "@" of its authority.
		{`(://)[^/\s?#"'<>\\]*@`, `${1}` + asterisks + `@`},
		// Headers, as text or as a Go or JSON map: up to the end of the value.
		{`(?i)((?:proxy-)?authorization|(?:set-)?cookie|x-(?:api-key|auth-token|access-token))` +
			`(["'\\]*\s*[:=]\s*[\["'\\]*)[^"'\]\r\n\\]+`, `${1}${2}` + asterisks},
		// Parameters of a query.
		{`(?i)([?&](?:access_|id_|refresh_)?(?:token|api[_-]?key|key|password|secret|sig|signature)=)[^&\s"'#]+`,
			`${1}` + asterisks},
		// Tokens.
		{`(?i)\b(bearer\s+)[a-z0-9._~+/=-]{16,}`, `${1}` + asterisks},
		{`\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]*)?`, asterisks},
	} {
		r.rules = append(r.rules, rule{regexp.MustCompile(s.find), s.with})
	}
	return r
}

// text returns s without secrets.
func (r *redactor) text(s string) string {
	for _, rule := range r.rules {
		s = rule.find.ReplaceAllString(s, rule.with)
	}
	return s
}

// attr is for slog.HandlerOptions.ReplaceAttr.
func (r *redactor) attr(_ []string, a slog.Attr) slog.Attr {
	switch a.Value.Kind() {
	case slog.KindString:
		if secretKey(a.Key) && a.Value.String() != "" {
			a.Value = slog.StringValue(asterisks)
			return a
		}
		a.Value = slog.StringValue(r.text(a.Value.String()))
	case slog.KindAny:
		a.Value = r.value(a.Key, a.Value)
	}
	return a
}

func (r *redactor) value(key string, v slog.Value) slog.Value {
	switch x := v.Any().(type) {
	case nil, slog.Level, *slog.Source:
		return v
	case error:
		return slog.StringValue(r.text(fmt.Sprint(x))) // Sprint survives a nil pointer
	case fmt.Stringer:
		return slog.StringValue(r.text(fmt.Sprint(x)))
	default:
		if secretKey(key) {
			return slog.StringValue(asterisks)
		}
		if s := r.encode(x); r.text(s) != s {
			return slog.StringValue(r.text(s))
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

func encodeJSON(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		return fmt.Sprintf("%+v", v)
	}
	return string(b)
}

func encodeText(v any) string { return fmt.Sprintf("%+v", v) }
