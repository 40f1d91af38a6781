package pure

import "testing"

func TestOne(t *testing.T) {
	t.Attr("req", "DTS-A-1 DTS-A-2")
	t.Attr("owner", "nobody")
}

func TestParts(t *testing.T) {
	for _, id := range []string{"DTS-A-1", "DTS-A-2"} {
		t.Attr("req", id)
	}
}

func TestWithout(t *testing.T) {}
