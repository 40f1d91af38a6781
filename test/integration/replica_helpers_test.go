//go:build integration

package integration

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"kubernaut.io/dynamic-toolset/test/integration/testenv"
)

// The lease of these tests: short, and long enough for a machine that is busy.
const (
	leaseDuration = 2 * time.Second
	renewDeadline = 1500 * time.Millisecond
	retryPeriod   = 200 * time.Millisecond
)

// replicas are several services on one cluster, each with a front of its own, so that it is known who writes what.
type replicas struct {
	env   *testenv.Env
	token string

	mu     sync.Mutex
	writes []write
	begun  int
	fronts []*testenv.Front
}

// write is a request of a replica to change the ConfigMap, as it was sent.
type write struct {
	by      *replica
	at      time.Time
	manager string
	base    string // the resourceVersion that it carries
}

// replica is one of them.
type replica struct {
	*instance
	name string
	on   func(w write) // called before a write goes on to the API server; may be nil
}

func newReplicas(t *testing.T, env *testenv.Env) *replicas {
	t.Helper()
	fronted(t, env) // for the account
	return &replicas{env: env, token: env.Token(t, testenv.OutputNamespace, "dynamic-toolset")}
}

// add starts another replica.
func (r *replicas) add(t *testing.T, args ...string) *replica {
	t.Helper()
	r.begun++
	one := &replica{name: "replica " + strconv.Itoa(r.begun)}
	front := r.env.Front(t)
	r.fronts = append(r.fronts, front)
	front.Inject(func(_ http.ResponseWriter, req *http.Request) bool {
		r.note(one, req)
		return false
	})
	args = append(append(append([]string{"serve"}, quick...),
		"--set", "health.interval=5s",
		"--set", "leaderElection.leaseDuration="+leaseDuration.String(),
		"--set", "leaderElection.renewDeadline="+renewDeadline.String(),
		"--set", "leaderElection.retryPeriod="+retryPeriod.String(),
		"--set", "security.trustedNamespaces=["+restless+"]"), args...)
	one.instance = running(t, r.env.Process(t, r.env.TokenKubeconfig(t, front.URL, front.CA, r.token), nil, args...))
	return one
}

// note remembers a write.
func (r *replicas) note(by *replica, req *http.Request) {
	if req.Method == http.MethodGet {
		return
	}
	if !strings.Contains(req.URL.Path, "/configmaps") {
		return
	}
	body, err := io.ReadAll(req.Body)
	if err != nil {
		return // it was killed meanwhile
	}
	req.Body = io.NopCloser(bytes.NewReader(body))
	var object metav1.PartialObjectMetadata
	if err := json.Unmarshal(body, &object); err != nil {
		object.ResourceVersion = "unreadable: " + err.Error()
	}
	w := write{by: by, at: time.Now(), manager: req.URL.Query().Get("fieldManager"), base: object.ResourceVersion}
	r.mu.Lock()
	r.writes = append(r.writes, w)
	on := by.on
	r.mu.Unlock()
	if on != nil {
		on(w)
	}
}

// whenWriting has do called at each further write of a replica, before it goes on.
func (r *replicas) whenWriting(one *replica, do func(write)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	one.on = do
}

// written are the writes of a replica, of all for nil, oldest first.
func (r *replicas) written(by *replica) (list []write) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, w := range r.writes {
		if by == nil || w.by == by {
			list = append(list, w)
		}
	}
	slices.SortFunc(list, func(a, b write) int { return a.at.Compare(b.at) })
	return list
}

// leader is the one of list that has the lease and writes.
func (r *replicas) leader(t *testing.T, list []*replica) (leader *replica) {
	t.Helper()
	testenv.Eventually(t, 15*time.Second, "one of the replicas leads and writes", func() error {
		identity := holder(t, r.env)
		for _, one := range list {
			if identity != "" && strings.Contains(one.Log(t), `msg="this replica leads" identity=`+identity) && len(r.written(one)) > 0 {
				leader = one
				return nil
			}
		}
		return fmt.Errorf("the lease is held by %q", identity)
	})
	return leader
}

// counter has something written all the time: a Service after the other, each with a note that counts up. Where it stands
// can be read off the document, where it may never go back. One Service that changes all the time would be held back.
type counter struct {
	stop func()
	turn func() int // the last that is known to be made
}

const turnAnnotation = "kubernaut.io/toolset-description"

var turns = regexp.MustCompile(`turn (\d+)`)

func (r *replicas) count(t *testing.T, every time.Duration) *counter {
	t.Helper()
	env := r.env
	env.Namespace(t, restless)
	ctx, cancel := context.WithCancel(t.Context())
	var n atomic.Int64
	done := make(chan struct{})
	services := env.Client.CoreV1().Services(restless)
	name := func(n int64) string { return fmt.Sprintf("counter-%d", n) }
	go func() {
		defer close(done)
		tick := time.NewTicker(every)
		defer tick.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
			}
			next := n.Load() + 1
			service := &corev1.Service{
				ObjectMeta: metav1.ObjectMeta{Name: name(next), Annotations: map[string]string{
					"kubernaut.io/toolset": "enabled", "kubernaut.io/toolset-type": "custom", "kubernaut.io/toolset-health-endpoint": "none",
					turnAnnotation: fmt.Sprintf("turn %d", next),
				}},
				Spec: corev1.ServiceSpec{Ports: []corev1.ServicePort{{Name: "http", Port: 8080}}},
			}
			if _, err := services.Create(ctx, service, metav1.CreateOptions{}); err == nil || apierrors.IsAlreadyExists(err) {
				n.Store(next)
				_ = services.Delete(ctx, name(next-1), metav1.DeleteOptions{}) // or the next time
			}
		}
	}()
	stop := sync.OnceFunc(func() { cancel(); <-done })
	t.Cleanup(stop)
	return &counter{stop: stop, turn: func() int { return int(n.Load()) }}
}

// restless is the namespace of the counter's Services.
const restless = "churn"

// turn is where a ConfigMap stands, -1 if it does not say.
func turn(cm *corev1.ConfigMap) int {
	last := -1
	for _, m := range turns.FindAllStringSubmatch(cm.Data[document], -1) {
		if n, err := strconv.Atoi(m[1]); err == nil {
			last = max(last, n)
		}
	}
	return last
}

// settled waits until the last turn is published: the last Service that there is, as a request that was stopped may have
// arrived.
func (c *counter) settled(t *testing.T, env *testenv.Env) {
	t.Helper()
	c.stop()
	list, err := env.Client.CoreV1().Services(restless).List(t.Context(), metav1.ListOptions{})
	must(t, err)
	last := -1
	for i := range list.Items {
		if n, err := strconv.Atoi(strings.TrimPrefix(list.Items[i].Name, "counter-")); err == nil {
			last = max(last, n)
		}
	}
	testenv.Eventually(t, 20*time.Second, "the last turn is published", func() error {
		if got := turn(env.ConfigMap(t)); got != last {
			return fmt.Errorf("turn %d, want %d", got, last)
		}
		return nil
	})
}

// admin writes what nobody may lose: overrides and a key of his own.
func admin(t *testing.T, env *testenv.Env) map[string]string {
	t.Helper()
	keys := map[string]string{"overrides.yaml": "toolsets:\n  helm/core: {enabled: true} # mine\n", "notes": "not yours"}
	testenv.Retry(t, "the admin's keys", func() error { return edit(env, "admin").patch(t.Context(), object{"data": keys}) })
	return keys
}
