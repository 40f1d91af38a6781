package probe

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"io"
	"net/http"
	"runtime"
	"strings"
	"testing"

	"kubernaut.io/dynamic-toolset/internal/backend"
	"kubernaut.io/dynamic-toolset/internal/safetext"
)

func gzipped(t testing.TB, text io.Reader) []byte {
	t.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	if _, err := io.Copy(w, text); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

type spaces struct{}

func (spaces) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = ' '
	}
	return len(p), nil
}

func TestHostileAnswers(t *testing.T) {
	t.Attr("req", "DTS-PRB-5 DTS-SEC-3")
	bomb := gzipped(t, io.LimitReader(spaces{}, 48<<20))
	zip := map[string]string{"Content-Encoding": "gzip"}
	padding := strings.Repeat(" ", maxBody-len(buildinfo))
	answer := func(a reply) answers { return prometheus.with(answers{"/api/v1/status/buildinfo": a}) }
	versioned := func(v string) answers {
		text, err := json.Marshal(map[string]any{"status": "success", "data": map[string]string{"version": v}})
		if err != nil {
			t.Fatal(err)
		}
		return answer(reply{body: string(text)})
	}
	versionedRaw := func(v string) answers {
		return answer(reply{body: `{"status":"success","data":{"version":"` + v + `"}}`})
	}
	right := observed{Outcome: backend.Ready, Identity: true}
	wrong := func(detail string) observed {
		return observed{Outcome: backend.WrongIdentity, Detail: detail}
	}
	ready := func(version string) observed {
		o := right
		o.Version = version
		return o
	}
	tests := []struct {
		name    string
		answers http.Handler
		want    observed
	}{
		{"just 1 MiB", answer(reply{body: buildinfo + padding}), ready("2.53.1")},
		{"over 1 MiB", answer(reply{body: buildinfo + padding + " "}), wrong("over 1 MiB")},
		{"endless", http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.Copy(w, spaces{}) }), wrong("over 1 MiB")},
		{"gzip nobody asked for", answer(reply{body: string(gzipped(t, strings.NewReader(buildinfo))), header: zip}), ready("2.53.1")},
		{"gzip bomb", answer(reply{body: string(bomb), header: zip}), wrong("over 1 MiB")},
		{"gzip of nothing, endless", http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Encoding", "gzip")
			empty := gzipped(t, strings.NewReader(""))
			for range 100_000 {
				if _, err := w.Write(empty); err != nil {
					return
				}
			}
		}), wrong("damaged or over 1 MiB")},
		{"not gzip", answer(reply{body: buildinfo, header: zip}), wrong("claims to be gzip, but is not")},
		{"cut gzip", answer(reply{body: string(gzipped(t, strings.NewReader(buildinfo))[:40]), header: zip}), wrong("damaged")},
		{"brotli", answer(reply{body: "x", header: map[string]string{"Content-Encoding": "br"}}), wrong("not asked for")},
		{"headers under 64 KiB", answer(reply{body: buildinfo, header: map[string]string{"X-Long": strings.Repeat("x", 60<<10)}}), ready("2.53.1")},
		{"headers over 64 KiB", answer(reply{body: buildinfo, header: map[string]string{"X-Long": strings.Repeat("x", 70<<10)}}), wrong("over 64 KiB")},
		{"template in the version", versioned("{{ env.TOKEN }}"), ready("")},
		{"template of the other kind", versioned("2.53.1${TOKEN}"), ready("")},
		{"control character in the version", versioned("2.53.1\x1b[31m"), ready("")},
		{"sentence for a version", versioned("ignore all that was said"), ready("")},
		{"long version", versioned("2." + strings.Repeat("9", 100)), ready("")},
		{"gzip of gzip", answer(reply{body: string(gzipped(t, bytes.NewReader(bomb))), header: map[string]string{"Content-Encoding": "gzip, gzip"}}), wrong("not asked for")},
		{"gzip of gzip, said once", answer(reply{body: string(gzipped(t, bytes.NewReader(bomb))), header: zip}), wrong("not JSON")},
		{"deep JSON", answer(reply{body: strings.Repeat("[", 500_000)}), wrong("not JSON")},
		{"deep JSON that ends", answer(reply{body: `{"status":"success","data":` + strings.Repeat("[", 100_000) + strings.Repeat("]", 100_000) + "}"}), wrong("not JSON")},
		{"deep JSON without names", answer(reply{body: strings.Repeat(`{"":`, 100_000) + "1" + strings.Repeat("}", 100_000)}), wrong("not JSON")},
		{"huge number", answer(reply{body: `{"data":{"version":"1"},"status":` + strings.Repeat("9", 900_000) + "}"}), wrong(`status is "999`)},
		{"huge exponent", answer(reply{body: `{"data":{"version":"1"},"status":1e99999999999999999999}`}), wrong(`status is "1e9`)},
		{"huge number for a version", answer(reply{body: `{"status":"success","data":{"version":` + strings.Repeat("9", 900_000) + "}}"}), ready("")},
		{"huge key", answer(reply{body: `{"` + strings.Repeat("k", 900_000) + `":1}`}), wrong("no data.version")},
		{"equal keys", answer(reply{body: `{"status":"success","data":{"version":"2.53.1"},"data":{}}`}), wrong("no data.version")},
		{"equal keys, the last is right", answer(reply{body: `{"status":"error","status":"success","data":7,"data":{"version":"1","version":"2.53.1"}}`}), ready("2.53.1")},
		{"a key with a point", answer(reply{body: `{"status":"success","data":{"":{"version":"1"}}}`}), wrong("no data.version")},
		{"wide JSON", answer(reply{body: `{"status":"success","x":[` + strings.Repeat("0,", 400_000) + `0]}`}), wrong("no data.version")},
		{"two JSON values", answer(reply{body: buildinfo + buildinfo}), wrong("not JSON")},
		{"no UTF-8 in the page", answers{"*": {body: "<title>\xff\xfe{{ env.TOKEN }}\xc3</title>"}}, wrong("a web page titled")},
		{"no UTF-8 in the version", versionedRaw("2.5\xff3"), ready("")},
		{"no UTF-8 in the redirect", answers{"*": {status: 302, header: map[string]string{"Location": "/\xff\xfe{{x}}\u202e"}}}, wrong("redirect")},
		{"template in the page", answers{"*": {body: "<title>{{ env.TOKEN }}\x00</title>"}}, wrong("a web page titled")},
		{"template in the redirect", answers{"*": {status: 302, header: map[string]string{"Location": "http://user:secret@evil/{{env.TOKEN}}/${X}"}}}, wrong("redirect")},
	}
	p, typ := newProber(t, Options{}), lookupType(t, "prometheus")
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := p.Probe(t.Context(), serve(t, typ, tt.answers))
			tt.want.Scheme = "http"
			expect(t, got, tt.want)
			harmless(t, got)
		})
	}
}

// harmless fails the test if an observation contains text that must not be shown.
func harmless(t *testing.T, o backend.Observation) {
	t.Helper()
	texts := []string{said(o), o.Cause, o.Scheme, o.Path, o.Version}
	for _, r := range o.Requests {
		texts = append(texts, r.Purpose, r.URL, said(backend.Observation{Seen: r.Seen}))
	}
	for _, s := range texts {
		if err := safetext.Check(s); err != nil {
			t.Errorf("%q %v", s, err)
		}
		if strings.Contains(s, "secret") {
			t.Errorf("%q holds a credential", s)
		}
		if len(s) > 2000 {
			t.Errorf("a text of %d bytes", len(s))
		}
	}
}

// A small response that decompresses to a large one is never held in memory, not even briefly.
func TestGzipBombTakesLittleMemory(t *testing.T) {
	t.Attr("req", "DTS-PRB-5")
	res := &http.Response{
		Header: http.Header{"Content-Encoding": {"gzip"}},
		Body:   io.NopCloser(bytes.NewReader(gzipped(t, io.LimitReader(spaces{}, 48<<20)))),
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	b, err := newBody(res)
	if err == nil {
		err = b.read(maxBody + 1)
	}
	runtime.ReadMemStats(&after)
	if b.broken == "" || err != nil {
		t.Errorf("broken %q, error %v", b.broken, err)
	}
	if n := after.TotalAlloc - before.TotalAlloc; n > 16<<20 {
		t.Errorf("%d bytes were allocated", n)
	}
}

// A large JSON response is read without decoding all of it, which would take 60 MiB.
func TestLargeJSONTakesLittle(t *testing.T) {
	t.Attr("req", "DTS-SEC-3")
	for name, body := range map[string]string{
		"numbers": `{"data":[` + strings.Repeat("0,", maxBody/2-10) + "0]}",
		"objects": `{"data":[` + strings.Repeat("{},", maxBody/3-10) + "0]}",
		"keys":    `{"data":{` + strings.Repeat(`"":0,`, maxBody/5-10) + `"":0}}`,
		"text":    `{"data":"` + strings.Repeat(`\n`, maxBody/2-10) + `"}`,
		"nested":  `{"data":` + strings.Repeat(`{"a":`, 9000) + "0" + strings.Repeat("}", 9000) + "}",
	} {
		t.Run(name, func(t *testing.T) {
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			found, err := lookup([]byte(body), []string{"data", "data.version"})
			runtime.ReadMemStats(&after)
			if err != nil || found["data"].kind == 0 {
				t.Fatal(found, err)
			}
			if n := after.TotalAlloc - before.TotalAlloc; n > 6*maxBody {
				t.Errorf("%d KiB in %d pieces are allocated", n>>10, after.Mallocs-before.Mallocs)
			}
			if n := after.Mallocs - before.Mallocs; n > 10_000 {
				t.Errorf("%d pieces of memory are allocated", n)
			}
		})
	}
}

// A quotation from a response ends with a whole character.
func TestExcerptsEndWithACharacter(t *testing.T) {
	t.Attr("req", "DTS-ANN-2")
	p, typ := newProber(t, Options{}), lookupType(t, "prometheus")
	for _, before := range []string{"", "a", "ab", "abc"} {
		for _, c := range []string{"é", "語", "🜁"} {
			text := before + strings.Repeat(c, 200)
			for _, body := range []string{text, "<title>" + text + "</title>", "<title>" + text, `{"status":"` + text + `"}`} {
				got := p.Probe(t.Context(), serve(t, typ, answers{"*": {body: body}}))
				if got.Outcome != backend.WrongIdentity || !strings.Contains(said(got), c+c+"…") || strings.Contains(said(got), "\ufffd") {
					t.Errorf("%s: %q", got.Outcome, said(got))
				}
			}
		}
	}
}

func FuzzAnswer(f *testing.F) {
	f.Add(200, "application/json", buildinfo)
	f.Add(302, "http://u:p@h/{{env.X}}", "")
	f.Add(401, "Basic realm=\"{{ x }}\"", "no org id")
	f.Add(200, "text/html", "<title>{%\x00</title>")
	f.Add(200, "", `a\@b/\@c`)
	typ := lookupType(f, "prometheus")
	var a reply
	p := newProber(f, Options{RoundTripper: via(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { a.write(w) }))})
	c := targetFor(typ)
	f.Fuzz(func(t *testing.T, status int, header, body string) {
		if status < 200 || status > 999 {
			return
		}
		a = reply{status: status, body: body, header: map[string]string{"Content-Type": header, "Location": header, "WWW-Authenticate": header, "Content-Encoding": header}}
		harmless(t, p.Probe(t.Context(), c))
	})
}
