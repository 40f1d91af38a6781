// Command kubelet is a stand-in for the kubelet of a node. It only forwards ports of pods, with Kubernetes' own streaming
// package. The API server connects to it for `kubectl port-forward` and for the command bridge.
//
// Usage: kubelet ADDRESS NAMESPACE/POD=ADDRESS... It listens on the first address, port 10250. A pod's ports are the ports
// of the pod's address. It ends when its standard input does.
package main

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"time"

	"k8s.io/cri-streaming/pkg/streaming/portforward"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "kubelet:", err)
		os.Exit(1) //nolint:forbidigo // main
	}
}

func run(args []string) error {
	if len(args) == 0 {
		return fmt.Errorf("usage: kubelet ADDRESS NAMESPACE/POD=ADDRESS...")
	}
	pods := pods{}
	for _, a := range args[1:] {
		pod, address, _ := strings.Cut(a, "=")
		pods[pod] = address
	}
	certificate, err := selfSigned()
	if err != nil {
		return err
	}
	listener, err := tls.Listen("tcp", net.JoinHostPort(args[0], "10250"), &tls.Config{
		Certificates: []tls.Certificate{certificate}, MinVersion: tls.VersionTLS12,
	})
	if err != nil {
		return err
	}
	mux := http.NewServeMux()
	mux.HandleFunc("/portForward/{namespace}/{pod}", func(w http.ResponseWriter, r *http.Request) {
		const idle, creation = 4 * time.Hour, 30 * time.Second // kubelet's own
		fmt.Fprintln(os.Stdout, r.Method, r.URL.Path)
		portforward.ServePortForward(w, r, pods, r.PathValue("namespace")+"/"+r.PathValue("pod"), "", &portforward.V4Options{},
			idle, creation, portforward.SupportedProtocols)
	})
	server := &http.Server{Handler: mux, ReadHeaderTimeout: time.Minute}
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		_ = server.Close()
	}()
	_ = server.Serve(listener)
	return nil
}

// pods are the addresses of pods.
type pods map[string]string

// PortForward copies between a stream and a port of a pod. Errors are as containerd has them.
func (p pods) PortForward(_ context.Context, name, _ string, port int32, stream io.ReadWriteCloser) error {
	conn, err := net.Dial("tcp", net.JoinHostPort(p[name], strconv.Itoa(int(port))))
	if err != nil {
		return fmt.Errorf(`failed to execute portforward in network namespace "/var/run/netns/cni-1": failed to connect to `+
			`localhost:%d inside namespace "1", IPv4: %w`, port, err)
	}
	defer conn.Close()
	done := make(chan error, 2)
	go func() {
		_, err := io.Copy(conn, stream)
		done <- err
	}()
	go func() {
		_, err := io.Copy(stream, conn)
		done <- err
	}()
	return <-done
}

func selfSigned() (tls.Certificate, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return tls.Certificate{}, err
	}
	der, err := x509.CreateCertificate(rand.Reader, &x509.Certificate{
		SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour),
	}, &x509.Certificate{SerialNumber: big.NewInt(1)}, &key.PublicKey, key)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, err
}
