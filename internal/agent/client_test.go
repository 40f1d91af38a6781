package agent

import (
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
	_, err := newClient(allow, path).info(t.Context(), server.URL)
	if err == nil || strings.Contains(err.Error(), key) || !strings.Contains(err.Error(), "wrong key") {
		t.Errorf("error %v", err)
	}
	if _, err = newClient(allow, path+"x").info(t.Context(), server.URL); err == nil || !strings.Contains(err.Error(), "holmesgpt.apiKeyFile") {
		t.Errorf("without the file: %v", err)
	}
}

// TestNowhereElse has no request sent to a denied network, or where a redirect leads.
func TestNowhereElse(t *testing.T) {
	t.Attr("req", "DTS-RUN-7")
	other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("the redirect was followed") }))
	defer other.Close()
	server := httptest.NewServer(http.RedirectHandler(other.URL, http.StatusTemporaryRedirect))
	defer server.Close()
	if err := newClient(allow, "").reload(t.Context(), server.URL); err == nil || !strings.Contains(err.Error(), "307") {
		t.Errorf("a redirect: %v", err)
	}
	denied := newClient(func(a netip.Addr) bool { return a.IsLoopback() }, "")
	if _, err := denied.info(t.Context(), other.URL); err == nil || !strings.Contains(err.Error(), "denyCIDRs") {
		t.Errorf("a denied address: %v", err)
	}
}
