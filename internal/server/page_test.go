package server

import (
	"io/fs"
	"net/http"
	"path"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"kubernaut.io/dynamic-toolset/internal/backend"
	"kubernaut.io/dynamic-toolset/internal/controller"
)

func servePage(t *testing.T) *fixture {
	t.Helper()
	h, err := Page()
	if err != nil {
		t.Fatal(err)
	}
	return serving(t, h)
}

func TestHandler(t *testing.T) {
	t.Attr("req", "DTS-UI-1")
	page := servePage(t)
	type row struct {
		Code        int
		Type, Allow string
		Empty       bool
	}
	html, js := "text/html; charset=utf-8", "text/javascript; charset=utf-8"
	plain := "text/plain; charset=utf-8"
	for _, c := range []struct {
		method, path string
		want         row
	}{
		{http.MethodGet, "/", row{http.StatusOK, html, "", false}},
		{http.MethodHead, "/", row{http.StatusOK, html, "", true}},
		{http.MethodGet, "/?any=thing", row{http.StatusOK, html, "", false}},
		{http.MethodGet, "/assets/app.js", row{http.StatusOK, js, "", false}},
		{http.MethodGet, "/assets/base.css", row{http.StatusOK, "text/css; charset=utf-8", "", false}},
		{http.MethodGet, "/assets/icon.svg", row{http.StatusOK, "image/svg+xml; charset=utf-8", "", false}},
		{http.MethodPost, "/", row{http.StatusMethodNotAllowed, plain, "GET, HEAD", false}},
		{http.MethodDelete, "/assets/app.js", row{http.StatusMethodNotAllowed, plain, "GET, HEAD", false}},
		{http.MethodGet, "/index.html", row{http.StatusNotFound, plain, "", false}},
		{http.MethodGet, "/assets/", row{http.StatusNotFound, plain, "", false}},
		{http.MethodGet, "/assets/none.js", row{http.StatusNotFound, plain, "", false}},
		{http.MethodGet, "/assets/../web.go", row{http.StatusNotFound, plain, "", false}},
		{http.MethodGet, "/%2e%2e/web.go", row{http.StatusNotFound, plain, "", false}},
	} {
		t.Run(c.method+" "+c.path, func(t *testing.T) {
			answer := page.ask(t, c.method, c.path, nil)
			got := row{answer.code, answer.header.Get("Content-Type"), answer.header.Get("Allow"), answer.body == ""}
			if d := cmp.Diff(c.want, got); d != "" {
				t.Errorf("-want +got:\n%s", d)
			}
			for name, value := range security {
				if got := answer.header.Get(name); got != value {
					t.Errorf("%s: %q, want %q", name, got, value)
				}
			}
		})
	}
}

func TestCaching(t *testing.T) {
	t.Attr("req", "DTS-UI-1")
	page := servePage(t)
	app, dom := page.get(t, "/assets/app.js"), page.get(t, "/assets/dom.js")
	tag := app.header.Get("ETag")
	if app.header.Get("Cache-Control") != "no-cache" || len(tag) < 20 || app.body == "" {
		t.Fatalf("Cache-Control %q, ETag %q, %d bytes", app.header.Get("Cache-Control"), tag, len(app.body))
	}
	for given, want := range map[string]int{tag: http.StatusNotModified, `"another"`: http.StatusOK} {
		a := page.get(t, "/assets/app.js", "If-None-Match", given)
		if a.code != want || (a.body == "") != (want == http.StatusNotModified) {
			t.Errorf("If-None-Match %s: %d with %d bytes, want %d", given, a.code, len(a.body), want)
		}
	}
	if dom.body == app.body || dom.header.Get("ETag") == tag {
		t.Error("two files have the same content or ETag")
	}
}

// TestNothingToInject: the page is made of files that hold no data, use no code but their own, ask no other host, and never
// read a text as HTML (DTS-SEC-3). The browser is told to hold them to it; this finds it before a browser does.
func TestNothingToInject(t *testing.T) {
	t.Attr("req", "DTS-SEC-3 DTS-UI-1")
	forbidden := regexp.MustCompile(`innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function|localStorage|` +
		`sessionStorage|document\.cookie|indexedDB|\bon[a-z]+="|style="|srcdoc|javascript:`)
	address := regexp.MustCompile(`(?:https?:)?//[a-z0-9.-]+\.[a-z]{2,}[^\s"'` + "`" + `)]*`)
	err := fs.WalkDir(static, "static", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		content, err := static.ReadFile(name)
		if err != nil {
			return err
		}
		text := string(content)
		if found := forbidden.FindString(text); found != "" {
			t.Errorf("%s uses %q", name, found)
		}
		for _, found := range address.FindAllString(text, -1) {
			if found != "http://www.w3.org/2000/svg" { // the name of a language, which nobody asks
				t.Errorf("%s names the address %q", name, found)
			}
		}
		if path.Ext(name) == ".html" && regexp.MustCompile(`<script[^>]*>[^<]`).MatchString(text) {
			t.Errorf("%s has an inline script", name)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// TestComplete: whatever the page and its parts refer to is there, and all that is there is referred to. References are
// relative, so that the page works below any path.
func TestComplete(t *testing.T) {
	t.Attr("req", "DTS-UI-1")
	assets, err := load()
	if err != nil {
		t.Fatal(err)
	}
	used := map[string]bool{"/": true}
	reference := regexp.MustCompile(`(?:src|href)="(assets/[^"]+)"|from '(\./[^']+)'`)
	for where, a := range assets {
		for _, m := range reference.FindAllStringSubmatch(string(a.content), -1) {
			target := path.Join(path.Dir(where), m[1]+m[2])
			used[target] = true
			if _, ok := assets[target]; !ok {
				t.Errorf("%s refers to %s, which is not there", where, target)
			}
		}
		if m := regexp.MustCompile(`(?:src|href|fetch\()=?["'](/[^"']*)`).FindStringSubmatch(string(a.content)); m != nil {
			t.Errorf("%s refers to %s: expected a relative reference", where, m[1])
		}
		ids(t, where, string(a.content), string(assets["/"].content))
	}
	for where := range assets {
		if !used[where] {
			t.Errorf("%s is there, and nothing refers to it", where)
		}
	}
}

// ids looks for elements that a script wants and the page does not have.
func ids(t *testing.T, where, script, page string) {
	t.Helper()
	for _, m := range regexp.MustCompile(`byId\('([a-z-]+)'\)`).FindAllStringSubmatch(script, -1) {
		if !strings.Contains(page, `id="`+m[1]+`"`) {
			t.Errorf("%s wants the element %s, which the page does not have", where, m[1])
		}
	}
	for _, m := range regexp.MustCompile(`icon\('([a-z]+)'`).FindAllStringSubmatch(script, -1) {
		if !strings.Contains(page, `id="i-`+m[1]+`"`) {
			t.Errorf("%s wants the icon %s, which the page does not have", where, m[1])
		}
	}
}

// TestWords: the page has a word for every verdict and every kind of change.
func TestWords(t *testing.T) {
	t.Attr("req", "DTS-UI-1")
	content, err := static.ReadFile("static/assets/format.js")
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, v := range backend.Verdicts {
		names = append(names, string(v))
	}
	for _, k := range controller.ChangeKinds() {
		names = append(names, string(k))
	}
	for _, name := range names {
		if !regexp.MustCompile(`\n  '?` + name + `'?: {word:`).Match(content) {
			t.Errorf("format.js has no word for %q", name)
		}
	}
}
