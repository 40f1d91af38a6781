package controller

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"kubernaut.io/dynamic-toolset/internal/publish"
	"kubernaut.io/dynamic-toolset/internal/view"
)

// reportWrite reports the result of an attempt to write.
func (r *Report) reportWrite(w *Write, err error) {
	if w.Bytes > 0 && r.large.Changed(w.Large()) && w.Large() { // 0 means that it failed before the size was known
		r.Events.ConfigMap(true, "ConfigMapLarge",
			fmt.Sprintf("the ConfigMap has %d KiB; at most 900 KiB are written", w.Bytes>>10))
	}
	if w.Written {
		list := func(keys []string) []string { return append([]string{}, keys...) } // so that JSON has [], not null
		r.Log.Info("ConfigMap published", "changed", list(w.Changed), "removed", list(w.Removed),
			"repaired", len(w.Drifted), "bytes", w.Bytes)
		if keys := fresh(&w.Result); len(keys) > 0 {
			r.note(ChangePublished, "%s", strings.Join(keys, ", "))
		}
	}
	r.reportRepairs(&w.Result)
	for _, d := range w.Limited {
		by := ""
		if d.Manager != "" {
			by = " by " + d.Manager
		}
		r.Events.ConfigMap(true, "RepairedTooOften",
			fmt.Sprintf("%s is changed again and again%s: from now on it is repaired only every resync", d.Key, by))
	}
	if w.Restored {
		r.Events.ConfigMap(false, "OverridesRestored",
			"the ConfigMap was deleted and is restored with its overrides")
	}
	r.reportFailure(err)
}

// reportFailure reports each kind of failure once, and when it is over.
func (r *Report) reportFailure(err error) {
	if errors.Is(err, publish.ErrSuperseded) {
		r.Log.Info("ConfigMap written by another replica", "err", err)
		return
	}
	switch text := textOf(err); {
	case !r.failing.Changed(text):
	case err == nil:
		r.Log.Info("ConfigMap published again")
		r.note(ChangeRecovered, "publishing works again")
		r.Events.ConfigMap(false, "PublishWorks", "publishing works again")
	default:
		r.Log.Error("ConfigMap not published", "err", err)
		r.note(ChangeFailed, "the last published document stays: %s", text)
		r.Events.ConfigMap(true, "PublishFailed", text)
	}
}

// reportRepairs reports the keys that were repaired after another writer had changed them.
func (r *Report) reportRepairs(res *publish.Result) {
	if res.Created && len(res.Drifted) > 0 {
		r.Log.Info("deleted ConfigMap restored", "keys", len(res.Changed))
		r.note(ChangeRepaired, "the whole ConfigMap, which was deleted")
		return
	}
	for _, d := range res.Drifted {
		if d.Manager == "" {
			r.Log.Info("removed key restored", "key", d.Key)
			r.note(ChangeRepaired, "%s, which was removed", d.Key)
			continue
		}
		r.Log.Info("changed key repaired", "key", d.Key, "manager", d.Manager)
		r.note(ChangeRepaired, "%s, which was changed by %s", d.Key, d.Manager)
	}
}

// fresh returns the keys that were written or removed, without the repaired ones.
func fresh(res *publish.Result) []string {
	return slices.DeleteFunc(slices.Concat(res.Changed, res.Removed), func(k string) bool {
		return slices.ContainsFunc(res.Drifted, func(d publish.Drift) bool { return d.Key == k })
	})
}

// reportReferences reports changes in which Service gets a variable.
func (r *Report) reportReferences(moves []ReferenceMove) {
	for _, m := range moves {
		text := fmt.Sprintf("variable %s of toolset %s is used for %s", m.Variable, m.Toolset, m.To)
		switch {
		case m.To == "":
			text = fmt.Sprintf("variable %s of toolset %s is no longer used for %s", m.Variable, m.Toolset, m.From)
		case m.From != "":
			text += " and no longer for " + m.From
		}
		r.Log.Info("credential reference changed",
			"variable", m.Variable, "toolset", m.Toolset, "from", m.From, "to", m.To)
		r.note(ChangeReferences, "%s", text)
		if m.From == "" {
			r.Events.ConfigMap(false, "CredentialGiven", text)
		} else {
			r.Events.ConfigMap(true, "CredentialWithdrawn", text)
		}
	}
}

// reportTaken reports the keys of output.keys that are not written because another writer has written these keys.
func (r *Report) reportTaken(s *Snapshot) {
	names := strings.Join(s.Taken, ", ")
	switch {
	case !s.Leading || !r.taken.Changed(names):
	case names == "":
		r.Log.Info("keys of output.keys written again")
	default:
		r.Log.Warn("keys of output.keys not written", "keys", names)
		r.Events.ConfigMap(true, "KeyTaken", view.TakenLine(s.Taken))
	}
}
