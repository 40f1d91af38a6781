package events

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/lru"
)

// key stands for an Event's object, reason and text.
type key [16]byte

func keyOf(e event) key {
	o := e.regarding
	sum := sha256.Sum256([]byte(strings.Join([]string{o.Kind, o.Namespace, o.Name, string(o.UID), e.reason, e.note}, "\x00")))
	return key(sum[:16])
}

// name of the Event with this key: that of its object, and the key.
func (k key) name(object string) string {
	const longest = 253
	suffix := "." + hex.EncodeToString(k[:])
	object = object[:min(len(object), longest-len(suffix))]
	return strings.TrimRight(object, ".-") + suffix
}

// memory knows the Events told last, by the UID of their object. It is not safe for use side by side.
type memory struct{ objects *lru.Cache }

type told struct {
	count int
	at    time.Time
	over  bool // cleared: to be told anew
}

// perObject is how many Events of one object are remembered; more are forgotten together.
const perObject = 64

func newMemory(objects int) *memory { return &memory{lru.New(objects)} }

func (m *memory) of(uid types.UID) map[key]*told {
	events, _ := m.objects.Get(uid)
	list, _ := events.(map[key]*told)
	return list
}

// tell says how often the Event has been told with this time, or 0 if it is not to be told now.
func (m *memory) tell(k key, e event, now time.Time) int {
	list := m.of(e.regarding.UID)
	t := list[k]
	switch {
	case t == nil:
		if list == nil || len(list) >= perObject {
			list = map[key]*told{}
			m.objects.Add(e.regarding.UID, list)
		}
		list[k] = &told{count: 1, at: now}
		return 1
	case !e.again && !t.over:
		return 0
	}
	t.over = false
	if now.Sub(t.at) < oftenest {
		return 0
	}
	t.at = now
	t.count++
	return t.count
}

// forget drops an Event that was not told after all.
func (m *memory) forget(e entry) { delete(m.of(e.event.regarding.UID), e.key) }

// clear says that what an object was told is over.
func (m *memory) clear(uid types.UID) {
	for _, t := range m.of(uid) {
		t.over = true
	}
}
