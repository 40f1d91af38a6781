package bridge

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"slices"
	"strings"
	"time"
)

// Listener serves one backend at an address of 127.0.0.1.
type Listener struct {
	host   string // its own address
	target *url.URL
	server *http.Server
}

// Listen opens a listener that sends its requests to the target's scheme and host through carry. failed describes an
// error to the client.
func Listen(target *url.URL, carry http.RoundTripper, failed func(error) string) (*Listener, error) {
	conn, err := (&net.ListenConfig{}).Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	l := &Listener{host: conn.Addr().String(), target: target}
	quiet := log.New(io.Discard, "", 0)
	proxy := &httputil.ReverseProxy{
		Rewrite: l.rewrite, ModifyResponse: l.answer, Transport: carry, FlushInterval: -1, ErrorLog: quiet,
		ErrorHandler: func(w http.ResponseWriter, _ *http.Request, err error) {
			status := http.StatusBadGateway
			if errors.Is(err, errTooLarge) {
				status = http.StatusRequestEntityTooLarge
			}
			http.Error(w, "bridge: "+failed(err), status)
		},
	}
	l.server = &http.Server{
		ReadHeaderTimeout: 10 * time.Second, ErrorLog: quiet,
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if status, why := l.refuse(r); why != "" {
				http.Error(w, "bridge: "+why, status)
				return
			}
			proxy.ServeHTTP(final{w}, r)
		}),
	}
	go func() { _ = l.server.Serve(conn) }() // it ends with Close
	return l, nil
}

// Close closes the listener and all its connections.
func (l *Listener) Close() error { return l.server.Close() }

// final drops interim responses (1xx), which could have the headers that answer removes.
type final struct{ http.ResponseWriter }

// WriteHeader implements http.ResponseWriter.
func (w final) WriteHeader(code int) {
	if code >= http.StatusOK {
		w.ResponseWriter.WriteHeader(code)
	}
}

// Unwrap is for http.ResponseController.
func (w final) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// refuse returns why a request is not carried, "" if it is. It refuses requests that a browser sends for a page of
// another origin, also for one whose name resolves to 127.0.0.1.
func (l *Listener) refuse(r *http.Request) (status int, why string) {
	switch origin, site := r.Header.Get("Origin"), r.Header.Get("Sec-Fetch-Site"); {
	case r.Host != l.host:
		return http.StatusMisdirectedRequest, "the Host is not " + l.host
	case origin != "" && origin != "http://"+l.host, site != "" && site != "none" && site != "same-origin":
		return http.StatusForbidden, "requests of other origins are not carried"
	case !slices.Contains([]string{http.MethodGet, http.MethodHead, http.MethodPost}, r.Method):
		return http.StatusMethodNotAllowed, "only GET, HEAD and POST are carried"
	case r.Header.Get("Upgrade") != "":
		return http.StatusBadRequest, "no other protocol is carried"
	case r.Header.Get("Service-Worker") != "": // it would stay in the browser for whatever has this port next
		return http.StatusForbidden, "service workers are not carried"
	case !strings.HasPrefix(r.URL.Path, "/") || climbs(r.URL.Path):
		return http.StatusBadRequest, "the path leads out of the backend"
	}
	return 0, ""
}

// climbs reports whether a path has a segment "..", encoded any number of times: a proxy in front of the API server
// could decode the path once more.
func climbs(path string) bool {
	for {
		segments := strings.FieldsFunc(path, func(r rune) bool { return r == '/' || r == '\\' || r == ';' })
		if slices.Contains(segments, "..") {
			return true
		}
		decoded, err := url.PathUnescape(path)
		if err != nil || decoded == path {
			return err != nil
		}
		path = decoded
	}
}

// rewrite directs a request to the target, without the headers by which the API server identifies a user, and without
// cookies: a browser sends them to all ports of 127.0.0.1, so one backend would get the session of another.
func (l *Listener) rewrite(r *httputil.ProxyRequest) {
	r.Out.URL.Scheme, r.Out.URL.Host, r.Out.Host = l.target.Scheme, l.target.Host, l.target.Host
	r.Out.URL.RawQuery = r.In.URL.RawQuery
	for name := range r.Out.Header {
		if strings.HasPrefix(name, "Impersonate-") || strings.HasPrefix(name, "X-Remote-") ||
			name == "Origin" || name == "Referer" || name == "Cookie" {
			delete(r.Out.Header, name)
		}
	}
}

// answer directs redirects to this listener, and removes headers that let pages of other origins read the response, or
// that concern other ports too: they set or clear cookies of 127.0.0.1. The browser keeps no page for whatever has this
// port next.
func (l *Listener) answer(resp *http.Response) error {
	if resp.StatusCode == http.StatusSwitchingProtocols {
		return errors.New("the backend switches to another protocol")
	}
	for name := range resp.Header {
		if strings.HasPrefix(name, "Access-Control-") || name == "Set-Cookie" || name == "Clear-Site-Data" {
			delete(resp.Header, name)
		}
	}
	resp.Header.Set("Cache-Control", "no-store")
	location := resp.Header.Get("Location")
	if location == "" {
		return nil
	}
	to, err := resp.Request.URL.Parse(location)
	if err != nil || to.Scheme != l.target.Scheme || !strings.EqualFold(hostPort(to), hostPort(l.target)) {
		return fmt.Errorf("it redirects to another host, which is not followed: %.200q", location)
	}
	to.Scheme, to.Host, to.User = "http", l.host, nil
	resp.Header.Set("Location", to.String())
	return nil
}

func hostPort(u *url.URL) string {
	if u.Port() != "" {
		return u.Host
	}
	return net.JoinHostPort(u.Hostname(), map[string]string{"http": "80", "https": "443"}[u.Scheme])
}
