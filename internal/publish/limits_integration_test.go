//go:build integration

package publish

import (
	"errors"
	"strings"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
)

func testImmutable(t *testing.T, c *cluster) {
	t.Attr("req", "DTS-OUT-9")
	p, requests := c.publisher()
	c.publish(p, Desired{Keys: testKeys()})
	before := c.patch("admin", object{"immutable": true})
	requests.requests = nil
	if _, err := p.from(before).Publish(t.Context(), always(Desired{Keys: testKeys()})); err != nil {
		t.Errorf("nothing to write, and yet: %v", err)
	}
	keys := testKeys()
	keys[keyProm] = "new"
	if _, err := p.from(before).Publish(t.Context(), always(Desired{Keys: keys})); !errors.Is(err, ErrImmutable) {
		t.Errorf("error %v", err)
	}
	equal(t, "requests", []string(nil), requests.requests)
	// Not seen in the cache yet: the API server's conflict makes us look.
	stale := before.DeepCopy()
	stale.Immutable, stale.ResourceVersion = nil, "1"
	fresh, _ := c.publisher()
	if _, err := fresh.from(stale).Publish(t.Context(), always(Desired{Keys: keys})); !errors.Is(err, ErrImmutable) {
		t.Errorf("error %v", err)
	}
	if c.get().ResourceVersion != before.ResourceVersion {
		t.Error("written")
	}
	c.delete()
	c.publish(p, Desired{Keys: keys})
	c.quiet(p, requests, keys)
}

func testTooLarge(t *testing.T, c *cluster) {
	t.Attr("req", "DTS-OUT-9")
	p, requests := c.publisher()
	c.publish(p, Desired{Keys: testKeys()})
	before := c.get()
	keys := testKeys()
	keys[keyGrafana] = strings.Repeat("x", MaxBytes)
	if _, err := p.from(before).Publish(t.Context(), always(Desired{Keys: keys})); !errors.Is(err, ErrTooLarge) {
		t.Errorf("error %v", err)
	}
	if c.get().ResourceVersion != before.ResourceVersion {
		t.Error("written")
	}
	c.quiet(p, requests, testKeys())
	// What others put there counts.
	c.patch("admin", object{"data": object{"big": strings.Repeat("x", MaxBytes-10)}})
	keys = testKeys()
	keys[keyProm] = "new"
	if _, err := p.from(c.get()).Publish(t.Context(), always(Desired{Keys: keys})); !errors.Is(err, ErrTooLarge) {
		t.Errorf("error %v", err)
	}
	c.quiet(p, requests, testKeys())
	// Up to the limit the API server takes it.
	size := p.Compare(c.get(), Desired{Keys: testKeys()}).Bytes
	c.patch("admin", object{"data": object{"big": strings.Repeat("x", MaxBytes-10-(size-MaxBytes)-len("new")+len(testKeys()[keyProm]))}})
	if res := c.publish(p, Desired{Keys: keys}); res.Bytes != MaxBytes || !res.Large() {
		t.Errorf("%d bytes, large is %t", res.Bytes, res.Large())
	}
	c.quiet(p, requests, keys)
}

func testRefused(t *testing.T, c *cluster) {
	t.Attr("req", "DTS-OUT-9")
	t.Attr("req", "DTS-SEC-1")
	p, requests := c.publisher()
	c.publish(p, Desired{Keys: testKeys()})
	c.revoke()
	keys := testKeys()
	keys[keyProm] = "new"
	live := c.get()
	_, err := p.from(live).Publish(t.Context(), always(Desired{Keys: keys}))
	if !apierrors.IsForbidden(err) || !strings.Contains(err.Error(), "refused by the API server (403): ") {
		t.Errorf("error %v", err)
	}
	c.grant()
	c.publish(p, Desired{Keys: keys})
	c.quiet(p, requests, keys)

	o := c.options
	o.Namespace = "not-there"
	_, err = New(c.env.Client.CoreV1().ConfigMaps(o.Namespace), o).from(nil).Publish(t.Context(), always(Desired{Keys: keys}))
	want := `ConfigMap not-there/kubernaut-toolset-config: the namespace "not-there" does not exist; create it, or set output.namespace`
	if err == nil || err.Error() != want {
		t.Errorf("error %v", err)
	}
	bad := map[string]string{"not a key-toolset.yaml": "x"}
	_, err = p.from(c.get()).Publish(t.Context(), always(Desired{Keys: bad}))
	if !apierrors.IsInvalid(err) || strings.Contains(err.Error(), "\n") {
		t.Errorf("error %v", err)
	}
	c.quiet(p, requests, keys)
}
