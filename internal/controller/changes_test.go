package controller

import "testing"

func TestChanges(t *testing.T) {
	t.Attr("req", "DTS-UI-1")
	var l Changes
	if got := l.Since(0); len(got) != 0 {
		t.Errorf("an empty log has %d changes", len(got))
	}
	for range keptChanges + 3 {
		l.Add(Change{Kind: ChangePublished})
	}
	all := l.Since(0)
	if len(all) != keptChanges || all[0].Seq != 4 || all[len(all)-1].Seq != keptChanges+3 || all[0].At.IsZero() {
		t.Errorf("%d changes, from %d to %d, want the last %d", len(all), all[0].Seq, all[len(all)-1].Seq, keptChanges)
	}
	if got := l.Since(keptChanges + 1); len(got) != 2 || got[0].Seq != keptChanges+2 {
		t.Errorf("since %d: %v, want the last two", keptChanges+1, got)
	}
	if got := l.Since(keptChanges + 100); len(got) != 0 {
		t.Errorf("since a number that was never given: %v", got)
	}
}
