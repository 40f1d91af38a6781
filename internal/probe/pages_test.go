package probe

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"kubernaut.io/dynamic-toolset/internal/backend"
)

// BenchmarkHostileAnswers measures a probe that gets the same response to each request. It fails if a hostile response takes ten
// times as long as a page of words of the same size, because many such Services would keep this process busy.
func BenchmarkHostileAnswers(b *testing.B) {
	const size = 60 << 10
	fill := func(text string) string { return strings.Repeat(text, size/len(text)) }
	html := map[string]string{"Content-Type": "text/html"}
	header := func(name, value string) map[string]string {
		return map[string]string{"Content-Type": "text/html", name: value}
	}
	plain := map[int]time.Duration{}
	for _, tt := range []struct {
		name   string
		answer reply
	}{
		{"plain", reply{body: "<html>" + fill("a page of words "), header: html}},
		{"bases", reply{body: fill("<base "), header: html}},
		{"bases with attributes", reply{body: fill("<base a href "), header: html}},
		{"bases that end", reply{body: fill("<base >"), header: html}},
		{"long base", reply{body: "<base " + fill("a "), header: html}},
		{"inputs", reply{body: fill("<input "), header: html}},
		{"inputs that end", reply{body: fill("<input type=passwor>"), header: html}},
		{"titles", reply{body: fill("<title"), header: html}},
		{"title of dashes", reply{body: "<title>" + fill("- "), header: html}},
		{"of other letters", reply{body: "<" + fill("İ"), header: html}},
		{"of wide spaces", reply{body: fill("\u3000"), header: html}},
		{"challenges", reply{body: "<", header: header("WWW-Authenticate", fill(","))}},
		{"challenges of words", reply{body: "<", header: header("WWW-Authenticate", fill("a,"))}},
		{"challenge of spaces", reply{body: "<", header: header("WWW-Authenticate", "a"+fill(" "))}},
		{"server", reply{body: "<", header: header("Server", fill("İ"))}},
		{"content types", reply{body: fill("<base "), header: map[string]string{"Content-Type": fill("htm") + "html"}}},
		{"redirect of words", reply{body: fill("<base "), header: header("Location", "//x"+fill("/log")[:8000])}},
		{"redirect of parameters", reply{body: fill("<base "), header: header("Location", "//x/?"+fill("a=&")[:8000])}},
		{"long redirect", reply{body: fill("<base "), header: header("Location", "//x"+fill("/log"))}},
	} {
		for _, status := range []int{200, 302, 401, 403, 404, 503} {
			tt.answer.status = status
			answer := tt.answer
			all := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { answer.write(w) })
			p := newProber(b, Options{RoundTripper: via(all)})
			target := targetFor(lookupType(b, "prometheus"))
			fastest := time.Hour // the machine does other things too
			b.Run(tt.name+"/"+http.StatusText(status), func(b *testing.B) {
				for b.Loop() {
					begin := time.Now()
					if o := p.Probe(b.Context(), target); o.Outcome == backend.Ready {
						b.Fatal("it is ready")
					}
					fastest = min(fastest, time.Since(begin))
				}
			})
			switch harmless := plain[status]; {
			case harmless == 0:
				plain[status] = fastest
			case fastest > 10*harmless && fastest < time.Hour:
				b.Errorf("%s, %d: a probe takes %s, and %s where the page is of words", tt.name, status, fastest, harmless)
			}
		}
	}
}

// Only the beginning of a page counts, however it is written.
func TestPages(t *testing.T) {
	t.Attr("req", "DTS-PRB-2 DTS-PRB-8")
	for text, want := range map[string]page{
		`<head><base href="/Jaeger/ui/"/><title> A Page </title>`:                 {base: "/Jaeger/ui/", title: "A Page"},
		"<BASE\n  target=x  HREF = '/a' >":                                        {base: "/a"},
		"<base target=x><base href=/b>":                                           {base: "/b"},
		`<base data-href="/no" href="/yes">`:                                      {base: "/yes"},
		`<base href>`:                                                             {},
		`<base href="/no"`:                                                        {},
		`<basefont href="/no">`:                                                   {},
		`<baseline><p href="/no">`:                                                {},
		`<title>Please log-in</title>`:                                            {title: "Please log-in", signIn: true},
		` <TITLE lang=en>Sign In to X</TITLE>`:                                    {title: "Sign In to X", signIn: true},
		`not a page <title>Sign In</title>`:                                       {title: "Sign In"},
		`<form><Input type=text><input name=p Type='Password'>`:                   {signIn: true},
		`<p>type=password<input type=text>`:                                       {},
		"<p>" + strings.Repeat(" ", maxPage) + `<title>x</title><base href="/a">`: {},
		"<": {}, "<base": {}, "<base>": {}, "<title": {}, "": {},
	} {
		if got := (&answer{body: []byte(text)}).page(); *got != want {
			t.Errorf("%.80s: %+v, want %+v", text, *got, want)
		}
	}
}
