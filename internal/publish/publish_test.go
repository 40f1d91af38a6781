package publish

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"kubernaut.io/dynamic-toolset/internal/toolset"
)

func wantCalls(t *testing.T, c *answers, want ...string) {
	t.Helper()
	if diff := cmp.Diff(want, c.calls); diff != "" {
		t.Errorf("requests (-want +got):\n%s", diff)
	}
}

func TestConflictsEnd(t *testing.T) {
	t.Attr("req", "DTS-OUT-8")
	synctest.Test(t, func(t *testing.T) {
		c := errConflict()
		live := configMap("5", without(keyProm))
		client := &answers{t: t, queue: []answer{{err: c}, {cm: live}, {err: c}, {cm: live}, {err: c}}}
		start := time.Now()
		res, err := New(client, testOptions).from(live).Publish(t.Context(), always(Desired{Keys: testKeys()}))
		if !errors.Is(err, ErrConflict) || !apierrors.IsConflict(err) || res.Written {
			t.Errorf("result %+v, error %v", res, err)
		}
		want := "ConfigMap kubernaut-system/kubernaut-toolset-config: another writer changed it at each attempt; the next cycle tries again"
		if err.Error() != want {
			t.Errorf("error %q", err)
		}
		if len(client.calls) != 5 {
			t.Errorf("requests %q, want three applies", client.calls)
		}
		if took := time.Since(start); took < firstWait*5/2 || took > firstWait*15/2 {
			t.Errorf("waited %s", took)
		}
	})
}

// After a conflict what is written is computed from what is there by then, unless another replica wrote that.
func TestConflict(t *testing.T) {
	t.Attr("req", "DTS-OUT-8 DTS-RUN-2")
	old := configMap("5", without(keyProm))
	for name, tt := range map[string]struct {
		live, fresh *corev1.ConfigMap
		is          error
		seen        []string // versions and overrides that the keys were computed from
	}{
		"an admin's edit":   {old, configMap("7", by("kubectl-edit", toolset.KeyOverrides, "mine"), without(keyProm)), nil, []string{"5", "7mine"}},
		"a replica's text":  {old, configMap("7", func(cm *corev1.ConfigMap) { cm.Data[keyProm] = "by the new leader" }), ErrSuperseded, []string{"5"}},
		"made by a replica": {nil, configMap("7"), ErrSuperseded, []string{""}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				client := &answers{t: t, queue: []answer{{err: errConflict()}, {cm: tt.fresh}, {cm: configMap("8")}}}
				var seen []string
				res, err := New(client, testOptions).from(tt.live).Publish(t.Context(), func(live *corev1.ConfigMap) (Desired, error) {
					text := ""
					if live != nil {
						text = live.ResourceVersion + live.Data[toolset.KeyOverrides]
					}
					seen = append(seen, text)
					return Desired{Keys: testKeys()}, nil
				})
				if !errors.Is(err, tt.is) || res.Written != (tt.is == nil) {
					t.Errorf("result %+v, error %v", res, err)
				}
				if diff := cmp.Diff(tt.seen, seen); diff != "" {
					t.Errorf("computed from (-want +got):\n%s", diff)
				}
			})
		})
	}
}

// The caller says, at each try, whether it still leads.
func TestBuildEndsIt(t *testing.T) {
	t.Attr("req", "DTS-RUN-2")
	synctest.Test(t, func(t *testing.T) {
		deposed := errors.New("no longer leading")
		live := configMap("5", without(keyProm))
		client := &answers{t: t, queue: []answer{{err: errConflict()}, {cm: live}}}
		n := 0
		_, err := New(client, testOptions).from(live).Publish(t.Context(), func(*corev1.ConfigMap) (Desired, error) {
			if n++; n == 2 {
				return Desired{}, deposed
			}
			return Desired{Keys: testKeys()}, nil
		})
		if e := (*Error)(nil); !errors.Is(err, deposed) || errors.As(err, &e) {
			t.Errorf("error %v, want Build's as it is", err)
		}
	})
}

// A cache that lags behind what was just written is no reason for a conflict.
func TestOwnWriteIsRemembered(t *testing.T) {
	t.Attr("req", "DTS-OUT-7")
	client := &answers{t: t, queue: []answer{{cm: configMap("10")}, {cm: configMap("10")}}}
	p := New(client, testOptions)
	old := configMap("9", without(keyProm))
	for range 2 {
		if _, err := p.from(old).Publish(t.Context(), always(Desired{Keys: testKeys()})); err != nil {
			t.Fatal(err)
		}
	}
	wantCalls(t, client, "apply at 9")
	// No ConfigMap in the cache: it may be gone, or the cache may not have it yet. The API server knows.
	if _, err := p.from(nil).Publish(t.Context(), always(Desired{Keys: testKeys()})); err != nil {
		t.Fatal(err)
	}
	wantCalls(t, client, "apply at 9", "get")
}

func TestNothingIsWritten(t *testing.T) {
	t.Attr("req", "DTS-OUT-9")
	yes := true
	big := testKeys()
	big[keyProm] = strings.Repeat("x", MaxBytes)
	for name, tt := range map[string]struct {
		live *corev1.ConfigMap
		want Desired
		is   error
		text string
	}{
		"immutable": {
			configMap("1", without(keyProm), func(cm *corev1.ConfigMap) { cm.Immutable = &yes }), Desired{Keys: testKeys()}, ErrImmutable, "it is immutable",
		},
		"too large":           {configMap("1"), Desired{Keys: big}, ErrTooLarge, "(900 KiB, and at most 900 KiB are written)"},
		"too large to create": {nil, Desired{Keys: big}, ErrTooLarge, "it would grow too large"},
		"too large with what is there": {
			configMap("1", by("admin", "notes", strings.Repeat("x", MaxBytes-100)), without(keyProm)), Desired{Keys: testKeys()}, ErrTooLarge, "too large",
		},
	} {
		t.Run(name, func(t *testing.T) {
			res, err := New(&answers{t: t}, testOptions).from(tt.live).Publish(t.Context(), always(tt.want))
			if !errors.Is(err, tt.is) || !strings.Contains(err.Error(), tt.text) || res.Written {
				t.Errorf("result %+v, error %v", res, err)
			}
		})
	}
	t.Run("immutable and right", func(t *testing.T) {
		live := configMap("1", func(cm *corev1.ConfigMap) { cm.Immutable = &yes })
		if _, err := New(&answers{t: t}, testOptions).from(live).Publish(t.Context(), always(Desired{Keys: testKeys()})); err != nil {
			t.Error(err)
		}
	})
	t.Run("a deleted one of which all is held", func(t *testing.T) {
		client := &answers{t: t, queue: []answer{{err: apierrors.NewNotFound(resource, testOptions.Name)}}}
		p := New(client, testOptions)
		p.newest, p.known = configMap("1"), testKeys()
		hold := []string{toolset.KeyHolmesGPT, keyProm, toolset.KeyState}
		res, err := p.from(nil).Publish(t.Context(), always(Desired{Keys: testKeys(), Hold: hold}))
		if err != nil || res.Written || len(res.Held) != 3 {
			t.Errorf("result %+v, error %v", res, err)
		}
	})
}

func TestLarge(t *testing.T) {
	t.Attr("req", "DTS-OUT-9")
	for n, want := range map[int]bool{500<<10 - 1000: false, 500 << 10: true} {
		keys := testKeys()
		keys[keyProm] = strings.Repeat("x", n)
		live := configMap("1", func(cm *corev1.ConfigMap) { cm.Data = keys })
		res, err := New(&answers{t: t}, testOptions).from(live).Publish(t.Context(), always(Desired{Keys: keys}))
		if err != nil || res.Large() != want {
			t.Errorf("%d bytes: large is %t, error %v", res.Bytes, res.Large(), err)
		}
	}
}

func TestErrorsAreForPeople(t *testing.T) {
	t.Attr("req", "DTS-OUT-9")
	options := testOptions
	options.Reason = func(err error) string {
		if errors.Is(err, syscall.ECONNREFUSED) {
			return "cannot reach the API server: connection refused; what is published stays"
		}
		return ""
	}
	for _, tt := range []struct {
		err  error
		want string
	}{
		{
			apierrors.NewForbidden(resource, testOptions.Name, errors.New("exceeded quota: q,\nrequested: 1")),
			`refused by the API server (403): configmaps "kubernaut-toolset-config" is forbidden: exceeded quota: q, requested: 1`,
		},
		{apierrors.NewUnauthorized("no"), "the API server does not accept the credentials (401); check the ServiceAccount's token"},
		{
			apierrors.NewInvalid(schema.GroupKind{Kind: "ConfigMap"}, testOptions.Name, nil),
			`refused by the API server as invalid: ConfigMap "kubernaut-toolset-config" is invalid`,
		},
		{
			apierrors.NewNotFound(schema.GroupResource{Resource: "namespaces"}, "kubernaut-system"),
			`the namespace "kubernaut-system" does not exist; create it, or set output.namespace`,
		},
		{syscall.ECONNREFUSED, "cannot reach the API server: connection refused; what is published stays"}, // in the words it is given
		{apierrors.NewInternalError(errors.New("etcd\nis away")), "cannot be written now: Internal error occurred: etcd is away"},
		{fmt.Errorf("client: %w", context.Canceled), "stopped before it was written"},
	} {
		client := &answers{t: t, queue: []answer{{err: tt.err}}}
		live := configMap("1", without(keyProm))
		if apierrors.IsNotFound(tt.err) {
			live = nil
		}
		_, err := New(client, options).from(live).Publish(t.Context(), always(Desired{Keys: testKeys()}))
		want := "ConfigMap kubernaut-system/kubernaut-toolset-config: " + tt.want
		if err == nil || err.Error() != want {
			t.Errorf("%v:\n got %v\nwant %s", tt.err, err, want)
		}
		var e *Error
		if !errors.As(err, &e) || !errors.Is(err, tt.err) {
			t.Errorf("%v: not an *Error with its cause", err)
		}
	}
}
