//go:build integration

package testenv

import (
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// ownNetworkVariable tells a test that it runs in a network of its own.
const ownNetworkVariable = "DYNAMIC_TOOLSET_TEST_NETWORK"

// OwnNetwork runs the calling test in a process with a network of its own, where the loopback interface has the addresses
// beside 127.0.0.0/8: EndpointSlices may hold those. It reports whether this is that process; where it is not, the test has
// run already and returns. It is skipped where the machine does not let processes have networks of their own.
func OwnNetwork(t *testing.T, addresses ...string) bool {
	t.Helper()
	if os.Getenv(ownNetworkVariable) != "" {
		if err := loopback(addresses); err != nil {
			t.Fatalf("setting up a network: %v", err)
		}
		return true
	}
	binary, assets := Binary(t), Assets(t) // building may need the network
	self, err := os.Executable()
	must(t, err)
	cmd := exec.CommandContext(t.Context(), self, "-test.run=^"+t.Name()+"$", "-test.v")
	cmd.Env = append(os.Environ(), ownNetworkVariable+"=1", binaryVariable+"="+binary, "KUBEBUILDER_ASSETS="+assets)
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNET, Pdeathsig: syscall.SIGKILL}
	if uid := os.Getuid(); uid != 0 { // as root of a user namespace
		cmd.SysProcAttr.Cloneflags |= syscall.CLONE_NEWUSER
		cmd.SysProcAttr.UidMappings = []syscall.SysProcIDMap{{HostID: uid, Size: 1}}
		cmd.SysProcAttr.GidMappings = []syscall.SysProcIDMap{{HostID: os.Getgid(), Size: 1}}
	}
	out, err := cmd.CombinedOutput()
	switch {
	case errors.Is(err, os.ErrPermission), errors.Is(err, syscall.ENOSPC): // the latter: no user namespaces are left
		t.Skipf("needs a network namespace: %v", err)
	case err != nil:
		t.Errorf("in a network of its own: %v\n%s", err, out)
	default:
		t.Logf("in a network of its own:\n%s", out)
	}
	return false
}

// loopback brings lo up and gives it the addresses.
func loopback(addresses []string) error {
	socket, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer func() { _ = unix.Close(socket) }()
	up, err := unix.NewIfreq("lo")
	if err != nil {
		return err
	}
	up.SetUint16(unix.IFF_UP)
	if err := unix.IoctlIfreq(socket, unix.SIOCSIFFLAGS, up); err != nil {
		return fmt.Errorf("lo up: %w", err)
	}
	for i, a := range addresses {
		label, err := unix.NewIfreq(fmt.Sprintf("lo:%d", i+1))
		if err != nil {
			return err
		}
		if err := label.SetInet4Addr(net.ParseIP(a).To4()); err != nil {
			return fmt.Errorf("address %s: %w", a, err)
		}
		if err := unix.IoctlIfreq(socket, unix.SIOCSIFADDR, label); err != nil {
			return fmt.Errorf("address %s: %w", a, err)
		}
	}
	return nil
}
