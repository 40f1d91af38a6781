//go:build integration && day

package day

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"kubernaut.io/dynamic-toolset/test/integration/testenv"
)

// adminEdits makes one edit, of the ConfigMap and of the sidecar's file alike.
func (d *day) adminEdits(ctx context.Context, rng *rand.Rand) error {
	b := d.ofTeams[teams[0]][1+rng.IntN(2)]
	hidden := fmt.Sprintf("instances: {%s: {%s/%s: null}}\n", b.name, b.namespace, b.name) // it is called as its type
	note := fmt.Sprintf("toolsets:\n  kubernetes/logs: {enabled: true, description: edit %d} # mine\n", rng.IntN(1000))
	n := d.tried.Add(1)
	d.changes.Add(1)
	switch n % 4 {
	case 1:
		return d.override(ctx, note)
	case 2:
		b.mu.Lock()
		defer b.mu.Unlock()
		d.ledger.note(entry{host: b.host(), why: "the admin hides it", admin: true})
		err := d.override(ctx, hidden)
		time.Sleep(d.scaled(20*time.Second, 6*time.Second))
		// Invalid: the last good one stays in force.
		err = errors.Join(err, d.override(ctx, note+"  helm/core: {enabled: [\n"))
		time.Sleep(d.scaled(10*time.Second, 2*time.Second))
		err = errors.Join(err, d.override(ctx, note))
		d.ledger.isUp(b.host(), "the admin hides it no more")
		return err
	case 3:
		err := d.override(ctx, "toolsets: {prometheus/metrics: {config: {prometheus_url: {{}\n")
		time.Sleep(d.scaled(10*time.Second, 2*time.Second))
		return errors.Join(err, d.override(ctx, note))
	}
	return d.insist(ctx, "deleting the ConfigMap", func(ctx context.Context) error {
		maps := d.env.Client.CoreV1().ConfigMaps(testenv.OutputNamespace)
		return gone(maps.Delete(ctx, testenv.ConfigMapName, metav1.DeleteOptions{}))
	})
}

func (d *day) override(ctx context.Context, text string) error {
	patch, err := json.Marshal(map[string]any{"data": map[string]string{"overrides.yaml": text}})
	if err != nil {
		return err
	}
	err = replace(d.overrides, []byte(text))
	return errors.Join(err, d.insist(ctx, "editing the overrides", func(ctx context.Context) error {
		_, err := d.env.Client.CoreV1().ConfigMaps(testenv.OutputNamespace).Patch(ctx, testenv.ConfigMapName,
			types.MergePatchType, patch, metav1.PatchOptions{FieldManager: "admin"})
		return err // it may be deleted, and is back soon
	}))
}

// leaderKilled kills the replica that leads, or any where none does, as without an API server.
func (d *day) leaderKilled(ctx context.Context, rng *rand.Rand) error {
	d.killing.Lock()
	defer d.killing.Unlock()
	list := slices.DeleteFunc(d.running(), func(r *replica) bool { return r.place == "sidecar" })
	victim := list[rng.IntN(len(list))]
	for _, r := range list {
		if r.leads() {
			victim = r
		}
	}
	victim.look()
	d.ledger.kill()
	d.mu.Lock()
	d.replicas = slices.DeleteFunc(d.replicas, func(r *replica) bool { return r == victim })
	d.past = append(d.past, victim)
	d.mu.Unlock()
	victim.Kill(d.t)
	time.Sleep(time.Second + time.Duration(rng.Int64N(int64(time.Second))))
	return d.startReplica(d.t, victim.place)
}

// apiServerRestarts stops or kills it, and starts it again.
func (d *day) apiServerRestarts(_ context.Context, rng *rand.Rand) error {
	return d.without(0, rng)
}

func (d *day) apiServerAway(_ context.Context, rng *rand.Rand) error {
	return d.without(d.awayFor(), rng)
}

func (d *day) awayFor() time.Duration { return d.length / 10 }

func (d *day) without(away time.Duration, rng *rand.Rand) error {
	d.control.Lock()
	defer d.control.Unlock()
	from := time.Now()
	if rng.IntN(2) == 0 {
		d.env.APIServer.Stop(d.t)
	} else {
		d.env.APIServer.Kill(d.t)
	}
	time.Sleep(away)
	d.env.APIServer.Start(d.t)
	d.ledger.absent(window{from, time.Now()})
	return nil
}

func (d *day) agentRestarts(ctx context.Context, _ *rand.Rand) error {
	from := time.Now()
	d.agent.kill()
	err := d.agent.start(ctx)
	d.agent.note(func() { d.agent.away = append(d.agent.away, window{from, time.Now()}) })
	return err
}

// backendCertificate renews it, and nobody may notice.
func (d *day) backendCertificate(ctx context.Context, _ *rand.Rand) error {
	if d.renewed.Add(1)%2 == 1 {
		if err := d.certs.newAuthority(); err != nil {
			return err
		}
		time.Sleep(d.scaled(30*time.Second, 6*time.Second)) // the file is everywhere before anything relies on it
	}
	i := slices.IndexFunc(d.permanent, func(b *backend) bool { return b.name == "metrics-tls" })
	b := d.permanent[i]
	b.mu.Lock()
	defer b.mu.Unlock()
	if err := errors.Join(d.certs.sign("backend", b.host()), d.products.renew()); err != nil {
		return err
	}
	address := b.service.Spec.ClusterIP + ":443"
	return d.eventually(ctx, 10*time.Second, func() error { return d.certs.serves("backend", b.host(), address) })
}

// ownCertificate renews what the replicas serve with, which they notice by themselves.
func (d *day) ownCertificate(ctx context.Context, _ *rand.Rand) error {
	d.killing.Lock()
	defer d.killing.Unlock()
	if err := d.certs.sign("own", "localhost"); err != nil {
		return err
	}
	for _, r := range d.running() {
		if !r.tls {
			continue
		}
		serves := func() error { return d.certs.serves("own", "localhost", r.api) }
		if err := d.eventually(ctx, time.Minute, serves); err != nil {
			return err
		}
	}
	return nil
}

// inParallel does n things, sixteen at a time.
func (d *day) inParallel(n int, do func(i int) error) error {
	next, errs := make(chan int), make(chan error, n)
	var workers sync.WaitGroup
	for range 16 {
		workers.Go(func() {
			for i := range next {
				errs <- do(i)
			}
		})
	}
	for i := range n {
		next <- i
	}
	close(next)
	workers.Wait()
	close(errs)
	var all error
	for err := range errs {
		if all == nil {
			all = err // the others say the same
		}
	}
	return all
}

func there(err error) error {
	if apierrors.IsAlreadyExists(err) {
		return nil
	}
	return err
}
