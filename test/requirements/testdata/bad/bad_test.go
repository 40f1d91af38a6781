package bad

import "testing"

func TestBad(t *testing.T) {
	id := "DTS-A-" + "1"
	t.Attr("req", id)
}
