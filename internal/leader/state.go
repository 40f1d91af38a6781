package leader

import (
	"context"
	"errors"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"kubernaut.io/dynamic-toolset/internal/rights"
)

// renewed: the lease is this replica's, as of a request that was sent at start.
func (e *Elector) renewed(start time.Time) {
	e.mu.Lock()
	defer e.mu.Unlock()
	until := start.Add(e.options.RenewDeadline)
	left := time.Until(until)
	if e.stopped || left <= 0 {
		return
	}
	e.until, e.holder = until, e.options.Identity
	if e.expiry == nil {
		e.expiry = time.AfterFunc(left, e.expire)
	} else {
		e.expiry.Reset(left)
	}
	if !e.leading {
		e.leading = true
		e.options.Log.Info("this replica leads", "identity", e.options.Identity)
		e.tell()
	}
}

// expire ends leading by the clock.
func (e *Elector) expire() {
	e.mu.Lock()
	defer e.mu.Unlock()
	if !time.Now().Before(e.until) {
		e.end("the lease was not renewed in time")
	}
}

// lost ends leading, with the reason.
func (e *Elector) lost(reason string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.end(reason)
}

// stop ends leading for good.
func (e *Elector) stop() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.stopped = true
	if e.expiry != nil {
		e.expiry.Stop()
	}
	e.end("the process stops")
}

func (e *Elector) end(reason string) {
	if !e.leading {
		return
	}
	e.leading = false
	if e.options.Enabled { // else nobody was told that it leads
		e.options.Log.Info("this replica no longer leads", "reason", reason)
	}
	e.tell()
}

// saw: the lease was read, and is held by holder.
func (e *Elector) saw(holder string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if holder != e.options.Identity {
		e.end("another replica has the lease")
	}
	if holder == e.holder {
		return
	}
	e.holder = holder
	if holder != "" && holder != e.options.Identity {
		e.options.Log.Info("another replica leads", "identity", holder)
	}
	e.tell()
}

// reached notes what came of a request: whether the lease can be reached is logged once per change. Losing a race for it,
// or its not being there, is nothing to tell, and a request that this replica itself gave up tells nothing.
func (e *Elector) reached(err error) {
	if errors.Is(err, context.Canceled) {
		return
	}
	if apierrors.IsConflict(err) || apierrors.IsNotFound(err) || apierrors.IsAlreadyExists(err) {
		err = nil
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if (err != nil) == e.failing || e.stopped {
		return
	}
	e.failing = err != nil
	lease := e.options.Namespace + "/" + e.options.Name
	if e.failing {
		e.options.Log.Warn("the lease cannot be reached; trying again until it can", "lease", lease, "err", rights.Explain(err))
		return
	}
	e.options.Log.Info("the lease can be reached again", "lease", lease)
}

func (e *Elector) tell() {
	select {
	case e.changed <- struct{}{}:
	default:
	}
}
