package publish

import (
	"maps"
	"slices"

	corev1 "k8s.io/api/core/v1"

	"kubernaut.io/dynamic-toolset/internal/toolset"
)

// Drift is a generated key or label that another writer changed, removed or added.
type Drift struct {
	Key     string // the key, or "label NAME"
	Manager string // the field managers that own the key now, separated by commas; "" after a removal
}

// Difference is the difference between a ConfigMap and what it should hold.
type Difference struct {
	Changed   []string // generated keys, and labels as "label NAME", that are missing or differ
	Stale     []string // keys with a reserved name that are not generated, also in binaryData
	Drifted   []Drift  // the keys in Changed and Stale that another writer caused
	Held      []string // keys that differ but are named in Desired.Hold
	Immutable bool
	Bytes     int // size of the ConfigMap after the write: data, binaryData, labels and annotations

	absent, restore bool
	binary          []string // the keys in Changed that are in binaryData
	leftovers       bool     // managedFields has an entry of a restorer
	owner           bool     // managedFields has an apply under our field manager
	allHeld         bool     // there is no ConfigMap, and no generated key may be written
}

// none reports whether there is nothing to write.
func (d *Difference) none() bool {
	return !d.absent && !d.restore && len(d.Changed) == 0 && len(d.Stale) == 0 && (!d.leftovers || d.Immutable)
}

// labelPrefix stands before the name of a label in lists of keys.
const labelPrefix = "label "

// Compare returns what Publish would change in live. managedFields show which writer caused a difference. The removal
// of a key, and a write by another process with the same field manager, are recognized only if this Publisher wrote the
// key itself.
func (p *Publisher) Compare(live *corev1.ConfigMap, want Desired) Difference {
	d := Difference{absent: live == nil}
	if live == nil {
		live = &corev1.ConfigMap{}
	}
	_, asText := live.Data[toolset.KeyOverrides]
	_, asBinary := live.BinaryData[toolset.KeyOverrides]
	d.restore = want.Restore != "" && !asText && !asBinary
	d.Immutable = live.Immutable != nil && *live.Immutable
	owners := ownersOf(live)
	d.leftovers, d.owner = owners.restorer, owners.owner

	for _, k := range slices.Sorted(maps.Keys(want.Keys)) {
		text, asText := live.Data[k]
		_, asBinary := live.BinaryData[k]
		if asText && text == want.Keys[k] {
			continue
		}
		_, known := p.known[k]
		s, remembered := inData, known && !p.wrote(k, text)
		if asBinary {
			s, remembered = inBinaryData, known
		}
		drift := owners.drift(s, k, asText || asBinary, remembered)
		if d.add(&d.Changed, want.Hold, drift, k) && asBinary {
			d.binary = append(d.binary, k)
		}
	}
	for _, k := range slices.Sorted(maps.Keys(p.options.Labels)) {
		value, ok := live.Labels[k]
		if ok && value == p.options.Labels[k] {
			continue
		}
		d.add(&d.Changed, want.Hold, owners.drift(inLabels, k, ok, p.known != nil), labelPrefix+k)
	}
	for _, k := range slices.Sorted(maps.Keys(entries(live))) {
		if _, generated := want.Keys[k]; generated || !want.owns(k) {
			continue
		}
		s := inData
		if _, asBinary := live.BinaryData[k]; asBinary {
			s = inBinaryData
		}
		d.add(&d.Stale, want.Hold, owners.drift(s, k, true, false), k)
	}
	d.allHeld = d.absent && !slices.ContainsFunc(d.Changed, func(k string) bool { _, ok := want.Keys[k]; return ok })
	d.Bytes = p.size(live, want, &d)
	return d
}

// wrote reports whether this Publisher wrote the text, or tried to and does not know whether it did.
func (p *Publisher) wrote(key, text string) bool {
	before, known := p.known[key]
	last, tried := p.tried[key]
	return known && before == text || tried && last == text
}

// add adds a difference to the list, or to Held if the key is held. It reports whether the key was added to the list.
func (d *Difference) add(list *[]string, hold []string, drift *Drift, key string) bool {
	if drift != nil {
		drift.Key = key
		d.Drifted = append(d.Drifted, *drift)
	}
	if slices.Contains(hold, key) {
		d.Held = append(d.Held, key)
		return false
	}
	*list = append(*list, key)
	return true
}

// entries returns the keys of data and binaryData with the size of each in bytes.
func entries(cm *corev1.ConfigMap) map[string]int {
	sizes := make(map[string]int, len(cm.Data)+len(cm.BinaryData))
	for k, v := range cm.Data {
		sizes[k] = len(k) + len(v)
	}
	for k, v := range cm.BinaryData {
		sizes[k] = len(k) + len(v)
	}
	return sizes
}

// SizeOf returns the size of keys in a ConfigMap, in bytes.
func SizeOf(texts map[string]string) (n int) {
	for k, v := range texts {
		n += len(k) + len(v)
	}
	return n
}

// Foreign returns the size in bytes of everything in a ConfigMap except the generated keys: the overrides, other keys,
// labels and annotations. live is nil if there is no ConfigMap.
func Foreign(live *corev1.ConfigMap, own []string) int {
	const labelRoom = 1 << 10 // enough for the labels that are written
	if live == nil {
		return labelRoom
	}
	n := labelRoom + SizeOf(live.Labels) + SizeOf(live.Annotations)
	for k, size := range entries(live) {
		if !toolset.OwnedKey(k) && !slices.Contains(own, k) {
			n += size
		}
	}
	return n
}

// size returns the size in bytes of the ConfigMap after d is written.
func (p *Publisher) size(live *corev1.ConfigMap, want Desired, d *Difference) int {
	labels := map[string]string{}
	maps.Copy(labels, live.Labels)
	maps.Copy(labels, p.options.Labels)
	n := SizeOf(live.Annotations) + SizeOf(labels)
	for k, size := range entries(live) {
		if !slices.Contains(d.Stale, k) && !slices.Contains(d.Changed, k) {
			n += size
		}
	}
	for _, k := range d.Changed {
		if text, ok := want.Keys[k]; ok {
			n += len(k) + len(text)
		}
	}
	if d.restore {
		n += len(toolset.KeyOverrides) + len(want.Restore)
	}
	return n
}
