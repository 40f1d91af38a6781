package bridge

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"k8s.io/client-go/rest"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
)

// TestBackendAsksForNoLogin: a backend that answers 401 gets its answer through, and does not have the kubeconfig's program
// run again, which may ask the user for a password each time. The API server's own 401 does.
func TestBackendAsksForNoLogin(t *testing.T) {
	t.Attr("req", "DTS-CLI-9 DTS-SEC-3")
	const status = `{"kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": "Unauthorized", "code": 401}`
	for _, tt := range []struct {
		name, body string
		runs       int
	}{
		{"a backend", `{"message": "Unauthorized"}`, 1},
		{"the API server, or a backend that imitates it", status, 2},
	} {
		t.Run(tt.name, func(t *testing.T) {
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.WriteHeader(http.StatusUnauthorized)
				_, _ = w.Write([]byte(tt.body))
			}))
			defer server.Close()
			dir := t.TempDir()
			script := fmt.Sprintf("#!/bin/sh\necho run >> %s/runs\n", dir) +
				`echo '{"apiVersion": "client.authentication.k8s.io/v1", "kind": "ExecCredential", "status": {"token": "t"}}'`
			plugin := filepath.Join(dir, "login")
			if err := os.WriteFile(plugin, []byte(script), 0o700); err != nil {
				t.Fatal(err)
			}
			proxies, err := ServiceProxies(&rest.Config{Host: server.URL, ExecProvider: &clientcmdapi.ExecConfig{
				APIVersion: "client.authentication.k8s.io/v1", Command: plugin, InteractiveMode: clientcmdapi.NeverExecInteractiveMode,
			}})
			if err != nil {
				t.Fatal(err)
			}
			proxy := proxies(finding("http").Candidate)
			for range 5 {
				r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://prom.m.svc/api", http.NoBody)
				if err != nil {
					t.Fatal(err)
				}
				resp, err := proxy.RoundTrip(r)
				if tt.body == status {
					if err == nil {
						t.Errorf("the API server's answer became the backend's: %d", resp.StatusCode)
					}
					continue
				}
				if err != nil || resp.StatusCode != http.StatusUnauthorized {
					t.Fatalf("%v %v, want the backend's answer", resp, err)
				}
				resp.Body.Close()
			}
			runs, err := os.ReadFile(filepath.Join(dir, "runs"))
			if n := strings.Count(string(runs), "run"); err != nil || n != tt.runs {
				t.Errorf("the program ran %d times, want %d: %v", n, tt.runs, err)
			}
		})
	}
}
