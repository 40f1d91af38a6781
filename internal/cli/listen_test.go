package cli

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"kubernaut.io/dynamic-toolset/internal/config"
)

// Without authentication a name that was made to lead to this machine must not let somebody else's page read the API.
func TestOwnHost(t *testing.T) {
	t.Attr("req", "DTS-API-3 DTS-API-2")
	tests := []struct {
		mode, address, host string
		want                int
	}{
		{config.AuthNone, ":8080", "localhost:8080", http.StatusOK},
		{config.AuthNone, ":8080", "127.0.0.1:8080", http.StatusOK},
		{config.AuthNone, "[::1]:8080", "[::1]:8080", http.StatusOK},
		{config.AuthNone, ":8080", "evil.example:8080", http.StatusMisdirectedRequest},
		{config.AuthNone, "127.0.0.1:8080", "evil.example", http.StatusMisdirectedRequest},
		{config.AuthNone, "0.0.0.0:8080", "toolsets.example", http.StatusOK}, // somebody wants it to be reached by name
		{config.AuthKubernetes, ":8080", "toolsets.example", http.StatusOK},
	}
	for _, tt := range tests {
		c := config.Default()
		c.Auth.Mode, c.Server.Address = tt.mode, tt.address
		w, r := httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, "/", http.NoBody)
		r.Host = tt.host
		ownHost(c, http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})).ServeHTTP(w, r)
		if w.Code != tt.want {
			t.Errorf("%s at %s, asked for %s: %d, want %d", tt.mode, tt.address, tt.host, w.Code, tt.want)
		}
		if kind := w.Header().Get("Content-Type"); w.Code != http.StatusOK && kind != "application/problem+json" {
			t.Errorf("the refusal is %s, want a problem document", kind)
		}
	}
}
