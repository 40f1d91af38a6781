package standin_test

import (
	"errors"
	"net"
	"syscall"
	"testing"

	"kubernaut.io/dynamic-toolset/test/standin"
)

// Who connects is refused for as long as a test wants it, whoever else looks for a port meanwhile.
func TestClosed(t *testing.T) {
	t.Attr("req", "DTS-QA-1")
	addr, release, err := standin.Closed("127.0.0.1")
	if err != nil {
		t.Fatal(err)
	}
	defer release()
	if _, err := net.Dial("tcp", addr); !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("who connects gets %v", err)
	}
	if _, err := net.Listen("tcp", addr); !errors.Is(err, syscall.EADDRINUSE) {
		t.Errorf("who wants the port gets %v", err)
	}
}
