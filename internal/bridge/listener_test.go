package bridge

import (
	"bufio"
	"net"
	"net/http"
	"net/http/httptest"
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

// TestRedirects: a redirect leads to the listener, or nowhere.
func TestRedirects(t *testing.T) {
	t.Attr("req", "DTS-CLI-9")
	var location string
	host, target := listen(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Location", location)
		w.Header().Set("Access-Control-Allow-Origin", "*")
		w.Header().Set("Set-Cookie", "grafana_session=fixed")
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
	}
}
