//go:build integration && day

package day

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"kubernaut.io/dynamic-toolset/test/standin"
)

// any is one of the backends that are there now, held for what is to happen to it: the caller unlocks it. Those of a
// namespace that is deleted just now are passed over.
func (d *day) any(rng *rand.Rand, suits func(*backend) bool) *backend {
	list := append([]*backend{}, d.permanent...)
	for _, team := range teams {
		list = append(list, d.ofTeams[team]...)
	}
	rng.Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
	for {
		for _, b := range list {
			if !suits(b) || !b.mu.TryLock() {
				continue
			}
			if b.service != nil {
				return b
			}
			b.mu.Unlock()
		}
		time.Sleep(100 * time.Millisecond)
	}
}

func all(*backend) bool { return true }

// ordinary are the backends that may be taken away: not the oldest ones of their types, whose place as the primary a
// fresh start would not know of.
func ordinary(b *backend) bool { return len(b.namespace) > 5 && b.namespace[:5] == "team-" }

func (d *day) rollingRestart(ctx context.Context, rng *rand.Rand) error {
	b := d.any(rng, all)
	defer b.mu.Unlock()
	d.changes.Add(2)
	return d.roll(ctx, b)
}

// chartUpgrade has Service and slice change one after the other, as Helm and the controllers do.
func (d *day) chartUpgrade(ctx context.Context, rng *rand.Rand) error {
	b := d.any(rng, func(b *backend) bool { return len(b.releases) > 1 })
	defer b.mu.Unlock()
	b.version = (b.version + 1) % len(b.releases)
	r := b.release()
	err := d.change(ctx, b, func(s *corev1.Service) {
		s.Labels, s.Spec.Ports = r.labels, []corev1.ServicePort{r.servicePort()}
	})
	if err != nil {
		return err
	}
	time.Sleep(time.Duration(rng.Int64N(int64(500 * time.Millisecond)))) // until the controller has seen it
	d.changes.Add(4)
	return errors.Join(d.writeSlice(ctx, b), d.roll(ctx, b))
}

func (d *day) namespaceAgain(ctx context.Context, rng *rand.Rand) error {
	team := teams[rng.IntN(len(teams))]
	list := d.ofTeams[team]
	for _, b := range list {
		b.mu.Lock()
		defer b.mu.Unlock()
	}
	for _, b := range list {
		d.ledger.mayGo(b.host(), "its namespace is deleted")
	}
	err := d.insist(ctx, "deleting namespace "+team, func(ctx context.Context) error {
		return gone(d.env.Client.CoreV1().Namespaces().Delete(ctx, team, metav1.DeleteOptions{}))
	})
	for _, b := range list { // what the namespace controller does
		err = errors.Join(err, d.remove(ctx, b, "its namespace is deleted"))
	}
	err = errors.Join(err, d.insist(ctx, "finalizing namespace "+team, func(ctx context.Context) error {
		ns, err := d.env.Client.CoreV1().Namespaces().Get(ctx, team, metav1.GetOptions{})
		if err != nil {
			return gone(err)
		}
		ns.Spec.Finalizers = nil
		_, err = d.env.Client.CoreV1().Namespaces().Finalize(ctx, ns, metav1.UpdateOptions{})
		return gone(err)
	}))
	time.Sleep(time.Duration(rng.Int64N(int64(d.scaled(40*time.Second, 8*time.Second)))))
	err = errors.Join(err, d.namespace(ctx, team))
	for _, b := range list {
		_, made := d.create(ctx, b)
		err = errors.Join(err, made)
	}
	d.changes.Add(int64(2 * len(list)))
	return err
}

// install makes a backend, which stays for a while.
func (d *day) install(ctx context.Context, rng *rand.Rand) error {
	b := newcomer(int(d.newest.Add(1)))
	if err := d.namespace(ctx, b.namespace); err != nil {
		return err
	}
	ready, err := d.create(ctx, b)
	if err != nil {
		return err
	}
	d.mu.Lock()
	d.installs = append(d.installs, installed{b.host(), ready})
	d.mu.Unlock()
	d.changes.Add(2)
	longer := time.Duration(rng.Int64N(int64(d.scaled(30*time.Second, time.Second))))
	time.Sleep(d.scaled(30*time.Second, 10*time.Second) + longer)
	return d.remove(ctx, b, "it is removed again")
}

// outage has the pod crash, which its endpoint does not show: the threshold decides.
func (d *day) outage(ctx context.Context, rng *rand.Rand) error {
	b := d.any(rng, ordinary)
	defer b.mu.Unlock()
	d.ledger.mayGo(b.host(), "it is down")
	b.proxy.ready.Store(nil)
	select {
	case <-ctx.Done():
	case <-time.After(30 * time.Second): // three checks, each with its tries
	}
	b.proxy.ready.Store(&b.pods[0].address)
	d.ledger.isUp(b.host(), "it is back")
	d.changes.Add(2)
	return nil
}

func (d *day) optOut(ctx context.Context, rng *rand.Rand) error {
	b := d.any(rng, func(b *backend) bool { return ordinary(b) && b.annotations == nil })
	defer b.mu.Unlock()
	d.ledger.mayGo(b.host(), "its owner takes it out")
	err := d.change(ctx, b, func(s *corev1.Service) { s.Annotations = map[string]string{"kubernaut.io/toolset": "false"} })
	time.Sleep(d.scaled(20*time.Second, 5*time.Second))
	err = errors.Join(err, d.change(ctx, b, func(s *corev1.Service) { s.Annotations = nil }))
	d.ledger.isUp(b.host(), "its owner takes it in again")
	d.changes.Add(2)
	return err
}

// flood makes Services that look like a Prometheus. Behind a few of them there is one.
func (d *day) flood(ctx context.Context, rng *rand.Rand) error {
	const owner, answering = "flood", 12
	services := max(1000, int(4000*d.scale))
	if err := d.namespace(ctx, owner); err != nil {
		return err
	}
	var live []*backend
	for i := range answering {
		b := chart(owner, fmt.Sprintf("live-%d", i), prometheus, 9090, 9090, standIn(standin.Prometheus))
		if _, err := d.create(ctx, b); err != nil {
			return err
		}
		live = append(live, b)
	}
	dead := func(i int) string { return fmt.Sprintf("dead-%05d", i) }
	err := d.inParallel(services, func(i int) error {
		b := &backend{namespace: owner, name: dead(i), releases: []release{{prometheus.helm(), "http", 9090}}}
		b.pods = []*pod{{ip: fmt.Sprintf("198.19.%d.%d", i>>8, i&255)}}
		s := &corev1.Service{
			ObjectMeta: metav1.ObjectMeta{Name: b.name, Labels: b.release().labels},
			Spec:       corev1.ServiceSpec{Ports: []corev1.ServicePort{b.release().servicePort()}},
		}
		err := d.insist(ctx, "flooding", func(ctx context.Context) error {
			_, err := d.env.Client.CoreV1().Services(owner).Create(ctx, s, metav1.CreateOptions{})
			return there(err)
		})
		return errors.Join(err, d.writeSlice(ctx, b))
	})
	d.changes.Add(int64(services))
	time.Sleep(d.scaled(time.Minute, 5*time.Second) + time.Duration(rng.IntN(1000))*time.Millisecond)
	for _, b := range live {
		err = errors.Join(err, d.remove(ctx, b, "the flood ends"))
	}
	return errors.Join(err, d.inParallel(services, func(i int) error {
		return errors.Join(
			d.insist(ctx, "ending the flood", func(ctx context.Context) error {
				return gone(d.env.Client.CoreV1().Services(owner).Delete(ctx, dead(i), metav1.DeleteOptions{}))
			}),
			d.insist(ctx, "ending the flood", func(ctx context.Context) error {
				return gone(d.env.Client.DiscoveryV1().EndpointSlices(owner).Delete(ctx, dead(i)+"-x7k2p", metav1.DeleteOptions{}))
			}),
		)
	}))
}
