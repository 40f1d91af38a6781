//go:build integration

package integration

import (
	"encoding/json"
	"strings"
	"testing"

	"kubernaut.io/dynamic-toolset/test/integration/testenv"
)

// found is a Service in the output of discover (DTS-CLI-2).
type found struct {
	Name, Namespace, Type, Endpoint, Instance, Verdict, Reason string
	Healthy                                                    *bool
	Primary                                                    bool
	Metadata                                                   map[string]string
}

// discover runs dynamic-toolset discover and returns what it found by namespace/name.
func discover(t *testing.T, env *testenv.Env, kubeconfig string, args ...string) (map[string]found, testenv.Result) {
	t.Helper()
	r := env.Run(t, kubeconfig, append([]string{"discover", "-o", "json"}, args...)...)
	if r.Code != 0 {
		t.Fatalf("discover %q: exit %d\n%s", args, r.Code, r.Stderr)
	}
	var list struct {
		Services []found
		Count    int
	}
	if err := json.Unmarshal([]byte(r.Stdout), &list); err != nil {
		t.Fatalf("discover %q: %v\n%s", args, err, r.Stdout)
	}
	if list.Count != len(list.Services) {
		t.Errorf("discover %q: count is %d, there are %d", args, list.Count, len(list.Services))
	}
	all := map[string]found{}
	for _, s := range list.Services {
		all[s.Namespace+"/"+s.Name] = s
	}
	return all, r
}

// named are the labels that the charts of a software set.
func named(software string) map[string]string {
	return map[string]string{"app.kubernetes.io/name": software, "app.kubernetes.io/managed-by": "Helm"}
}

// amiss are those of the texts that s lacks, and those behind a "-" that it has.
func amiss(s string, texts ...string) (list []string) {
	for _, text := range texts {
		if part, unwanted := strings.CutPrefix(text, "-"); strings.Contains(s, part) == unwanted {
			list = append(list, text)
		}
	}
	return list
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestMain(m *testing.M) { testenv.Main(m) }
