package safetext

import (
	"errors"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestCheck(t *testing.T) {
	t.Attr("req", "DTS-ANN-2")
	t.Attr("req", "DTS-SEC-3")
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
