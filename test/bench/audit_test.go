//go:build integration && bench

package bench

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"kubernaut.io/dynamic-toolset/test/bench/report"
	"kubernaut.io/dynamic-toolset/test/integration/testenv"
)

// accounts is the namespace of the ServiceAccounts that programs run as.
const accounts = "bench-accounts"

// policy logs the requests of those, and nothing else.
const policy = `apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived]
rules:
- level: Metadata
  userGroups: ["system:serviceaccounts:` + accounts + `"]
- level: None
`

// startAudited starts a cluster whose API server writes down who asks for what, and returns where.
func startAudited(t *testing.T) (env *testenv.Env, log string) {
	t.Helper()
	dir := t.TempDir()
	rules := filepath.Join(dir, "policy.yaml")
	if err := os.WriteFile(rules, []byte(policy), 0o600); err != nil {
		t.Fatal(err)
	}
	log = filepath.Join(dir, "audit.log")
	return testenv.Start(t, testenv.APIServerFlag("audit-policy-file", rules), testenv.APIServerFlag("audit-log-path", log)), log
}

// account is the kubeconfig of a program, which may do everything.
func (b *bench) account(t *testing.T, program string) string {
	t.Helper()
	path := b.env.ServiceAccount(t, accounts, program)
	b.env.Grant(t, "", accounts, program, testenv.Rule("*", "*", "*"))
	return path
}

// requested adds to the report what a program has asked of the API server since then.
func (b *bench) requested(t *testing.T, program string, since time.Time) {
	t.Helper()
	f, err := os.Open(b.audit)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	counts, seen := map[string]int{}, map[string]bool{}
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var event struct {
			AuditID, Verb string
			User          struct{ Username string }
			ObjectRef     struct{ Resource, Name string }
			Received      time.Time `json:"requestReceivedTimestamp"`
		}
		if err := json.Unmarshal(lines.Bytes(), &event); err != nil {
			t.Fatalf("%s: %v", b.audit, err)
		}
		if event.User.Username != "system:serviceaccount:"+accounts+":"+program || event.Received.Before(since) || seen[event.AuditID] {
			continue
		}
		seen[event.AuditID] = true // a watch is told of when it begins and when it ends
		what := event.ObjectRef.Resource
		if what == "" {
			what = "others"
		}
		counts[event.Verb+" "+what]++
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
	q := report.Requests{Program: program, Services: b.n}
	for what, n := range counts {
		q.Counts = append(q.Counts, fmt.Sprintf("%s %d", what, n))
	}
	slices.Sort(q.Counts)
	b.report.Requests = append(b.report.Requests, q)
}
