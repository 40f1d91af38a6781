package probe

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"strconv"
	"strings"
	"time"

	"kubernaut.io/dynamic-toolset/internal/backend"
	"kubernaut.io/dynamic-toolset/internal/catalog"
	"kubernaut.io/dynamic-toolset/internal/safetext"
)

const (
	// maxRequests of one try, redirects and the search for the base path included. One more may be made where the
	// first scheme turns out to be the wrong one, since the request that showed it proved nothing. Beside that, one
	// that a kept connection lost is sent again.
	maxRequests  = catalog.MaxRequests
	maxBody      = 1 << 20  // bytes of a body after decompression
	maxSmall     = 64 << 10 // bytes of a body that any number of tries may hold at once
	maxCached    = 64 << 10 // bytes of answers that are kept for other checks of the same try
	maxRedirects = 3        // on the same host
	maxLocation  = 2000     // bytes of a URL that a redirect may lead to
	shown        = 200      // characters of a sentence about what a backend said
)

// errSpent is the error of the request that would be one too many.
var errSpent = errors.New("all requests of this try are made")

// answer is what came back for a request.
type answer struct {
	status  int
	header  http.Header
	body    []byte // at most maxBody bytes; nil for a bare request
	broken  backend.Flaw
	to      string          // where it redirects to, for people
	away    *url.URL        // the same where that is another host or port, which is not followed
	asked   string          // the path that gave it
	release func()          // lets another large body be read; nil for a small one
	read    *page           // what page has read
	visible *backend.Answer // what show has made
}

// done drops a large body; whoever got the answer calls it when it has read it.
func (a *answer) done() {
	if a.release != nil {
		a.release()
		a.release, a.body = nil, nil
	}
}

// size is about what it takes in memory.
func (a *answer) size() int {
	n := len(a.body)
	for name, values := range a.header {
		const entry = 100
		n += entry + len(name)
		for _, v := range values {
			n += len(v)
		}
	}
	return n
}

// session is one try in one scheme: its requests go to one address.
type session struct {
	ctx     context.Context
	prober  *Prober
	cand    *backend.Candidate
	client  *http.Client
	close   func() // ends its connections
	scheme  string
	timeout time.Duration // of one request
	cache   map[string]*answer
	status  map[string]int
	kept    int      // bytes in the cache
	learned []string // base paths that answers named
	// searching: the base path is still looked for.
	searching   bool
	askedRoot   bool          // where the root leads
	root        string        // below which the whole server is, as its answers say
	typ         *catalog.Type // that is looked for
	settled     bool          // no relative of that any more
	left        int           // requests that may still be made
	redirects   int           // answers that were one
	answered    bool          // it has answered in this scheme
	single      bool          // a request was lost with a kept connection: none is kept any more
	otherScheme bool          // the other scheme should be tried
	sure        bool          // the answer itself said so
	otherPort   *backend.Port // of the Service, where it redirects to that
	otherHost   string        // the Service's name that should be used, "" if nothing says so
	bar         bar           // the last that a check met
	requests    []backend.Request
	skipVerify  bool
}

// get asks for a path of the server and follows redirects on the same host. A bare request leaves the body alone, which
// an event stream would never end. An error is about the connection: whatever is answered is an answer.
func (s *session) get(purpose, base, path string, bare bool) (*answer, error) {
	key := base + path
	a, ok := s.cache[key]
	if !ok && bare {
		key = "bare " + key
		a, ok = s.cache[key]
	}
	if ok {
		return a, nil
	}
	target := &url.URL{Scheme: s.scheme, Host: s.host()}
	target.Path, target.RawQuery, _ = strings.Cut(base+path, "?")
	for hop := 0; ; hop++ {
		var location *url.URL
		var err error
		if a, location, err = s.request(purpose, target, bare); err != nil {
			return nil, err
		}
		a.asked = target.Path
		if location == nil {
			s.learnFromPage(a)
			break
		}
		if twin := s.secureTwin(location); twin != nil {
			s.otherScheme, s.otherPort, s.sure = true, twin, true
			break
		}
		if s.elsewhere(location) {
			a.away = location
			if leadsToLogin(location, target.Path) { // whose path is none of the backend's
				break
			}
		}
		if s.learn(base, path, location.Path) || a.away != nil || hop == maxRedirects {
			break
		}
		if location.Scheme != s.scheme {
			s.otherScheme, s.sure = true, true
			break
		}
		a.done()
		target = location
	}
	s.status[key] = a.status
	s.keep(key, a)
	return a, nil
}

// keep an answer for other checks. Where there is no more room, older answers go: mostly those of another base path.
func (s *session) keep(key string, a *answer) {
	size := a.size()
	if a.release != nil || size > maxCached {
		return
	}
	if s.kept += size; s.kept > maxCached {
		clear(s.cache)
		s.kept = size
	}
	s.cache[key] = a
}

// host is what the URL, and with it the Host header, says.
func (s *session) host() string {
	return net.JoinHostPort(s.cand.Host, strconv.Itoa(int(s.cand.PortNumber)))
}

// elsewhere says whether a redirect leads to another host or port, which is not followed, nor is one that takes more
// than a line to say where.
func (s *session) elsewhere(u *url.URL) bool {
	if len(u.String()) > maxLocation {
		return true
	}
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
	if s.left == 0 {
		return nil, nil, errSpent
	}
	s.left--
	ctx, cancel := context.WithTimeout(s.ctx, s.timeout)
	defer cancel()
	begin := time.Now()
	entry := backend.Request{Purpose: purpose, URL: safetext.Clean(target.String(), shown)}
	a, location, err := s.roundTrip(ctx, target, bare)
	entry.Took = time.Since(begin)
	if err != nil {
		entry.Seen = classify(err, s.timeout).seen
	} else {
		entry.Seen.Answer = a.show()
	}
	s.requests = append(s.requests, entry)
	return a, location, err
}

func (s *session) roundTrip(ctx context.Context, target *url.URL, bare bool) (*answer, *url.URL, error) {
	attempts := 0
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{GetConn: func(string) {
		if attempts++; attempts > 1 {
			s.single = s.prober.opts.RoundTripper == nil // else the connections are not this session's
		}
	}})
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, target.String(), nil)
	if err != nil {
		return nil, nil, err
	}
	if req.Close = s.single; s.single {
		s.close()
	}
	for name, value := range s.cand.Headers {
		req.Header.Set(name, value)
	}
	if s.cand.TenantHeader != "" { // no secret
		req.Header.Set(s.cand.TenantHeader, s.cand.Tenant)
	}
	req.Header.Set("User-Agent", "dynamic-toolset")
	req.Header.Set("Accept", "application/json, text/event-stream, */*;q=0.5")
	req.Header.Set("Accept-Encoding", "identity")
	res, err := s.client.Do(req)
	if err != nil {
		s.noteScheme(err)
		s.noteName(err)
		return nil, nil, err
	}
	defer res.Body.Close()
	s.answered = true
	a := &answer{status: res.StatusCode, header: res.Header}
	switch {
	case a.status == http.StatusSwitchingProtocols: // its body is the connection, which no timeout ends
		a.broken = backend.FlawProtocol
	case !bare, a.status == http.StatusBadRequest:
		if err = s.readBody(ctx, res, a, bare); err != nil && !bare {
			a.done()
			return nil, nil, err
		}
	}
	if a.status == http.StatusBadRequest && s.scheme == "http" && wantsTLS(a.body) {
		s.otherScheme, s.sure = true, true
	}
	switch a.status {
	case http.StatusMovedPermanently, http.StatusFound, http.StatusSeeOther,
		http.StatusTemporaryRedirect, http.StatusPermanentRedirect:
		if location, err := res.Location(); err == nil {
			location.Fragment, location.User = "", nil
			a.to = safetext.Clean(cut(location.String(), maxText), shown)
			s.redirects++
			return a, location, nil
		}
	}
	return a, nil, nil
}

// readBody reads at most maxBody bytes, decompressed; more than that, or what cannot be decompressed, makes the answer
// broken. An error means that the connection failed or time ran out. Of large bodies only a few are held at once, and
// of a bare request's none.
func (s *session) readBody(ctx context.Context, res *http.Response, a *answer, bare bool) error {
	b, err := newBody(res)
	if err != nil || b.broken != "" {
		a.broken = b.broken
		return err
	}
	if err := b.read(maxSmall); err != nil || b.ended || bare {
		a.body, a.broken = b.text, b.broken
		return err
	}
	if a.release, err = s.prober.large.acquire(ctx, s.cand.Service.Namespace); err != nil {
		return err
	}
	err = b.read(maxBody + 1)
	a.body, a.broken = b.text, b.broken
	return err
}

// wantsTLS knows what servers say to plain HTTP on their TLS port: Go, nginx, Apache, Tomcat.
func wantsTLS(body []byte) bool {
	text := string(small(body[:min(len(body), maxPage)]))
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
