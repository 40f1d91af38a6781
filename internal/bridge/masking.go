package bridge

import (
	"net/http"
	"time"

	"golang.org/x/time/rate"
)

// masking hides the 401 of a backend from client-go, which would run the kubeconfig's exec plugin for new credentials
// after each: a backend could make it ask the user to log in again and again. The API server's own 401 has to pass. A
// backend can imitate it, so only one passes a minute.
type masking struct {
	next  http.RoundTripper
	often rate.Sometimes
}

func newMasking(next http.RoundTripper) http.RoundTripper {
	return &masking{next: next, often: rate.Sometimes{Interval: time.Minute}}
}

// masked stands for a 401 on the way through client-go. No server can send it.
const masked = -http.StatusUnauthorized

// RoundTrip implements http.RoundTripper.
func (m *masking) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := m.next.RoundTrip(r)
	if err != nil || resp.StatusCode != http.StatusUnauthorized {
		return resp, err
	}
	status, err := statusOf(resp)
	if err != nil {
		resp.Body.Close()
		return nil, err
	}
	passes := false
	if status != nil {
		m.often.Do(func() { passes = true })
	}
	if !passes {
		resp.StatusCode = masked
	}
	return resp, nil
}

// unmask undoes what masking did.
func unmask(resp *http.Response) {
	if resp.StatusCode == masked {
		resp.StatusCode = http.StatusUnauthorized
	}
}
