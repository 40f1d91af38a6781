//go:build integration

package publish

import (
	"errors"
	"fmt"
	"testing"

	"kubernaut.io/dynamic-toolset/internal/toolset"
)

const overridesText = "# mine \t\r\ntoolsets:\n  a/b: {x: \"é\"}   \n\n\n"

// A deleted ConfigMap comes back with the overrides it had, and the admin goes on as before.
func testRestore(t *testing.T, c *cluster) {
	t.Attr("req", "DTS-OUT-8")
	p, requests := c.publisher()
	c.publish(p, Desired{Keys: testKeys()})
	manifest := func(data string) string {
		return fmt.Sprintf("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: %s, namespace: %s}\n%s", c.options.Name, c.options.Namespace, data)
	}
	apply := func(data string) {
		t.Helper()
		c.env.Kubectl(t, manifest(data), "apply", "--server-side", "-f", "-")
	}
	c.apply("kubectl", false, map[string]string{toolset.KeyOverrides: overridesText})
	c.publish(p, Desired{Keys: testKeys()}) // as the caller's cache sees it
	c.delete()

	requests.requests = nil
	res := c.publish(p, Desired{Keys: testKeys(), Restore: overridesText})
	if !res.Created || !res.Restored || len(res.Drifted) == 0 {
		t.Errorf("result %+v", res)
	}
	// It is asked for, made with all that belongs in it, taken over, and the maker's entry removed.
	equal(t, "requests", []string{"get", "apply", "apply", "patch"}, requests.requests)
	equal(t, "overrides", overridesText, c.get().Data[toolset.KeyOverrides])
	equal(t, "managers of the overrides", []string(nil), c.managers(toolset.KeyOverrides))
	equal(t, "managers of our key", []string{"dynamic-toolset/Apply"}, c.managers(keyProm))
	c.quiet(p, requests, testKeys())

	apply("data: {overrides.yaml: \"another\"}\n") // fails on a conflict
	equal(t, "overrides", "another", c.get().Data[toolset.KeyOverrides])
	c.publish(p, Desired{Keys: testKeys()})
	apply("data: {}\n")
	if text, ok := c.get().Data[toolset.KeyOverrides]; ok {
		t.Errorf("the admin dropped the key, and it is still there: %q", text)
	}
	c.quiet(p, requests, testKeys())
}

// Who makes the ConfigMap anew with another text has it their way; who makes it anew without gets the old text.
func testRestoreLoses(t *testing.T, c *cluster) {
	t.Attr("req", "DTS-OUT-8")
	p, requests := c.publisher()
	c.publish(p, Desired{Keys: testKeys()})
	want := Desired{Keys: testKeys(), Restore: "old"}
	for _, text := range []string{"new", ""} {
		c.delete()
		c.create(map[string]string{toolset.KeyOverrides: text}, nil)
		if res := c.publish(p, want); res.Restored {
			t.Errorf("%q: result %+v", text, res)
		}
		equal(t, "overrides", text, c.get().Data[toolset.KeyOverrides])
		c.quiet(p, requests, testKeys())
	}
	c.delete()
	c.create(map[string]string{"notes": "x"}, nil)
	if res := c.publish(p, want); !res.Restored || res.Created {
		t.Errorf("result %+v", res)
	}
	equal(t, "overrides", "old", c.get().Data[toolset.KeyOverrides])
	equal(t, "managers of the overrides", []string(nil), c.managers(toolset.KeyOverrides))
	c.quiet(p, requests, testKeys())

	// While we are at it, the admin writes one.
	c.delete()
	c.create(map[string]string{"notes": "x"}, nil)
	live := c.get()
	requests.requests = nil
	requests.before = func(n int) error {
		if n == 1 {
			c.apply("kubectl", false, map[string]string{toolset.KeyOverrides: "meanwhile"})
		}
		return nil
	}
	if res, err := p.from(live).Publish(t.Context(), always(want)); err != nil || res.Restored {
		t.Errorf("result %+v, error %v", res, err)
	}
	requests.before = nil
	equal(t, "overrides", "meanwhile", c.get().Data[toolset.KeyOverrides])
	c.quiet(p, requests, testKeys())
}

// A process killed between any two requests of a restore has lost nothing, and the next one finishes it.
func testRestoreInterrupted(t *testing.T, c *cluster) {
	t.Attr("req", "DTS-OUT-8 DTS-RUN-2")
	killed := errors.New("killed")
	for last := 1; last <= 2; last++ {
		p, requests := c.publisher()
		requests.before = func(n int) error {
			if n > last {
				return killed
			}
			return nil
		}
		_, err := p.from(nil).Publish(t.Context(), always(Desired{Keys: testKeys(), Restore: overridesText}))
		if !errors.Is(err, killed) {
			t.Fatalf("error %v", err)
		}
		cm := c.get()
		equal(t, "overrides", overridesText, cm.Data[toolset.KeyOverrides])
		equal(t, "document", testKeys()[toolset.KeyHolmesGPT], cm.Data[toolset.KeyHolmesGPT])

		// One that has not seen the new ConfigMap takes nothing away from it.
		blind, _ := c.publisher()
		other := testKeys()
		other[keyProm] = "by another"
		if _, err := blind.from(nil).Publish(t.Context(), always(Desired{Keys: other})); !errors.Is(err, ErrSuperseded) {
			t.Errorf("error %v", err)
		}
		equal(t, "resourceVersion", cm.ResourceVersion, c.get().ResourceVersion)

		next, more := c.publisher()
		keys := testKeys()
		keys[keyProm] = "new"
		c.publish(next, Desired{Keys: keys})
		equal(t, "overrides", overridesText, c.get().Data[toolset.KeyOverrides])
		equal(t, "managers of the overrides", []string(nil), c.managers(toolset.KeyOverrides))
		c.quiet(next, more, keys)
		c.delete()
	}
}
