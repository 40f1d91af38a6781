package agent

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"
)

// Only strings that are too long are cut, never within an escape sequence, wherever the pieces of the answer end.
func TestLongStringsAreCut(t *testing.T) {
	t.Attr("req", "DTS-SEC-3")
	for name, end := range map[string]string{
		"a letter": "a", "a quote": `\"`, "a backslash": `\\`, "Unicode": `\u00e9`, "a pair": `\ud83d\ude00`, "UTF-8": "é",
	} {
		for before := range 14 {
			start := strings.Repeat("x", maxString-before)
			text := `["[{\"` + `", {"k": "` + start + strings.Repeat(end, 20) + `", "n": -1.5e3}, "` + start[:maxString-13] + `"]`
			for _, from := range []io.Reader{strings.NewReader(text), iotest.OneByteReader(strings.NewReader(text))} {
				got := shortened(t, from)
				var list []any
				if err := json.Unmarshal(got, &list); err != nil {
					t.Fatalf("%s, %d before: %v", name, before, err)
				}
				cut := list[1].(map[string]any)["k"].(string)
				if !strings.HasPrefix(cut, start) || !strings.HasSuffix(cut, cutMark) || len(cut) > maxString+len(`\u0000`)+3 {
					t.Errorf("%s, %d before: cut to %d, ending in %q", name, before, len(cut), cut[maxString-before:])
				}
				if list[0] != `[{"` || list[1].(map[string]any)["n"] != -1500.0 || list[2] != start[:maxString-13] {
					t.Errorf("%s, %d before: other values changed", name, before)
				}
			}
		}
	}
}

func shortened(t *testing.T, from io.Reader) []byte {
	t.Helper()
	var out bytes.Buffer
	var s shortener
	for p := make([]byte, 1000); ; {
		n, err := from.Read(p)
		out.Write(p[:s.shorten(p[:n])])
		if errors.Is(err, io.EOF) {
			return out.Bytes()
		}
	}
}

// FuzzShorten has short JSON unchanged, and whatever else no longer than before.
func FuzzShorten(f *testing.F) {
	for _, text := range []string{`{"a":"\"\\\u0022"}`, `"\u12`, `"\`, "\"\xff\"\"", `[[[]]]`} {
		f.Add(text, uint16(0))
		f.Add(text, uint16(3))
	}
	f.Fuzz(func(t *testing.T, text string, fill uint16) {
		if got := string(shortened(t, strings.NewReader(text))); len(text) <= maxString && got != text {
			t.Errorf("%q became %q", text, got)
		}
		long := `["` + strings.Repeat("x", maxString-int(fill)%maxString) + text + `"]`
		got := shortened(t, strings.NewReader(long))
		if len(got) > len(long) || json.Valid([]byte(long)) && !json.Valid(got) {
			t.Errorf("%q at the end: %d bytes, valid: %t", text, len(got), json.Valid(got))
		}
	})
}
