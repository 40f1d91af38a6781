//go:build integration

package publish

import (
	"errors"
	"fmt"
	"sync"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"kubernaut.io/dynamic-toolset/internal/toolset"
)

// What is written was computed from the ConfigMap that it was written into: an edit in between is built upon.
func testStale(t *testing.T, c *cluster) {
	t.Attr("req", "DTS-OUT-8 DTS-RUN-2")
	p, requests := c.publisher()
	c.publish(p, Desired{Keys: testKeys()})
	stale := c.get()
	// As a compiler of documents: the overrides are in what is generated.
	build := func(cm *corev1.ConfigMap) (Desired, error) {
		keys := testKeys()
		keys[toolset.KeyHolmesGPT] = "with " + cm.Data[toolset.KeyOverrides]
		return Desired{Keys: keys}, nil
	}
	c.patch("kubectl-edit", object{"data": object{toolset.KeyOverrides: "1", keyProm: "vandalised"}})
	requests.requests = nil
	requests.before = func(n int) error {
		if n == 3 { // between reading it and the second apply
			c.patch("kubectl-edit", object{"data": object{toolset.KeyOverrides: "2"}})
		}
		return nil
	}
	res, err := p.from(stale).Publish(t.Context(), build)
	if err != nil || !res.Written {
		t.Fatalf("result %+v, error %v", res, err)
	}
	equal(t, "requests", []string{"apply", "get", "apply", "get", "apply"}, requests.requests)
	requests.before = nil
	want := testKeys()
	want[toolset.KeyHolmesGPT] = "with 2"
	c.quiet(p, requests, want)
	equal(t, "overrides", "2", c.get().Data[toolset.KeyOverrides])
	equal(t, "drifted", []Drift{{keyProm, "kubectl-edit"}}, res.Drifted)
}

// A leader that does not know that it was replaced writes nothing more.
func testStaleLeader(t *testing.T, c *cluster) {
	t.Attr("req", "DTS-RUN-2")
	old, _ := c.publisher()
	c.publish(old, Desired{Keys: testKeys()})
	stale := c.get()
	next, requests := c.publisher()
	keys := testKeys()
	keys[keyProm] = "by the new leader"
	c.publish(next, Desired{Keys: keys})

	other := testKeys()
	other[keyProm] = "by the old leader"
	res, err := old.from(stale).Publish(t.Context(), always(Desired{Keys: other}))
	if !errors.Is(err, ErrSuperseded) || res.Written {
		t.Errorf("result %+v, error %v", res, err)
	}
	c.quiet(next, requests, keys)

	// Nor does it remove anything.
	keys[keyGrafana] = "1"
	c.publish(next, Desired{Keys: keys})
	stale = c.get()
	keys[keyGrafana] = "2"
	c.publish(next, Desired{Keys: keys})
	other = testKeys()
	other[keyProm] = keys[keyProm]
	deposed, more := c.publisher()
	if _, err := deposed.from(stale).Publish(t.Context(), always(Desired{Keys: other})); !errors.Is(err, ErrSuperseded) {
		t.Errorf("error %v", err)
	}
	equal(t, "requests", []string{"patch", "get"}, more.requests)
	c.quiet(next, requests, keys)
}

// An apply with a resourceVersion alone would make a new ConfigMap, without the overrides.
func testDeletedUnseen(t *testing.T, c *cluster) {
	t.Attr("req", "DTS-OUT-8 DTS-RUN-2")
	p, requests := c.publisher()
	c.publish(p, Desired{Keys: testKeys()})
	live := c.patch("kubectl-edit", object{"data": object{toolset.KeyOverrides: "mine", keyProm: "x", keyGrafana: "stale"}})
	c.delete()
	var remembered string
	res, err := p.from(live).Publish(t.Context(), func(cm *corev1.ConfigMap) (Desired, error) {
		if cm == nil {
			return Desired{Keys: testKeys(), Restore: remembered}, nil
		}
		remembered = cm.Data[toolset.KeyOverrides]
		return Desired{Keys: testKeys()}, nil
	})
	if err != nil || !res.Created || !res.Restored {
		t.Errorf("result %+v, error %v", res, err)
	}
	equal(t, "overrides", "mine", c.get().Data[toolset.KeyOverrides])
	c.quiet(p, requests, testKeys())
}

// Somebody makes the ConfigMap just before we do.
func testCreateRace(t *testing.T, top *cluster) {
	for _, tt := range []struct {
		name  string
		other func(*cluster)
		check func(*testing.T, *corev1.ConfigMap)
	}{
		{
			"an admin with overrides and a text of ours", func(c *cluster) {
				c.create(map[string]string{toolset.KeyOverrides: "theirs", keyProm: "theirs"}, nil)
			},
			func(t *testing.T, cm *corev1.ConfigMap) {
				equal(t, "overrides", "theirs", cm.Data[toolset.KeyOverrides])
			},
		},
		{
			"something unrelated", func(c *cluster) { c.create(map[string]string{"notes": "theirs"}, nil) },
			func(t *testing.T, cm *corev1.ConfigMap) {
				equal(t, "notes", "theirs", cm.Data["notes"])
				equal(t, "overrides", "ours", cm.Data[toolset.KeyOverrides])
			},
		},
		{
			"a key of ours in binaryData", func(c *cluster) {
				c.create(nil, map[string][]byte{keyProm: {1}, toolset.KeyOverrides: []byte("theirs")})
			},
			func(t *testing.T, cm *corev1.ConfigMap) {
				equal(t, "overrides", []byte("theirs"), cm.BinaryData[toolset.KeyOverrides])
				equal(t, "overrides of ours", "", cm.Data[toolset.KeyOverrides])
			},
		},
		{
			"the same as ours by hand", func(c *cluster) { c.create(testKeys(), nil) },
			func(t *testing.T, cm *corev1.ConfigMap) { equal(t, "overrides", "ours", cm.Data[toolset.KeyOverrides]) },
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Attr("req", "DTS-OUT-8")
			c := newCluster(t, top.env)
			p, requests := c.publisher()
			requests.before = func(n int) error {
				if n == 1 {
					tt.other(c)
				}
				return nil
			}
			if _, err := p.from(nil).Publish(t.Context(), always(Desired{Keys: testKeys(), Restore: "ours"})); err != nil {
				t.Fatal(err)
			}
			requests.before = nil
			tt.check(t, c.get())
			c.quiet(p, requests, testKeys())
		})
	}
}

func (c *cluster) create(data map[string]string, binary map[string][]byte) {
	c.t.Helper()
	cm := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: c.options.Name}, Data: data, BinaryData: binary}
	if _, err := c.admin.Create(c.t.Context(), cm, metav1.CreateOptions{FieldManager: "kubectl-create"}); err != nil {
		c.t.Fatal(err)
	}
}

// Of several that believe to lead and find no ConfigMap, one makes it, and the others step back.
func testManyCreators(t *testing.T, c *cluster) {
	t.Attr("req", "DTS-RUN-2")
	for range 10 {
		var wg sync.WaitGroup
		errs := make([]error, 4)
		for n := range errs {
			p, _ := c.publisher()
			wg.Go(func() {
				keys := testKeys()
				keys[keyProm] = fmt.Sprintf("by %d", n)
				keys[keyGrafana] = fmt.Sprintf("by %d", n)
				_, errs[n] = p.from(nil).Publish(t.Context(), always(Desired{Keys: keys, Restore: "ours"}))
			})
		}
		wg.Wait()
		winners := 0
		for n, err := range errs {
			if err == nil {
				winners++
				equal(t, "the winner's text", fmt.Sprintf("by %d", n), c.get().Data[keyProm])
			} else if !errors.Is(err, ErrSuperseded) {
				t.Errorf("error %v", err)
			}
		}
		cm := c.get()
		if winners != 1 || cm.Data[keyProm] != cm.Data[keyGrafana] || cm.Data[toolset.KeyOverrides] != "ours" {
			t.Errorf("%d winners, data %q", winners, cm.Data)
		}
		equal(t, "managers of the overrides", []string(nil), c.managers(toolset.KeyOverrides))
		c.delete()
	}
}
