//go:build integration

package publish

import (
	"errors"
	"strings"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
)

// Up to the limit, with what others put there, the API server takes it.
func testTooLarge(t *testing.T, c *cluster) {
	t.Attr("req", "DTS-OUT-9")
	p, requests := c.publisher()
	c.publish(p, Desired{Keys: testKeys()})
	c.patch("admin", object{"data": object{"big": strings.Repeat("x", MaxBytes-10)}})
	before := c.get()
	keys := testKeys()
	keys[keyProm] = "new"
	if _, err := p.from(before).Publish(t.Context(), always(Desired{Keys: keys})); !errors.Is(err, ErrTooLarge) {
		t.Errorf("error %v", err)
	}
	if c.get().ResourceVersion != before.ResourceVersion {
		t.Error("written")
	}
	c.quiet(p, requests, testKeys())
	size := p.Compare(before, Desired{Keys: keys}).Bytes
	c.patch("admin", object{"data": object{"big": strings.Repeat("x", MaxBytes-10-(size-MaxBytes))}})
	if res := c.publish(p, Desired{Keys: keys}); res.Bytes != MaxBytes || !res.Large() {
		t.Errorf("%d bytes, large is %t", res.Bytes, res.Large())
	}
	c.quiet(p, requests, keys)
}

func testRefused(t *testing.T, c *cluster) {
	t.Attr("req", "DTS-OUT-9 DTS-SEC-1")
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
