//go:build integration && bench

package bench

import (
	"crypto/tls"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"kubernaut.io/dynamic-toolset/test/bench/report"
)

// requestsPerSecond are sent for loadFor (DTS-PERF-7).
const (
	requestsPerSecond = 200
	loadFor           = 10 * time.Second
)

// client asks as one that is careful with the network, and reads what comes as it is.
func client(t *testing.T) *http.Client {
	t.Helper()
	c := &http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{
		MaxIdleConnsPerHost: 64, DisableCompression: true,
		TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, // the service signs its certificate itself
	}}
	t.Cleanup(c.CloseIdleConnections)
	return c
}

// ask returns the answer's body.
func ask(t *testing.T, c *http.Client, url, token string) ([]byte, error) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, http.NoBody)
	if err != nil {
		return nil, err
	}
	r.Header.Set("Accept-Encoding", "gzip")
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	answer, err := c.Do(r)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err == nil && answer.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %s", answer.Status, body)
	}
	return body, err
}

// api is the address of the service's API.
func api(t *testing.T, p *program, scheme string) string {
	t.Helper()
	const server = "msg=listening "
	l := p.must(t, "server=api address=")
	m := regexp.MustCompile(`address=(\S+)`).FindStringSubmatch(l.text)
	if m == nil || !strings.Contains(l.text, server) {
		t.Fatalf("no address: %s", l.text)
	}
	return scheme + "://" + m[1]
}

// pageURLs are those of all pages of a hundred Services.
func pageURLs(t *testing.T, c *http.Client, base, token string) (urls []string) {
	t.Helper()
	plain := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}}
	defer plain.CloseIdleConnections()
	for next := ""; ; {
		url := base + "/api/v1/services?limit=100&continue=" + next
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		if token != "" {
			r.Header.Set("Authorization", "Bearer "+token)
		}
		answer, err := plain.Do(r)
		if err != nil {
			t.Fatalf("%s: %v", url, err)
		}
		var page struct{ Continue string }
		err = json.NewDecoder(answer.Body).Decode(&page)
		answer.Body.Close()
		if err != nil || answer.StatusCode != http.StatusOK {
			t.Fatalf("%s: %s, %v", url, answer.Status, err)
		}
		if _, err := ask(t, c, url, token); err != nil {
			t.Fatal(err)
		}
		urls = append(urls, url)
		if next = page.Continue; next == "" {
			return urls
		}
	}
}

// atRate sends requestsPerSecond for the URLs in turn, whether or not those before are answered, and returns how long each took
// from when it was due.
func atRate(t *testing.T, c *http.Client, urls []string, token string) []time.Duration {
	t.Helper()
	took := make([]time.Duration, requestsPerSecond*int(loadFor/time.Second))
	var running sync.WaitGroup
	begin := time.Now()
	for i := range took {
		due := begin.Add(time.Duration(i) * time.Second / requestsPerSecond)
		<-time.After(time.Until(due))
		running.Go(func() {
			if _, err := ask(t, c, urls[i%len(urls)], token); err != nil {
				t.Error(err)
			}
			took[i] = time.Since(due)
		})
	}
	running.Wait()
	return took
}

// pages measures the API of a running service; how says who asks.
func (b *bench) pages(t *testing.T, how string, p *program, token string) {
	t.Helper()
	scheme := "http"
	if token != "" {
		scheme = "https"
	}
	c := client(t)
	urls := pageURLs(t, c, api(t, p, scheme), token)
	body, err := ask(t, c, urls[0], token)
	if err != nil {
		t.Fatal(err)
	}
	bare := report.Millis(b.bare(t, c, body)...)
	used := p.cpu(t)
	took := report.Millis(atRate(t, c, urls, token)...)
	used = p.cpu(t) - used
	at := func(q float64) report.Series {
		return report.Series{Name: "bare net/http", Values: []float64{report.Quantile(bare, q)}}
	}
	b.add(report.Figure{
		Requirement: "DTS-PERF-7", Name: "API, p99, " + how, Unit: report.Milliseconds, Runs: []float64{report.Quantile(took, 0.99)},
		Limit: at(0.99), Target: b.targetAt(mainSize, report.AtMost(25)),
		Note: fmt.Sprintf("GETs of all pages of 100 Services in turn, %d a second for %s, whether or not those before are answered, from when each "+
			"was due. The limit is a server that answers the same bytes from memory, in the clear.", requestsPerSecond, loadFor),
	})
	b.add(report.Figure{Name: "API, p50, " + how, Unit: report.Milliseconds, Runs: []float64{report.Quantile(took, 0.5)}, Limit: at(0.5)})
	b.add(report.Figure{Name: "processor of the API, " + how, Unit: report.Percent, Runs: []float64{100 * float64(used) / float64(loadFor)}})
}

// bare is how long a server that does nothing else takes for the same.
func (b *bench) bare(t *testing.T, c *http.Client, body []byte) []time.Duration {
	t.Helper()
	file := filepath.Join(t.TempDir(), "page.json")
	if err := os.WriteFile(file, body, 0o600); err != nil {
		t.Fatal(err)
	}
	p := run(t, filepath.Join(b.peers, "page"), "-file", file)
	took := atRate(t, c, []string{p.must(t, "http://").text}, "")
	p.stop(t)
	return took
}

// authenticated measures the API as the chart sets it up: over TLS, with a token that was reviewed before.
func (b *bench) authenticated(t *testing.T) {
	t.Helper()
	b.clean(t)
	n := b.record.Len()
	p := b.serve(t, "--set", "auth.mode=kubernetes", "--set", "server.tls.mode=self-signed")
	b.await(t, n, "all backends are published", complete(b.backends))
	b.account(t, "reader")
	b.pages(t, "with a token over TLS", p, b.env.Token(t, accounts, "reader"))
	p.stop(t)
}
