package view

import (
	"strings"
	"testing"

	"kubernaut.io/dynamic-toolset/internal/backend"
)

// What is wrong with a body is said once, although it is also why the body does not meet a check.
func TestFlawIsSaidOnce(t *testing.T) {
	t.Attr("req", "DTS-CLI-4")
	for flaw, text := range flaws {
		for _, redirect := range []string{"", "http://web.shop/"} { // a redirect's body is told of only if a check needs it
			a := &backend.Answer{Status: 200, Path: "/x", Flaw: flaw, Redirect: redirect, Lack: backend.Lack{Part: backend.LackBody}}
			if got := checked(a); strings.Count(got, text) != 1 {
				t.Errorf("%s: %s", flaw, got)
			}
		}
	}
}
