package bridge

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httptrace"
	"net/textproto"
	"net/url"
	"strings"
	"testing"
)

// listen is a listener that leads to a handler.
func listen(t *testing.T, h http.HandlerFunc) (host string, target *url.URL) {
	t.Helper()
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	target, err := url.Parse(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	l, err := Listen(target, new(http.Transport), error.Error)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	return l.host, target
}

// TestRefuses: what a page in a browser, or a path, would use the listener for is not carried.
func TestRefuses(t *testing.T) {
	t.Attr("req", "DTS-CLI-9 DTS-SEC-3")
	carried := ""
	host, _ := listen(t, func(_ http.ResponseWriter, r *http.Request) { carried = r.RequestURI })
	port := host[strings.LastIndex(host, ":"):]
	for request, want := range map[string]string{
		"GET / HTTP/1.1\r\nHost: $h":            "200",
		"HEAD /x HTTP/1.1\r\nHost: $h":          "200",
		"GET /a.b/..c/c.. HTTP/1.1\r\nHost: $h": "200",
		"POST / HTTP/1.1\r\nContent-Length: 0\r\nOrigin: http://$h\r\nSec-Fetch-Site: same-origin\r\nHost: $h": "200",
		"GET / HTTP/1.1\r\nSec-Fetch-Site: none\r\nHost: $h":                                                   "200",
		"GET / HTTP/1.1\r\nHost: evil.example" + port:                                                          "421",
		"GET / HTTP/1.1\r\nHost: localhost" + port:                                                             "421",
		"GET / HTTP/1.1\r\nHost: 127.0.0.1":                                                                    "421",
		"GET http://evil.example/ HTTP/1.1\r\nHost: $h":                                                        "421",
		"GET / HTTP/1.0\r\nX: y":                                                                               "421",
		"GET / HTTP/1.1\r\nOrigin: http://evil.example\r\nHost: $h":                                            "403",
		"GET / HTTP/1.1\r\nOrigin: null\r\nHost: $h":                                                           "403",
		"GET / HTTP/1.1\r\nOrigin: http://127.0.0.1:1\r\nHost: $h":                                             "403",
		"GET / HTTP/1.1\r\nSec-Fetch-Site: cross-site\r\nHost: $h":                                             "403",
		"GET / HTTP/1.1\r\nSec-Fetch-Site: same-site\r\nHost: $h":                                              "403",
		"OPTIONS / HTTP/1.1\r\nHost: $h":                                                                       "405",
		"PUT / HTTP/1.1\r\nContent-Length: 0\r\nHost: $h":                                                      "405",
		"DELETE / HTTP/1.1\r\nHost: $h":                                                                        "405",
		"CONNECT 10.0.0.1:443 HTTP/1.1\r\nHost: $h":                                                            "421",
		"GET / HTTP/1.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nHost: $h":                              "400",
		"GET /sw.js HTTP/1.1\r\nService-Worker: script\r\nSec-Fetch-Site: same-origin\r\nHost: $h":             "403",
		"GET /../../../secrets HTTP/1.1\r\nHost: $h":                                                           "400",
		"GET /a/.. HTTP/1.1\r\nHost: $h":                                                                       "400",
		"GET /%2e%2e/x HTTP/1.1\r\nHost: $h":                                                                   "400",
		"GET /..%2f..%2fx HTTP/1.1\r\nHost: $h":                                                                "400",
		"GET /%252e%252e%252fx HTTP/1.1\r\nHost: $h":                                                           "400",
		"GET /%252e%252e/%25zz HTTP/1.1\r\nHost: $h":                                                           "400",
		"GET /..%5cx HTTP/1.1\r\nHost: $h":                                                                     "400",
		"GET /..;/x HTTP/1.1\r\nHost: $h":                                                                      "400",
	} {
		carried = ""
		conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", host)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := conn.Write([]byte(strings.ReplaceAll(request, "$h", host) + "\r\n\r\n")); err != nil {
			t.Fatal(err)
		}
		line, _ := bufio.NewReader(conn).ReadString('\n')
		conn.Close()
		if status := strings.Fields(line + " - -")[1]; status != want || (want == "200") != (carried != "") {
			t.Errorf("%q: %s, want %s; carried %q", request, status, want, carried)
		}
	}
}

// TestRedirects: a redirect leads to the listener, or nowhere, and the answer has no effect on other ports or later.
func TestRedirects(t *testing.T) {
	t.Attr("req", "DTS-CLI-9 DTS-SEC-3")
	var location string
	host, target := listen(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Location", location)
		w.Header().Set("Access-Control-Allow-Origin", "*")
		w.Header().Set("Set-Cookie", "grafana_session=fixed")
		w.Header().Set("Clear-Site-Data", `"*"`)
		w.Header().Set("Cache-Control", "max-age=31536000, immutable")
		w.WriteHeader(http.StatusFound)
	})
	for to, want := range map[string]string{
		"/login":                           "http://" + host + "/login",
		"next?a=b":                         "http://" + host + "/a/next?a=b",
		target.String() + "/x":             "http://" + host + "/x",
		"http://evil.example/":             "",
		"//evil.example/":                  "",
		"https://" + target.Host + "/":     "",
		"http://u:p@" + target.Host + "/x": "http://" + host + "/x",
		"javascript:alert(1)":              "",
		"http://[":                         "",
	} {
		location = to
		resp, body := ask(t, http.MethodGet, "http://"+host+"/a/b", "")
		if got := resp.Header.Get("Location"); got != want || want == "" && resp.StatusCode != http.StatusBadGateway {
			t.Errorf("%s: %d to %q, want %q: %s", to, resp.StatusCode, got, want, body)
		}
		if resp.Header.Get("Access-Control-Allow-Origin") != "" {
			t.Error("pages of other origins may read it")
		}
		if resp.Header.Get("Set-Cookie") != "" {
			t.Error("it sets a cookie, which a browser sends to the other listeners too")
		}
		if resp.Header.Get("Clear-Site-Data") != "" {
			t.Error("it takes the cookies of other ports away")
		}
		if got := resp.Header.Get("Cache-Control"); want != "" && got != "no-store" {
			t.Errorf("%q keeps it for whatever has this port next", got)
		}
	}
}

// TestInterim: no interim response is passed on, which could have the headers that are removed from the final one.
func TestInterim(t *testing.T) {
	t.Attr("req", "DTS-CLI-9 DTS-SEC-3")
	host, _ := listen(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Set-Cookie", "grafana_session=fixed")
		w.WriteHeader(http.StatusEarlyHints)
		_, _ = w.Write([]byte("final"))
	})
	trace := &httptrace.ClientTrace{Got1xxResponse: func(code int, h textproto.MIMEHeader) error {
		t.Errorf("%d %v", code, h)
		return nil
	}}
	r, err := http.NewRequestWithContext(httptrace.WithClientTrace(t.Context(), trace), http.MethodGet, "http://"+host, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := new(http.Transport).RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if text, err := io.ReadAll(resp.Body); err != nil || string(text) != "final" {
		t.Errorf("%q, %v", text, err)
	}
}
