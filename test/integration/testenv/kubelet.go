//go:build integration

package testenv

import (
	"context"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// nodeName is where the pods of BehindProxy are. There is no such node without Kubelet.
const nodeName = "node"

// Kubelet makes the node, with what forwards ports of its pods (test/kubelet) at the address. The pods are given as
// NAMESPACE/NAME=ADDRESS.
func (e *Env) Kubelet(t testing.TB, address string, pods ...string) {
	t.Helper()
	nodes, ctx := e.Client.CoreV1().Nodes(), t.Context()
	node, err := nodes.Create(ctx, &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: nodeName}}, metav1.CreateOptions{})
	if err != nil {
		t.Fatalf("making a node: %v", err)
	}
	node.Status.Addresses = []corev1.NodeAddress{{Type: corev1.NodeInternalIP, Address: address}}
	node.Status.DaemonEndpoints.KubeletEndpoint.Port = 10250
	if _, err := nodes.UpdateStatus(ctx, node, metav1.UpdateOptions{}); err != nil {
		t.Fatalf("the node's address: %v", err)
	}
	cmd := exec.CommandContext(ctx, KubeletBinary(t), append([]string{address}, pods...)...) //nolint:gosec // of this repository
	in, err := cmd.StdinPipe()
	must(t, err)
	log, err := os.Create(filepath.Join(e.dir, "kubelet.log"))
	must(t, err)
	cmd.Stdout, cmd.Stderr = log, log
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := cmd.Start(); err != nil {
		t.Fatalf("%s: %v", cmd, err)
	}
	t.Cleanup(func() {
		_ = in.(io.Closer).Close() // which ends it
		_ = cmd.Wait()
		log.Close()
		if t.Failed() {
			t.Logf("kubelet:\n%s", tail(log.Name()))
		}
	})
	Eventually(t, 10*time.Second, "kubelet listens", func() error {
		conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", net.JoinHostPort(address, "10250"))
		if err == nil {
			conn.Close()
		}
		return err
	})
}

// KubeletBinary builds the stand-in for kubelet, once. It may need the network.
func KubeletBinary(t testing.TB) string {
	t.Helper()
	path, err := buildKubelet()
	must(t, err)
	return path
}

var buildKubelet = sync.OnceValues(func() (string, error) {
	root, err := moduleRoot()
	if err != nil {
		return "", err
	}
	path := filepath.Join(root, "bin", "kubelet-standin")
	cmd := exec.CommandContext(context.Background(), "go", "build", "-o", path, ".")
	cmd.Dir = filepath.Join(root, "test", "kubelet")
	_, err = output(cmd)
	return path, err
})
