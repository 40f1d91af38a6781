package standin

import (
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"syscall"
)

// Closed returns an address with that IPv4 address of loopback on which nobody listens: who connects is refused. Its port
// is bound until release, because one that was only freed may be another's by then.
func Closed(ip string) (addr string, release func(), err error) {
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM, 0)
	if err != nil {
		return "", nil, fmt.Errorf("a port that refuses: %w", err)
	}
	syscall.CloseOnExec(fd)
	release = func() { _ = syscall.Close(fd) } // nothing was sent
	if err := syscall.Bind(fd, &syscall.SockaddrInet4{Addr: netip.MustParseAddr(ip).As4()}); err != nil {
		release()
		return "", nil, fmt.Errorf("a port that refuses: %w", err)
	}
	bound, err := syscall.Getsockname(fd)
	if err != nil {
		release()
		return "", nil, fmt.Errorf("a port that refuses: %w", err)
	}
	return net.JoinHostPort(ip, strconv.Itoa(bound.(*syscall.SockaddrInet4).Port)), release, nil
}
