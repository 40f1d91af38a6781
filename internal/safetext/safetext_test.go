package safetext

import (
	"errors"
	"strings"
	"testing"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
	sigsyaml "sigs.k8s.io/yaml"
)

func TestCheck(t *testing.T) {
	t.Attr("req", "DTS-ANN-2 DTS-SEC-3")
	tests := []struct {
		in   string
		want error
	}{
		{"", nil},
		{"2.53.1", nil},
		{"what the shop orders: {a} $5 100% #1", nil},
		{"größer 世界 👩‍💻", nil},
		{"http://prometheus.monitoring.svc:9090/a?b=c@d", nil},
		{"mail me@example.org or see http://example.org", nil},
		{"{{ env.TOKEN }}", ErrTemplate},
		{"a{%x", ErrTemplate},
		{"a{#x", ErrTemplate},
		{"${HOME}", ErrTemplate},
		{"$${HOME}", ErrTemplate},
		{"two\nlines", ErrControl},
		{"tab\t", ErrControl},
		{"\x00", ErrControl},
		{"\x1b[31mred", ErrControl},
		{"\u0085", ErrControl},
		{"line\u2028separator", ErrControl},
		{"abc\u202egpj.exe", ErrControl},
		{"\xff", ErrEncoding},
		{"http://user:secret@host/", ErrCredentials},
		{"see https://token@host", ErrCredentials},
		{"//user:secret@host", ErrCredentials},
		{`http:\\user:secret@host`, ErrCredentials},
		{"http:///user:secret@host", ErrCredentials},
	}
	for _, tt := range tests {
		if err := Check(tt.in); !errors.Is(err, tt.want) {
			t.Errorf("Check(%q) = %v, want %v", tt.in, err, tt.want)
		}
	}
}

// What people do not see, a model reads.
func TestCheckInvisible(t *testing.T) {
	t.Attr("req", "DTS-ANN-2 DTS-SEC-3")
	bad := []rune{
		0xe0000, 0xe0001, 0xe0041, 0xe007f, 0xe0100, 0xe01ef, 0x200b, 0x200c, 0x200d, 0x2060, 0x2064, 0x2065, 0x206a, 0x206f,
		0xad, 0x34f, 0x180b, 0x180e, 0x115f, 0x1160, 0x17b4, 0x3164, 0xffa0, 0xfe00, 0xfe0f, 0xfff9, 0xfffb, 0xfff0,
		0xe000, 0xf8ff, 0xf0000, 0x10fffd, 0x378, 0xffff, 0x10ffff, 0x1d173, 0x600,
	}
	for _, r := range bad {
		for _, s := range []string{string(r), "a" + string(r) + "b", "👩" + string(r) + "b", "👩" + string(r) + string(r) + "💻"} {
			if s == "👩\ufe0fb" { // as emoji are written
				continue
			}
			if err := Check(s); !errors.Is(err, ErrControl) {
				t.Errorf("Check(%+q) = %v", s, err)
			}
			if got := Clean(s, 100); strings.ContainsRune(got, r) {
				t.Errorf("Clean(%+q) = %+q", s, got)
			}
		}
	}
	for _, s := range []string{"❤️", "👩‍💻", "👩🏽‍💻", "❤️‍🔥", "🏳️‍🌈", "naïve 日本語 العربية हिन्दी e\u0301 €", "a b", "\ufffd"} {
		if err := Check(s); err != nil {
			t.Errorf("Check(%+q) = %v", s, err)
		}
	}
}

func TestClean(t *testing.T) {
	t.Attr("req", "DTS-ANN-2")
	tests := []struct {
		in    string
		limit int
		want  string
	}{
		{"2.53.1", 100, "2.53.1"},
		{"  <html>\r\n\t<body>  hi ", 100, "<html> <body> hi"},
		{"{{ env.TOKEN }}", 100, "({ env.TOKEN }}"},
		{"{\x00{ env.TOKEN }}", 100, "{ { env.TOKEN }}"},
		{"{{{{%", 100, "((((%"},
		{"${HOME}", 100, "$(HOME}"},
		{"\x1b[31mred", 100, "[31mred"},
		{"a\xffb", 100, "a\ufffdb"},
		{"go to http://user:secret@host/x", 100, "go to http://***host/x"},
		{"//a@//b:c@d", 100, "//***//***d"},
		{"abcd", 4, "abcd"},
		{"abcde", 4, "abc…"},
		{"abc def", 5, "abc…"},
		{"äöüß", 3, "äö…"},
		{"abc", 0, ""},
	}
	for _, tt := range tests {
		if got := Clean(tt.in, tt.limit); got != tt.want {
			t.Errorf("Clean(%q, %d) = %q, want %q", tt.in, tt.limit, got, tt.want)
		}
	}
}

// Credentials are cut out before the text is shortened, so that no half of them stays.
func TestCleanCutsAfterRedacting(t *testing.T) {
	in := "http://user:" + strings.Repeat("s", 300) + "@host"
	if got := Clean(in, 20); strings.Contains(got, "user") {
		t.Errorf("Clean left credentials: %q", got)
	}
}

func FuzzClean(f *testing.F) {
	for _, s := range []string{"", "{{ env.X }}", "{\x01{", "$\u202e{X}", "//u:p@h//x@y", `\\a@b`, "\xff{\xff{", strings.Repeat("ä ", 300)} {
		f.Add(s, 100)
	}
	f.Add("a b", 2)
	f.Fuzz(func(t *testing.T, s string, limit int) {
		limit %= 400
		got := Clean(s, limit)
		if err := Check(got); err != nil {
			t.Errorf("Clean(%q, %d) = %q, which %v", s, limit, got, err)
		}
		if n := utf8.RuneCountInString(got); n > max(limit, 0) {
			t.Errorf("Clean(%q, %d) = %q: %d characters", s, limit, got, n)
		}
		if again := Clean(got, limit); again != got {
			t.Errorf("Clean is not stable: %q, then %q", got, again)
		}
	})
}

func TestIsPath(t *testing.T) {
	t.Attr("req", "DTS-ANN-2")
	for v, want := range map[string]bool{
		"/": true, "/prometheus": true, "/a/b-c._~9": true, "/a:b": false, "": false, "a": false, "/a b": false, "/a%20b": false,
		"/{{ env.X }}": false, "/é": false, "/a\n": false, "/?q": false,
	} {
		if got := IsPath(v, ""); got != want {
			t.Errorf("%q: %t", v, got)
		}
	}
	if !IsPath("/a:b?c", ":?") {
		t.Error("what is named besides is not taken")
	}
}

// Names of namespaces that YAML takes for something else are quoted in lines to copy.
func TestYAMLName(t *testing.T) {
	t.Attr("req", "DTS-OUT-4")
	for _, name := range []string{"monitoring", "team-a", "e3", "null", "true", "on", "y", "010", "1e3", "123", "0x1f"} {
		for _, unmarshal := range []func([]byte, any) error{
			yaml.Unmarshal,
			func(b []byte, v any) error { return sigsyaml.Unmarshal(b, v) },
		} {
			var got any
			if err := unmarshal([]byte(YAMLName(name)), &got); err != nil || got != name {
				t.Errorf("%s is read as %v, %v", YAMLName(name), got, err)
			}
		}
	}
	if got := YAMLName("monitoring"); got != "monitoring" {
		t.Errorf("%s is quoted without need", got)
	}
}
