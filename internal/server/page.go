package server

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"io/fs"
	"net/http"
	"path"
	"strings"
	"time"
)

//go:embed static
var static embed.FS

// security holds the security headers of every response. The page runs only its own scripts: no inline script or style,
// no other host, no form submission, no frame around it. The browser rejects the use of a text as HTML.
var security = map[string]string{
	"Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; " +
		"connect-src 'self'; " +
		"base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; " +
		"trusted-types 'none'",
	"Cross-Origin-Opener-Policy":   "same-origin",
	"Cross-Origin-Resource-Policy": "same-origin",
	"Permissions-Policy":           "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
	"Referrer-Policy":              "no-referrer",
	"X-Content-Type-Options":       "nosniff",
	"X-Frame-Options":              "DENY", // for browsers without frame-ancestors
}

// asset is one file of the page.
type asset struct {
	content []byte
	media   string
	etag    string
}

// Page returns the handler of the page: / and its assets under /assets/. Other paths are 404, and methods other than
// GET and HEAD are 405. The files are the same for every user. In the browser, the page reads all data from the API, so
// that no data of a cluster can be injected here.
//
// Browsers cache the files and revalidate them on each use. Names with a hash would save the revalidation, but a
// replica of another version would not have them.
func Page() (http.Handler, error) {
	assets, err := load()
	if err != nil {
		return nil, fmt.Errorf("the page in the program: %w", err)
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for name, value := range security {
			w.Header().Set(name, value)
		}
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			w.Header().Set("Allow", "GET, HEAD")
			http.Error(w, "the page answers only GET and HEAD", http.StatusMethodNotAllowed)
			return
		}
		a, ok := assets[r.URL.Path]
		if !ok {
			http.Error(w, "this path does not exist; the page is at /", http.StatusNotFound)
			return
		}
		w.Header().Set("Cache-Control", "no-cache")
		w.Header().Set("Content-Type", a.media)
		w.Header().Set("ETag", a.etag)
		http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(a.content))
	}), nil
}

// load returns the embedded files by their URL path.
func load() (map[string]asset, error) {
	assets := map[string]asset{}
	err := fs.WalkDir(static, "static", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		content, err := static.ReadFile(name)
		if err != nil {
			return err
		}
		media, ok := mediaTypes[path.Ext(name)]
		if !ok {
			return fmt.Errorf("%s: the media type is not known", name)
		}
		hash := sha256.Sum256(content)
		where := strings.TrimPrefix(name, "static")
		if where == "/index.html" {
			where = "/"
		}
		assets[where] = asset{content, media + "; charset=utf-8", `"` + hex.EncodeToString(hash[:12]) + `"`}
		return nil
	})
	return assets, err
}

// mediaTypes are the media types of the files. The machine's table of types may be wrong.
var mediaTypes = map[string]string{
	".html": "text/html", ".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml",
}
