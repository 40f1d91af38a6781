package probe

import (
	"cmp"
	"context"
	"errors"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"kubernaut.io/dynamic-toolset/internal/backend"
	"kubernaut.io/dynamic-toolset/internal/catalog"
	"kubernaut.io/dynamic-toolset/internal/safetext"
)

const (
	// maxRequests bounds the requests of one try, including redirects and the search for the base path. If a request
	// shows that the first scheme is wrong, one more is allowed.
	maxRequests  = catalog.MaxRequests
	maxBody      = 1 << 20  // bytes of a body after decompression
	maxSmall     = 64 << 10 // bytes of a body that any number of tries may hold at once
	maxCached    = 64 << 10 // bytes of the responses that a session keeps for other checks
	maxRedirects = 3        // on the same host
	maxLocation  = 2000     // bytes of a URL to which a redirect may lead
	shown        = 200      // characters of a text from a backend in a sentence
)

// errSpent is the error of a request over the limit.
var errSpent = errors.New("this try has no requests left")

// session holds the requests of a try in one scheme. They all go to one address.
type session struct {
	ctx       context.Context
	prober    *Prober
	cand      *backend.Candidate
	transport http.RoundTripper
	timeout   time.Duration // of one request
	left      int           // requests that may still be made
	requests  []backend.Request
	redirects int  // responses that were redirects
	answered  bool // the server has sent a response in this scheme
	memory
	progress
	move
}

// progress is the state of the search for the type and its base path.
type progress struct {
	typ       *catalog.Type // the type that is searched for
	settled   bool          // no other relative of the type is searched for
	searching bool          // the base path is not known yet
	learned   []string      // base paths that responses have named
	askedRoot bool          // the search has requested the root
	root      string        // the path of the whole server, as its responses say
}

// move says how the next session of the try must differ.
type move struct {
	otherScheme bool          // the other scheme should be tried
	sure        bool          // a response itself asked for the other scheme
	otherPort   *backend.Port // the port of the Service to which a response redirects
	otherHost   string        // the name of the Service to use instead, "" if nothing shows that
}

// get requests a path of the server and follows redirects on the same host. A bare request does not read the body,
// because the body of an event stream never ends. An error means that the connection failed: a response with any status
// is no error.
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
	target := &url.URL{Scheme: s.cand.Scheme, Host: s.host()}
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
			if leadsToLogin(location, target.Path) { // its path is not the backend's
				break
			}
		}
		if s.learn(base, path, location.Path) || a.away != nil || hop == maxRedirects {
			break
		}
		if location.Scheme != s.cand.Scheme {
			s.otherScheme, s.sure = true, true
			break
		}
		a.drop()
		target = location
	}
	s.keep(key, a)
	return a, nil
}

// host returns the host and port for the URL and the Host header.
func (s *session) host() string {
	return net.JoinHostPort(s.cand.Host, strconv.Itoa(int(s.cand.PortNumber)))
}

// elsewhere reports whether a redirect must not be followed: it leads to another host or port, or its URL is too long.
func (s *session) elsewhere(u *url.URL) bool {
	usual, known := map[string]string{"http": "80", "https": "443"}[u.Scheme]
	port := cmp.Or(u.Port(), usual)
	return !known || len(u.String()) > maxLocation ||
		!strings.EqualFold(strings.TrimSuffix(u.Hostname(), "."), strings.TrimSuffix(s.cand.Host, ".")) ||
		port != strconv.Itoa(int(s.cand.PortNumber))
}

// request sends one GET. It returns the response and the URL to which it redirects, nil if it does not.
func (s *session) request(purpose string, target *url.URL, bare bool) (*answer, *url.URL, error) {
	if s.left == 0 {
		return nil, nil, errSpent
	}
	s.left--
	s.dropLarge()
	ctx, cancel := context.WithTimeout(s.ctx, s.timeout)
	defer cancel()
	begin := time.Now()
	entry := backend.Request{Purpose: purpose, URL: safetext.Clean(target.String(), shown)}
	a, location, err := s.roundTrip(ctx, target, bare)
	entry.Took = time.Since(begin)
	if err != nil {
		entry.Seen = classify(err, s.timeout).seen
	} else {
		a.shown = a.show()
		entry.Seen.Answer = a.shown
	}
	s.requests = append(s.requests, entry)
	return a, location, err
}

func (s *session) roundTrip(ctx context.Context, target *url.URL, bare bool) (*answer, *url.URL, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, target.String(), nil)
	if err != nil {
		return nil, nil, err
	}
	for name, value := range s.cand.Headers {
		req.Header.Set(name, value)
	}
	if s.cand.TenantHeader != "" { // the name of a tenant is no secret
		req.Header.Set(s.cand.TenantHeader, s.cand.Tenant)
	}
	req.Header.Set("User-Agent", "dynamic-toolset")
	req.Header.Set("Accept", "application/json, text/event-stream, */*;q=0.5")
	req.Header.Set("Accept-Encoding", "identity")
	res, err := s.transport.RoundTrip(req)
	if err != nil {
		s.noteScheme(err)
		s.noteName(err)
		return nil, nil, err
	}
	defer res.Body.Close()
	s.answered = true
	a := &answer{status: res.StatusCode, header: res.Header}
	switch {
	case a.status == http.StatusSwitchingProtocols: // the body is the connection, and no timeout ends it
		a.broken = backend.FlawProtocol
	case !bare, a.status == http.StatusBadRequest:
		if err = s.readBody(ctx, res, a, bare); err != nil && !bare {
			a.drop()
			return nil, nil, err
		}
	}
	if a.status == http.StatusBadRequest && s.cand.Scheme == "http" && a.mentions(wantsTLS[:]...) {
		s.otherScheme, s.sure = true, true
	}
	location := a.location(target)
	if location != nil {
		a.to = safetext.Clean(cut(location.String(), maxText), shown)
		s.redirects++
	}
	return a, location, nil
}

// location returns the URL to which the response to a request for target redirects, nil if it does not. A long URL
// counts as none, and is not parsed.
func (a *answer) location(target *url.URL) *url.URL {
	switch a.status {
	case http.StatusMovedPermanently, http.StatusFound, http.StatusSeeOther,
		http.StatusTemporaryRedirect, http.StatusPermanentRedirect:
	default:
		return nil
	}
	to := a.header.Get("Location")
	if to == "" || len(to) > maxPage {
		return nil
	}
	location, err := target.Parse(to)
	if err != nil {
		return nil
	}
	location.Fragment, location.User = "", nil
	return location
}

// readBody reads at most maxBody bytes, decompressed. The response is broken if its body is longer or cannot be
// decompressed. An error means that the connection failed or timed out. Only a few large bodies are held at once, none
// for a bare request.
func (s *session) readBody(ctx context.Context, res *http.Response, a *answer, bare bool) error {
	b, err := newBody(res)
	if err == nil && b.broken == "" {
		err = b.read(maxSmall)
		if err == nil && !b.ended && !bare {
			if a.release, err = s.prober.large.acquire(ctx, s.cand.Service.Namespace); err != nil {
				return err
			}
			err = b.read(maxBody + 1)
		}
	}
	a.body, a.broken = b.text, b.broken
	return err
}

// wantsTLS holds the texts of Go, nginx, Apache and Tomcat for plain HTTP on their TLS port, in lower case.
var wantsTLS = [...]string{
	"http request to an https server",
	"plain http request was sent to https port",
	"speaking plain http to an ssl-enabled server port",
	"this combination of host and port requires tls",
}
