package agent

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"os"
	"regexp"
	"strings"
	"syscall"
	"time"
	"unicode"

	"kubernaut.io/dynamic-toolset/internal/safetext"
)

// shownText is how many characters of what HolmesGPT says are shown. Python puts the cause of an error at its end.
const shownText = 500

// The time limits of a request. A reload, and the first request after HolmesGPT's start, calls every backend, and
// HolmesGPT answers nothing meanwhile. It waits for a backend for 20 s or more, see its setting
// HOLMES_TOOLSET_PREREQ_TIMEOUT_SECONDS. A reload that is given up goes on in HolmesGPT and would delay the next one.
const (
	connectTimeout = 10 * time.Second
	infoTimeout    = 30 * time.Second
	reloadTimeout  = patience
)

// client makes the two requests that HolmesGPT is sent.
type client struct {
	http    *http.Client
	keyFile string
}

// UnreachedError is the reason why a Proxy could not reach HolmesGPT.
type UnreachedError struct{ Err error }

func (e UnreachedError) Error() string { return e.Err.Error() }

// newClient makes a client that follows no redirect and connects to no address that Forbids reports.
func newClient(o *Options) *client {
	dialer := &net.Dialer{Timeout: connectTimeout, Control: func(_, address string, _ syscall.RawConn) error {
		at, err := netip.ParseAddrPort(address)
		if err != nil || o.Forbids(at.Addr()) {
			return fmt.Errorf("%s is in a network of security.denyCIDRs", address)
		}
		return nil
	}}
	transport := o.Proxy
	if transport == nil {
		transport = &http.Transport{
			DialContext: dialer.DialContext, MaxIdleConnsPerHost: 1, IdleConnTimeout: time.Minute,
			MaxResponseHeaderBytes: 64 << 10,
		}
	}
	return &client{keyFile: o.KeyFile, http: &http.Client{
		Transport:     transport,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// statusError is a response with another status than 200.
type statusError struct {
	code   int
	detail string
}

func (e *statusError) Error() string {
	text := fmt.Sprintf("HTTP %d %s", e.code, http.StatusText(e.code))
	if e.detail != "" {
		text += ": " + e.detail
	}
	return text
}

// errUnreadable is the error for a response that is not HolmesGPT's.
var errUnreadable = errors.New("not an answer of HolmesGPT's")

// reload makes HolmesGPT read its file again.
func (c *client) reload(ctx context.Context, base string) error {
	ctx, cancel := context.WithTimeout(ctx, reloadTimeout)
	defer cancel()
	var said struct{ Status string }
	err := c.ask(ctx, http.MethodPost, base+"/api/admin/reload/toolsets", func(a *answer, _ string) error {
		return a.part(&said)
	})
	if err == nil && said.Status != "ok" {
		err = errUnreadable
	}
	return err
}

// ask sends a request. read reads the answer to it; it gets the key that was sent, which must not be shown.
func (c *client) ask(ctx context.Context, method, url string, read func(a *answer, key string) error) error {
	request, err := http.NewRequestWithContext(ctx, method, url, nil)
	if err != nil {
		return err
	}
	request.Header.Set("Accept", "application/json")
	request.Header.Set("User-Agent", "dynamic-toolset")
	key, err := c.key()
	if err != nil {
		return err
	}
	if key != "" {
		request.Header.Set("X-API-Key", key)
	}
	response, err := c.http.Do(request)
	if err != nil {
		return noAnswer(err, key)
	}
	defer func() { _ = response.Body.Close() }()
	if response.StatusCode != http.StatusOK {
		body, err := io.ReadAll(io.LimitReader(response.Body, maxRefusal))
		if err != nil {
			return noAnswer(err, key)
		}
		return &statusError{response.StatusCode, detailOf(body, key)}
	}
	a := newAnswer(response.Body)
	err = read(a, key)
	if err == nil {
		err = a.end()
	}
	switch {
	case err == nil:
		return nil
	case errors.Is(a.failed, errTooLong):
		return errTooLong
	case a.failed != nil && !errors.Is(a.failed, io.EOF):
		return noAnswer(a.failed, key)
	}
	return fmt.Errorf("%w: %s", errUnreadable, shown(err.Error(), key))
}

var errKey = errors.New("holmesgpt.apiKeyFile: the key cannot be read")

// key returns the API key from its file, "" without a file. The file is read each time, because its Secret can change.
func (c *client) key() (string, error) {
	if c.keyFile == "" {
		return "", nil
	}
	text, err := os.ReadFile(c.keyFile)
	if err != nil {
		return "", fmt.Errorf("%w: %w", errKey, err)
	}
	key := strings.TrimSpace(string(text))
	if strings.ContainsFunc(key, unicode.IsControl) { // no header can hold it
		return "", fmt.Errorf("%w: %s has more than one line", errKey, c.keyFile)
	}
	return key, nil
}

// detailOf returns the reason of an error response, which has the form of FastAPI. A detail that is no text is not
// HolmesGPT's own.
func detailOf(body []byte, key string) string {
	var said struct {
		Detail string `json:"detail"`
	}
	if json.Unmarshal(body, &said) != nil {
		return ""
	}
	return shown(said.Detail, key)
}

// shown returns text of a response without the API key, which the response could repeat. It also hides the value that
// HolmesGPT quotes for an invalid setting: its environment variables are expanded there.
func shown(text, key string) string { return safetext.Clean(hidden(text, key), shownText) }

func hidden(text, key string) string {
	if kept, cut := strings.CutSuffix(text, cutMark); cut {
		text = kept[:max(0, len(kept)-len(key))] // it may end in a part of the key
	}
	if key != "" {
		text = strings.ReplaceAll(text, key, "[key]")
	}
	return quotedValue.ReplaceAllString(text, "${1}[not shown]]")
}

// quotedValue is how pydantic quotes a value, up to the end of the line, in which line breaks are escaped.
var quotedValue = regexp.MustCompile(`(input_value=)[^\r\n]*`)

// errNoTime is the error for a request that was not answered within its time limit.
var errNoTime = errors.New("no answer in time")

// noAnswer returns why there is no answer. net/http quotes a response that is not HTTP, so that text is left out. The
// text of an API server could be the backend's own, which can answer as an API server does.
func noAnswer(err error, key string) error {
	var network *net.OpError
	var certificate *tls.CertificateVerificationError
	var unreached UnreachedError
	switch {
	case errors.As(err, &unreached):
		return UnreachedError{errors.New(shown(unreached.Error(), key))}
	case errors.As(err, &network):
		return network
	case errors.As(err, &certificate):
		return certificate
	case errors.Is(err, context.Canceled):
		return context.Canceled
	case errors.Is(err, context.DeadlineExceeded):
		return errNoTime
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return errors.New("the connection is closed without an answer")
	}
	return fmt.Errorf("%w: it breaks the rules of HTTP/1.1", errUnreadable)
}
