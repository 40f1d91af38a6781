package probe

import (
	"compress/gzip"
	"context"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"kubernaut.io/dynamic-toolset/internal/backend"
	"kubernaut.io/dynamic-toolset/internal/safetext"
)

const (
	maxBody      = 1 << 20  // bytes of a body after decompression
	maxCached    = 64 << 10 // bytes of a body that is kept for other checks of the same try
	maxRedirects = 3        // on the same host
	shown        = 200      // characters of a sentence about what a backend said
)

// answer is what came back for a request.
type answer struct {
	status int
	header http.Header
	body   []byte // at most maxBody bytes; nil for a bare request
	broken string // why the body cannot be used, "" if it can
	to     string // where it redirects to, for people
}

// session is one try in one scheme: its requests go to one address.
type session struct {
	ctx     context.Context
	prober  *Prober
	cand    *backend.Candidate
	client  *http.Client
	close   func() // ends its connections
	scheme  string
	addr    string
	cache   map[string]*answer
	learned []string // base paths that redirects told of
	// otherScheme is why the other scheme should be tried, "" if nothing says so.
	otherScheme string
	requests    []backend.Request
	skipVerify  bool
}

// get asks for a path of the server and follows redirects on the same host. A bare request leaves the body alone, which
// an event stream would never end. An error is about the connection: whatever is answered is an answer.
func (s *session) get(purpose, base, path string, bare bool) (*answer, error) {
	key := base + path
	if bare {
		key = "bare " + key
	}
	if a, ok := s.cache[key]; ok {
		return a, nil
	}
	target := &url.URL{Scheme: s.scheme, Host: s.host()}
	target.Path, target.RawQuery, _ = strings.Cut(base+path, "?")
	var a *answer
	for hop := 0; ; hop++ {
		var location *url.URL
		var err error
		if a, location, err = s.request(purpose, target, bare); err != nil {
			return nil, err
		}
		if location == nil {
			break
		}
		if s.learn(base, path, location.Path) || s.elsewhere(location) || hop == maxRedirects {
			break
		}
		if location.Scheme != s.scheme {
			s.otherScheme = "it redirects to " + location.Scheme
			break
		}
		target = location
	}
	if len(a.body) <= maxCached {
		s.cache[key] = a
	}
	return a, nil
}

// host is what the URL, and with it the Host header, says.
func (s *session) host() string {
	return net.JoinHostPort(s.cand.Host, strconv.Itoa(int(s.cand.PortNumber)))
}

// elsewhere says whether a redirect leads to another host or port, which is not followed.
func (s *session) elsewhere(u *url.URL) bool {
	if u.Scheme != "http" && u.Scheme != "https" {
		return true
	}
	port := u.Port()
	if port == "" {
		port = map[string]string{"http": "80", "https": "443"}[u.Scheme]
	}
	return !strings.EqualFold(strings.TrimSuffix(u.Hostname(), "."), strings.TrimSuffix(s.cand.Host, ".")) ||
		port != strconv.Itoa(int(s.cand.PortNumber))
}

// request sends one GET and says where its answer redirects to, if it does.
func (s *session) request(purpose string, target *url.URL, bare bool) (*answer, *url.URL, error) {
	ctx, cancel := context.WithTimeout(s.ctx, s.prober.opts.Timeout)
	defer cancel()
	begin := time.Now()
	entry := backend.Request{Purpose: purpose, URL: safetext.Clean(target.String(), shown)}
	a, location, err := s.roundTrip(ctx, target, bare)
	entry.Took = time.Since(begin)
	switch {
	case err != nil:
		entry.Result = classify(err, s.prober.opts.Timeout).detail
	default:
		entry.Status, entry.Result = a.status, a.describe()
	}
	s.requests = append(s.requests, entry)
	return a, location, err
}

func (s *session) roundTrip(ctx context.Context, target *url.URL, bare bool) (*answer, *url.URL, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, target.String(), nil)
	if err != nil {
		return nil, nil, err
	}
	req.Header.Set("User-Agent", "dynamic-toolset")
	req.Header.Set("Accept", "application/json, text/event-stream, */*;q=0.5")
	req.Header.Set("Accept-Encoding", "identity")
	res, err := s.client.Do(req)
	if err != nil {
		s.noteScheme(err)
		return nil, nil, err
	}
	defer res.Body.Close()
	a := &answer{status: res.StatusCode, header: res.Header}
	if !bare || a.status == http.StatusBadRequest {
		if a.body, a.broken, err = readBody(res); err != nil && !bare {
			return nil, nil, err
		}
	}
	if a.status == http.StatusBadRequest && s.scheme == "http" && wantsTLS(a.body) {
		s.otherScheme = "it says that it got plain HTTP on a TLS port"
	}
	switch a.status {
	case http.StatusMovedPermanently, http.StatusFound, http.StatusSeeOther, http.StatusTemporaryRedirect, http.StatusPermanentRedirect:
		if location, err := res.Location(); err == nil {
			location.Fragment, location.User = "", nil
			a.to = safetext.Clean(location.String(), shown)
			return a, location, nil
		}
	}
	return a, nil, nil
}

// readBody reads at most maxBody bytes, decompressed; more than that, or what cannot be decompressed, makes it broken.
// An error means that the connection failed or time ran out.
func readBody(res *http.Response) (body []byte, broken string, err error) {
	var zipped bool
	switch strings.ToLower(res.Header.Get("Content-Encoding")) {
	case "", "identity":
	case "gzip", "x-gzip": // not asked for, but some send it all the same
		zipped = true
	default:
		return nil, "its body is in an encoding that was not asked for", nil
	}
	// What arrives is bounded as well: a gzip stream may be long and hold nothing.
	var r = io.LimitReader(res.Body, maxBody+1)
	if zipped {
		if r, err = gzip.NewReader(r); err != nil {
			return nil, "its body says gzip and is not", lost(err)
		}
		r = io.LimitReader(r, maxBody+1)
	}
	body, err = io.ReadAll(r)
	switch {
	case len(body) > maxBody:
		return nil, "its body is over 1 MiB", nil
	case zipped && err != nil:
		return nil, "its body's gzip is damaged or over 1 MiB", lost(err)
	}
	return body, "", err
}

// lost passes on an error only if it is the connection's and not about the data that came over it.
func lost(err error) error {
	if f := classify(err, 0); f.cause == causeTimeout || f.cause == causeReset {
		return err
	}
	return nil
}

// wantsTLS knows what servers say to plain HTTP on their TLS port: Go, nginx, Apache, Tomcat.
func wantsTLS(body []byte) bool {
	text := strings.ToLower(string(body[:min(len(body), maxCached)]))
	for _, said := range [...]string{
		"http request to an https server",
		"plain http request was sent to https port",
		"speaking plain http to an ssl-enabled server port",
		"this combination of host and port requires tls",
	} {
		if strings.Contains(text, said) {
			return true
		}
	}
	return false
}
