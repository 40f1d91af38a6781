//go:build integration

package integration

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"kubernaut.io/dynamic-toolset/test/integration/testenv"
)

// TestAgentIsFound has HolmesGPT's Service found beside the ConfigMap, by its endpoints, and no other.
func TestAgentIsFound(t *testing.T) {
	t.Attr("req", "DTS-RUN-7")
	env := testenv.Shared(t)
	app := map[string]string{"app": "holmes"}
	const namespace = testenv.OutputNamespace
	env.Create(t, testenv.Service{Namespace: "evil", Name: "x-holmes", Labels: app, Selector: app, Port: "http", Number: 80, Target: 5050})
	i := start(t, env)
	agentSays(t, i, `"replicas":[]`)
	env.Create(t, testenv.Service{Namespace: namespace, Name: "x-holmes", Labels: app, Selector: app, Port: "http", Number: 80, Target: 5050,
		Address: "100.100.100.200"})
	agentSays(t, i, `"url":"http://100.100.100.200:5050"`, `"outcome":"away"`, "denyCIDRs")
	env.Delete(t, namespace, "x-holmes")
	agentSays(t, i, `"replicas":[]`)
}

// TestAgentIsTold has each publication followed by a reload, and what fails in HolmesGPT told by an Event.
func TestAgentIsTold(t *testing.T) {
	t.Attr("req", "DTS-RUN-7")
	env := testenv.Shared(t)
	var mu sync.Mutex
	loaded := "generation/old"
	holmes := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		if r.Method == http.MethodPost {
			if cm := env.ConfigMap(t); cm != nil {
				_, rest, _ := strings.Cut(cm.Data[document], "generation/")
				loaded = "generation/" + rest[:8]
			}
			_, _ = fmt.Fprint(w, `{"status": "ok"}`)
			return
		}
		_, _ = fmt.Fprintf(w, `{"version": "0.45.0", "toolsets": [{"name": %q, "status": "disabled"},
			{"name": "prometheus/metrics", "status": "failed", "error": "ENV var replacement X does not exist"}]}`, loaded)
	}))
	defer holmes.Close()
	i := start(t, env, "--set", "holmesgpt.url="+holmes.URL)
	agentSays(t, i, `"outcome":"loaded"`)
	env.Create(t, prometheusIn("monitoring", "prometheus"))
	published(t, env, "a Prometheus appears", "prometheus/metrics")
	agentSays(t, i, `"outcome":"loaded"`, `"status":"failed"`, "Give HolmesGPT's container the variable X")
	testenv.Eventually(t, 20*time.Second, "an Event on the ConfigMap", func() error {
		if said := env.Kubectl(t, "", "-n", env.ConfigMap(t).Namespace, "get", "events", "-o", "json"); !strings.Contains(said, "AgentToolsetFailed") {
			return fmt.Errorf("the Events are %s", said)
		}
		return nil
	})
}

// agentSays waits until the API answers so about HolmesGPT, and with the generation that is published where it is loaded.
func agentSays(t *testing.T, i *instance, want ...string) {
	t.Helper()
	testenv.Eventually(t, 30*time.Second, "the API says "+strings.Join(want, " "), func() error {
		_, body := get(i.api + "/api/v1/agent")
		if len(amiss(body, want...)) > 0 {
			return errors.New(body)
		}
		var answer struct {
			Generation string
			Replicas   []struct{ Outcome, Generation string }
		}
		if err := json.Unmarshal([]byte(body), &answer); err != nil {
			return err
		}
		for _, r := range answer.Replicas {
			if r.Outcome == "loaded" && r.Generation != answer.Generation {
				return fmt.Errorf("it is loaded, and not the same: %s", body)
			}
		}
		return nil
	})
}
