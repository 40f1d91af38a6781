package store

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"kubernaut.io/dynamic-toolset/internal/backend"
)

// A Service with many EndpointSlices, which becomes something and nothing again and again, has them
// read a few times, and then as often as its namespace's budget allows. Others wait for none of that.
func TestReadingHasABudget(t *testing.T) {
	t.Attr("req", "DTS-SEC-3")
	synctest.Test(t, func(t *testing.T) {
		w := marked()
		var read []Slice
		for i := range 900 {
			read = append(read, Slice{Name: fmt.Sprintf("a-%04d", i), EndpointSlice: many(backend.MaxSlices / 1500)})
		}
		reads := 0
		for range 10 * 60 * 4 {
			appear(w, ref("a"))
			if next, ok := w.NextMissing(); ok {
				reads++
				w.Fill(next, nil, read)
			}
			time.Sleep(250 * time.Millisecond) //nolint:forbidigo // on the clock of synctest
		}
		if most := (readAtOnce + 10*60*readPerSecond) / 900; reads < most/2 || reads > most+2 {
			t.Errorf("they are read %d times in ten minutes, want about %d", reads, most)
		}
		appear(w, ref("a"))
		other := backend.Ref{Namespace: "other", Name: "b"}
		appear(w, other)
		if next, ok := w.NextMissing(); !ok || next != other {
			t.Errorf("another's waits: %v", next)
		}
		w.Fill(other, nil, nil)
		<-w.Missed()
		if next, ok := w.NextMissing(); ok {
			t.Errorf("%v is read at once", next)
		}
		begun := time.Now()
		<-w.Missed()
		if next, ok := w.NextMissing(); !ok || next != ref("a") || time.Since(begun) > 900/readPerSecond*time.Second {
			t.Errorf("%v is read after %s", next, time.Since(begun))
		}
		w.Unread(ref("a"))
		time.Sleep(time.Minute) //nolint:forbidigo // as above
		third := backend.Ref{Namespace: "third", Name: "c"}
		w.Service(as(ref("a"), ""))
		appear(w, third)
		if next, ok := w.NextMissing(); !ok || next != third || len(w.paid) != 1 {
			t.Errorf("%v is read, %d budgets are kept", next, len(w.paid))
		}
	})
}
