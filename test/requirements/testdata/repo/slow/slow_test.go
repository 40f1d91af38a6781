// Some words first.

//go:build integration && !windows

package slow

import "testing"

func TestSlow(t *testing.T) {
	t.Run("part", func(t *testing.T) { t.Attr("req", "DTS-B-1") })
}
