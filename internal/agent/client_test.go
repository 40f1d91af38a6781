package agent

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func allow(netip.Addr) bool { return false }

// TestKey has the key sent, and never shown.
func TestKey(t *testing.T) {
	t.Attr("req", "DTS-RUN-7")
	const key = "s3cret-key"
	known := &Document{Toolsets: map[string][]string{"[key]": nil}} // as a toolset with that name is shown
	path := filepath.Join(t.TempDir(), "key")
	if err := os.WriteFile(path, []byte(key+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		got := r.Header.Get("X-API-Key")
		if got != key {
			t.Errorf("the key is %q", got)
		}
		w.WriteHeader(http.StatusUnauthorized)
		_, _ = w.Write([]byte(`{"detail":"wrong key ` + got + `"}`))
	}))
	defer server.Close()
	_, err := newClient(&Options{Forbids: allow, KeyFile: path}).info(t.Context(), server.URL, known)
	if err == nil || strings.Contains(err.Error(), key) || !strings.Contains(err.Error(), "wrong key") {
		t.Errorf("error %v", err)
	}
	proxy := carried(func(r *http.Request) (*http.Response, error) {
		return nil, UnreachedError{errors.New("error trying to reach service: " + r.Header.Get("X-API-Key"))}
	})
	if _, err = newClient(&Options{KeyFile: path, Proxy: proxy}).info(t.Context(), server.URL, known); err == nil || strings.Contains(err.Error(), key) ||
		!strings.Contains(err.Error(), "[key]") {
		t.Errorf("through the API server: error %v", err)
	}
	for name, answer := range map[string]string{
		"status":  "HTTP/1.1 " + key + " x\r\n\r\n",
		"header":  "HTTP/1.1 200 OK\r\n" + key + "\r\n\r\n",
		"length":  "HTTP/1.1 200 OK\r\nContent-Length: " + key + "\r\n\r\n",
		"escaped": body(401, `{"detail":"\u0073`+key[1:]+`"}`),
		"version": body(200, `{"version":"\u0073`+key[1:]+`","toolsets":[{"name":"\u0073`+key[1:]+`","status":"`+key+`","error":"x\u0073`+key[1:]+`"}]}`),
		"no JSON": body(200, key),
	} {
		t.Run(name, func(t *testing.T) {
			l, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			defer l.Close()
			go func() {
				if c, err := l.Accept(); err == nil {
					_, _ = c.Read(make([]byte, 4096))
					_, _ = c.Write([]byte(answer))
					_ = c.Close()
				}
			}()
			got, err := newClient(&Options{Forbids: allow, KeyFile: path}).info(t.Context(), "http://"+l.Addr().String(), known)
			if said := fmt.Sprint(got, err); strings.Contains(said, key) || strings.Contains(said, key[1:]) {
				t.Errorf("the key is shown: %s", said)
			}
		})
	}
}

// carried is a Proxy.
type carried func(*http.Request) (*http.Response, error)

func (c carried) RoundTrip(r *http.Request) (*http.Response, error) { return c(r) }

// TestValuesOfSettings has HolmesGPT quote a credential, which it put into a setting that does not fit, in its reason.
func TestValuesOfSettings(t *testing.T) {
	t.Attr("req", "DTS-RUN-7 DTS-OUT-4")
	const reason = `[m/g] Invalid grafana/dashboards configuration: 1 validation error for GrafanaDashboardConfig\napi_url\n  Field required ` +
		`[type=missing, input_value={'api_key': 'glsa_SECRET, input_type=x'}, input_type=dict]\n    For further information`
	for path, answer := range map[string]string{
		"info":   `{"version":"1","toolsets":[{"name":"grafana/dashboards","status":"failed","error":"` + reason + `"}]}`,
		"detail": `{"detail":"` + reason + `"}`,
	} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			if path == "detail" {
				w.WriteHeader(http.StatusInternalServerError)
			}
			_, _ = w.Write([]byte(answer))
		}))
		known := &Document{Toolsets: map[string][]string{"grafana/dashboards": {"m/g"}}}
		got, err := newClient(&Options{Forbids: allow}).info(t.Context(), server.URL, known)
		server.Close()
		said := fmt.Sprint(got, err)
		if strings.Contains(said, "glsa_") || strings.Contains(said, "SECRET") {
			t.Errorf("%s: the credential is shown: %s", path, said)
		}
		if !strings.Contains(said, "api_url Field required [type=missing, input_value=[not shown]] For further") {
			t.Errorf("%s: what is wrong is not shown: %s", path, said)
		}
	}
}

// body is an answer with a body.
func body(status int, text string) string {
	return fmt.Sprintf("HTTP/1.1 %d x\r\nContent-Length: %d\r\n\r\n%s", status, len(text), text)
}

// TestNowhereElse has no request sent to a denied network, or where a redirect leads.
func TestNowhereElse(t *testing.T) {
	t.Attr("req", "DTS-RUN-7")
	other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("the redirect was followed") }))
	defer other.Close()
	server := httptest.NewServer(http.RedirectHandler(other.URL, http.StatusTemporaryRedirect))
	defer server.Close()
	if err := newClient(&Options{Forbids: allow}).reload(t.Context(), server.URL); err == nil || !strings.Contains(err.Error(), "307") {
		t.Errorf("a redirect: %v", err)
	}
	denied := newClient(&Options{Forbids: netip.Addr.IsLoopback})
	if _, err := denied.info(t.Context(), other.URL, &Document{}); err == nil || !strings.Contains(err.Error(), "denyCIDRs") {
		t.Errorf("a denied address: %v", err)
	}
}

// Without its key HolmesGPT is not asked, which is not HolmesGPT's fault.
func TestKeyThatCannotBeRead(t *testing.T) {
	t.Attr("req", "DTS-RUN-7")
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("it is asked") }))
	defer server.Close()
	twoLines := filepath.Join(t.TempDir(), "two")
	if err := os.WriteFile(twoLines, []byte("s3cret\nkey\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, file := range map[string]string{
		"no file": filepath.Join(t.TempDir(), "key"), "a directory": t.TempDir(), "two lines": twoLines,
	} {
		t.Run(name, func(t *testing.T) {
			a := New(Options{URL: server.URL, KeyFile: file, Forbids: allow})
			r := a.Ask(t.Context(), document("generation/1")).Replicas[0]
			if r.Outcome != WantsKey || !r.KeyUnread || !strings.Contains(r.Detail, "the key cannot be read: ") || !strings.Contains(r.Detail, file) {
				t.Errorf("it is %s (%s)", r.Outcome, r.Detail)
			}
		})
	}
}
