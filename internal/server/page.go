package server

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"io/fs"
	"mime"
	"net/http"
	"path"
	"strings"
	"time"
)

//go:embed static
var static embed.FS

// security are the headers of every answer. The page runs its own scripts and nothing else: no inline script or style, no
// other host, no form that is sent, no frame around it; and a text that is used as HTML is an error of the browser.
var security = map[string]string{
	"Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; " +
		"base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'",
	"Cross-Origin-Opener-Policy":   "same-origin",
	"Cross-Origin-Resource-Policy": "same-origin",
	"Permissions-Policy":           "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
	"Referrer-Policy":              "no-referrer",
	"X-Content-Type-Options":       "nosniff",
	"X-Frame-Options":              "DENY", // for what is older than frame-ancestors
}

// asset is one file as it is sent.
type asset struct {
	content []byte
	media   string
	etag    string
}

// Page serves the page that people look at: at / and its parts under /assets/. Other paths are 404,
// other methods than GET and HEAD 405. The files are the same for everybody: all that the page shows it reads from the API, in
// the browser, so that nothing of a cluster can be injected here.
//
// Browsers keep the files and ask each time whether they are still right: a name with a hash in it would be kept without
// asking, but would be missing where a replica of another version answers.
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
			http.Error(w, "this is a page: it can be read with GET and HEAD", http.StatusMethodNotAllowed)
			return
		}
		a, ok := assets[r.URL.Path]
		if !ok {
			http.Error(w, "there is no such page: the one there is, is at /", http.StatusNotFound)
			return
		}
		w.Header().Set("Cache-Control", "no-cache")
		w.Header().Set("Content-Type", a.media)
		w.Header().Set("ETag", a.etag)
		http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(a.content))
	}), nil
}

// load reads the files, by the path of their URL.
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
		media, err := mediaType(name)
		if err != nil {
			return err
		}
		hash := sha256.Sum256(content)
		where := strings.TrimPrefix(name, "static")
		if where == "/index.html" {
			where = "/"
		}
		assets[where] = asset{content, media, `"` + hex.EncodeToString(hash[:12]) + `"`}
		return nil
	})
	return assets, err
}

// mediaType does not ask the machine's own table of types, which may say anything.
func mediaType(name string) (string, error) {
	known := map[string]string{
		".html": "text/html", ".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml",
	}
	media, ok := known[path.Ext(name)]
	if !ok {
		return "", fmt.Errorf("%s: its media type is not known", name)
	}
	return mime.FormatMediaType(media, map[string]string{"charset": "utf-8"}), nil
}
