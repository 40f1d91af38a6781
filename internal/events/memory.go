package events

import (
	"container/list"
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/types"
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

// memory knows the Events told last. It is not safe for use side by side.
type memory struct {
	limit int
	order *list.List // of *told, the latest first
	byKey map[key]*list.Element
	byUID map[types.UID]int // how many there are
}

type told struct {
	key   key
	uid   types.UID
	count int
	at    time.Time
	over  bool // cleared: to be told anew
}

func newMemory(limit int) *memory {
	return &memory{limit: limit, order: list.New(), byKey: map[key]*list.Element{}, byUID: map[types.UID]int{}}
}

// tell says how often the Event has been told with this time, or 0 if it is not to be told now.
func (m *memory) tell(k key, e event, now time.Time) int {
	el, ok := m.byKey[k]
	if !ok {
		m.byKey[k] = m.order.PushFront(&told{key: k, uid: e.regarding.UID, count: 1, at: now})
		m.byUID[e.regarding.UID]++
		if m.order.Len() > m.limit {
			m.remove(m.order.Back())
		}
		return 1
	}
	m.order.MoveToFront(el)
	t := el.Value.(*told)
	if !e.again && !t.over {
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
func (m *memory) forget(k key) {
	if el, ok := m.byKey[k]; ok {
		m.remove(el)
	}
}

// clear says that what an object was told is over.
func (m *memory) clear(uid types.UID) {
	if m.byUID[uid] == 0 {
		return
	}
	for el := m.order.Front(); el != nil; el = el.Next() {
		if t := el.Value.(*told); t.uid == uid {
			t.over = true
		}
	}
}

func (m *memory) remove(el *list.Element) {
	t := el.Value.(*told)
	m.order.Remove(el)
	delete(m.byKey, t.key)
	if m.byUID[t.uid]--; m.byUID[t.uid] == 0 {
		delete(m.byUID, t.uid)
	}
}
