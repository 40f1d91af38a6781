package publish

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	applycorev1 "k8s.io/client-go/applyconfigurations/core/v1"
)

// shared is a Client for a ConfigMap whose generated keys exist and belong to our field manager.
type shared struct {
	cm     *corev1.ConfigMap
	writes int
}

func (s *shared) Get(context.Context, string, metav1.GetOptions) (*corev1.ConfigMap, error) {
	return s.cm.DeepCopy(), nil
}

func (s *shared) Apply(_ context.Context, cm *applycorev1.ConfigMapApplyConfiguration, _ metav1.ApplyOptions) (*corev1.ConfigMap, error) {
	if *cm.ResourceVersion != s.cm.ResourceVersion {
		return nil, errConflict()
	}
	s.writes++
	s.cm = s.cm.DeepCopy()
	s.cm.ResourceVersion = strconv.Itoa(100 + s.writes)
	maps.Copy(s.cm.Data, cm.Data)
	return s.cm.DeepCopy(), nil
}

func (s *shared) Patch(context.Context, string, types.PatchType, []byte, metav1.PatchOptions, ...string) (*corev1.ConfigMap, error) {
	return nil, errNoAnswer
}

// Two installations with one ConfigMap have one field manager. Each learns that the other writes too, and after five
// repairs each waits for its resync.
func TestTwoInstallations(t *testing.T) {
	t.Attr("req", "DTS-OUT-8")
	s := &shared{cm: configMap("100")}
	type installation struct {
		*Publisher
		Repairs
		text    string
		limited []Drift
	}
	var both []*installation
	for _, name := range []string{"first", "second"} {
		i := &installation{Publisher: New(s, testOptions), text: "by the " + name}
		i.options.Live = func() *corev1.ConfigMap { return s.cm }
		both = append(both, i)
	}
	now := time.Now()
	for n := range 20 {
		for _, i := range both {
			res, err := i.Publish(t.Context(), func(live *corev1.ConfigMap) (Desired, error) {
				d := Desired{Keys: testKeys()}
				d.Keys[keyProm] = i.text
				d.Hold = i.Hold(i.Drifted(live, d), now)
				return d, nil
			})
			if err != nil {
				t.Fatal(err)
			}
			i.limited = append(i.limited, i.Made(res.Drifted, now)...)
			if last := n == 19; last && i.text == both[0].text && !slices.Contains(res.Held, keyProm) {
				t.Error("it is not held")
			}
		}
		now = now.Add(time.Second)
	}
	if s.writes > 2*(1+maxRepairs) {
		t.Errorf("%d writes of two within 20 s", s.writes)
	}
	want := Drift{keyProm, AnotherInstallation}
	if first := both[0].limited; len(first) != 1 || first[0] != want {
		t.Errorf("limited: %v, want %v", first, want)
	}
}

// A replica that begins to lead takes over the text of the former leader without calling it a repair, and so does one
// that was restarted.
func TestFormerLeaderIsNoRival(t *testing.T) {
	t.Attr("req", "DTS-RUN-2")
	s := &shared{cm: configMap("100")}
	p := New(s, testOptions)
	p.options.Live = func() *corev1.ConfigMap { return s.cm }
	write := func(text string) Result {
		keys := testKeys()
		keys[keyProm] = text
		res, err := p.Publish(t.Context(), always(Desired{Keys: keys}))
		if err != nil {
			t.Fatal(err)
		}
		return res
	}
	for i := range 3 {
		p.NewTerm()
		if res := write(fmt.Sprint("new ", i)); !res.Written || len(res.Drifted) > 0 {
			t.Errorf("written: %t, drifted: %v", res.Written, res.Drifted)
		}
		if res := write("and changed"); !res.Written || len(res.Drifted) > 0 {
			t.Errorf("our own change: written: %t, drifted: %v", res.Written, res.Drifted)
		}
		s.cm = s.cm.DeepCopy()
		s.cm.ResourceVersion, s.cm.Data[keyProm] = strconv.Itoa(500+i), "by another leader"
	}
}

// A cache whose watch is stuck is checked once a minute: what has changed meanwhile is repaired, and a deletion is seen.
func TestStuckCacheIsChecked(t *testing.T) {
	t.Attr("req", "DTS-OUT-8")
	synctest.Test(t, func(t *testing.T) {
		client := &answers{t: t}
		stale := configMap("5")
		p := New(client, testOptions).from(stale)
		publish := func(want ...string) {
			t.Helper()
			client.calls = nil
			if _, err := p.Publish(t.Context(), func(live *corev1.ConfigMap) (Desired, error) {
				if live == nil {
					return Desired{}, errNoAnswer
				}
				return Desired{Keys: testKeys()}, nil
			}); err != nil && err != errNoAnswer { //nolint:errorlint // Build's, as it is
				t.Fatal(err)
			}
			wantCalls(t, client, want...)
		}
		later := func(d time.Duration) { time.Sleep(d) } //nolint:forbidigo // on the clock of synctest
		publish()
		later(59 * time.Second)
		publish()
		later(time.Second)
		client.queue = []answer{{cm: configMap("7", by("vandal", keyProm, "x"))}, {cm: configMap("8")}}
		publish("get", "apply at 7")
		later(59 * time.Second)
		publish()
		later(time.Second)
		client.queue = []answer{{err: apierrors.NewInternalError(errNoAnswer)}}
		publish("get") // which fails, and is no failure to write
		later(time.Minute)
		gone := answer{err: apierrors.NewNotFound(resource, testOptions.Name)}
		client.queue = []answer{gone, gone}
		publish("get")
		publish("get") // the cache shows it still
		p.from(configMap("9"))
		publish()
	})
}
