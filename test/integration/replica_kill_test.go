//go:build integration

package integration

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"sync"
	"syscall"
	"testing"
	"time"

	"kubernaut.io/dynamic-toolset/test/integration/testenv"
)

// The leader is killed in the middle of writing, twenty times: before its write has gone on to the API server, while it
// does, or just after. Two replicas, then three. The next one takes over, nothing is lost and nothing is written by two.
func TestReplicasLeaderKilled(t *testing.T) {
	t.Attr("req", "DTS-RUN-2 DTS-RUN-3 DTS-OUT-7 DTS-OUT-10")
	const rounds = 20
	env := testenv.Shared(t)
	all := newReplicas(t, env)
	var urls []string
	for i := range 5 {
		urls = append(urls, env.Create(t, prometheusIn("monitoring", fmt.Sprintf("prometheus-%d", i))).URL())
	}
	record := env.Record(t)
	list := []*replica{all.add(t), all.add(t)}
	published(t, env, "all is published", urls...)
	counter := all.count(t, 50*time.Millisecond)
	keys := admin(t, env)
	published(t, env, "the overrides are in force", append(urls, "helm/core:", "turn ")...)
	from := record.Len()

	for round := range rounds {
		if round == rounds/2 {
			list = append(list, all.add(t))
		}
		leader := all.leader(t, list)
		list = slices.DeleteFunc(list, func(one *replica) bool { return one == leader })
		for _, follower := range list {
			follower.answers(t, 10*time.Second, "/readyz", http.StatusOK)
		}
		old := holder(t, env)
		killed := killWhenWriting(all, leader, round)
		select {
		case <-leader.Done():
		case <-time.After(20 * time.Second):
			t.Fatalf("%s leads and does not write", leader.name)
		}
		at := <-killed
		leads(t, env, 10*time.Second, old)
		next := all.leader(t, list)
		testenv.Eventually(t, 20*time.Second, "the next leader writes", func() error {
			if writes := all.written(next); !slices.ContainsFunc(writes, func(w write) bool { return w.at.After(at) }) {
				return fmt.Errorf("%d writes", len(writes))
			}
			return nil
		})
		list = append(list, all.add(t))
	}
	counter.settled(t, env)
	t.Logf("%d turns, %d writes, %d changes of the ConfigMap", counter.turn(), len(all.written(nil)), record.Len())
	all.check(t, record, from, keys, urls...)
	all.elected(t)
}

// killWhenWriting kills a replica at its next write, and tells when.
func killWhenWriting(all *replicas, leader *replica, round int) <-chan time.Time {
	killed := make(chan time.Time, 1)
	kill := func() {
		at := time.Now()
		_ = syscall.Kill(leader.PID(), syscall.SIGKILL)
		killed <- at
	}
	var once sync.Once
	all.whenWriting(leader, func(write) {
		once.Do(func() {
			switch round % 3 {
			case 0: // before it goes on
				kill()
				<-leader.Done()
			case 1: // while it does
				go kill()
			case 2: // about when it is answered
				time.AfterFunc(rand.N(8*time.Millisecond), kill)
			}
		})
	})
	return killed
}

// A leader that was paused for longer than its lease, in the middle of a write that arrives when another leads, does not
// write over its successor.
func TestReplicasLeaderPaused(t *testing.T) {
	t.Attr("req", "DTS-RUN-2")
	env := testenv.Shared(t)
	all := newReplicas(t, env)
	url := env.Create(t, prometheusIn("monitoring", "prometheus")).URL()
	record := env.Record(t)
	list := []*replica{all.add(t), all.add(t)}
	published(t, env, "all is published", url)
	counter := all.count(t, 50*time.Millisecond)
	keys := admin(t, env)
	published(t, env, "the overrides are in force", url, "helm/core:", "turn ")
	from := record.Len()

	for range 3 {
		leader := all.leader(t, list)
		old := holder(t, env)
		held, release := make(chan struct{}), make(chan struct{})
		var once sync.Once
		all.whenWriting(leader, func(write) {
			once.Do(func() {
				_ = syscall.Kill(leader.PID(), syscall.SIGSTOP)
				close(held)
				<-release // the write is on its way for as long as that
			})
		})
		<-held
		leads(t, env, 10*time.Second, old)
		next := all.leader(t, slices.DeleteFunc(slices.Clone(list), func(one *replica) bool { return one == leader }))
		since := time.Now()
		testenv.Eventually(t, 20*time.Second, "the next leader writes", func() error {
			if writes := all.written(next); !writes[len(writes)-1].at.After(since) {
				return fmt.Errorf("%d writes", len(writes))
			}
			return nil
		})
		resumed := time.Now()
		leader.Signal(t, syscall.SIGCONT)
		close(release)
		leader.answers(t, 20*time.Second, "/readyz", http.StatusOK)
		testenv.Consistently(t, 2*time.Second, "the one that was paused does not write", func() error {
			if writes := all.written(leader); writes[len(writes)-1].at.After(resumed) {
				return fmt.Errorf("it wrote %s after it went on", writes[len(writes)-1].at.Sub(resumed))
			}
			return nil
		})
	}
	counter.settled(t, env)
	all.check(t, record, from, keys, url)
	all.elected(t)
}
