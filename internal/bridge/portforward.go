package bridge

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/util/validation"
	discoveryv1client "k8s.io/client-go/kubernetes/typed/discovery/v1"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/portforward"
	"k8s.io/client-go/transport/spdy"
	"k8s.io/streaming/pkg/httpstream"
	"k8s.io/utils/ptr"

	"kubernaut.io/dynamic-toolset/internal/backend"
)

// pods dials pods by port-forward. Each connection uses a separate connection to the API server.
type pods struct {
	cluster *rest.Config
	base    *url.URL
	slices  discoveryv1client.DiscoveryV1Interface
}

func newPods(cluster *rest.Config) (*pods, error) {
	base, _, err := rest.DefaultServerUrlFor(cluster)
	if err != nil {
		return nil, err
	}
	slices, err := discoveryv1client.NewForConfig(cluster)
	if err != nil {
		return nil, err
	}
	return &pods{cluster: cluster, base: base, slices: slices}, nil
}

// place is a port of a pod.
type place struct {
	namespace, pod string
	port           int32
}

// maxPods is the number of pods of a Service to try for one connection.
const maxPods = 3

// to returns a dial function that connects to a ready pod of the candidate's Service.
func (p *pods) to(c *backend.Candidate) func(context.Context, string, string) (net.Conn, error) {
	return func(ctx context.Context, _, _ string) (net.Conn, error) {
		list, err := p.behind(ctx, c)
		if err != nil {
			return nil, err
		}
		err = fmt.Errorf("no ready pod is behind Service %s, and port-forward leads to pods only", c.Service.Ref)
		for _, at := range list[:min(len(list), maxPods)] {
			var conn net.Conn
			if conn, err = p.connect(at); err == nil {
				return conn, nil
			}
		}
		return nil, err
	}
}

// maxSlices bounds the EndpointSlices that are read for a connection: an owner could write thousands of a megabyte
// each.
const maxSlices = 20

// behind returns the ready pods of the Service's EndpointSlices, only those in the Service's namespace and with a valid
// name. An owner can write any namespace and name into an EndpointSlice, also a name that is another path of the API.
func (p *pods) behind(ctx context.Context, c *backend.Candidate) (list []place, err error) {
	ref := c.Service.Ref
	slices, err := p.slices.EndpointSlices(ref.Namespace).List(ctx, metav1.ListOptions{
		LabelSelector: labels.Set{discoveryv1.LabelServiceName: ref.Name}.String(), Limit: maxSlices,
	})
	if err != nil {
		return nil, fmt.Errorf("reading the EndpointSlices of %s: %w", ref, err)
	}
	for i := range slices.Items {
		port := portOf(&slices.Items[i], c.Port.Name)
		if port == 0 {
			continue
		}
		for _, e := range slices.Items[i].Endpoints {
			pod := e.TargetRef
			if pod == nil || pod.Kind != "Pod" || pod.Namespace != "" && pod.Namespace != ref.Namespace ||
				!ptr.Deref(e.Conditions.Ready, true) || len(validation.IsDNS1123Subdomain(pod.Name)) > 0 {
				continue
			}
			list = append(list, place{ref.Namespace, pod.Name, port})
		}
	}
	return list, nil
}

// portOf returns the pods' port behind the Service port with that name, 0 if there is none.
func portOf(s *discoveryv1.EndpointSlice, name string) int32 {
	for _, p := range s.Ports {
		if p.Port != nil && ptr.Deref(p.Name, "") == name {
			return *p.Port
		}
	}
	return 0
}

// connect connects to a pod. It takes no context, because client-go's dialers take none: http.Transport does not wait
// for it when its request ends.
func (p *pods) connect(at place) (net.Conn, error) {
	u := p.base.JoinPath("api/v1/namespaces", at.namespace, "pods", at.pod, "portforward")
	// WebSocket first, then SPDY, like kubectl: https://kep.k8s.io/4006
	websocket, err := portforward.NewSPDYOverWebsocketDialerForStreaming(u, p.cluster)
	if err != nil {
		return nil, err
	}
	transport, upgrader, err := spdy.RoundTripperFor(p.cluster)
	if err != nil {
		return nil, err
	}
	older := spdy.NewDialerForStreaming(upgrader, &http.Client{Transport: transport}, http.MethodPost, u)
	stream, _, err := portforward.NewFallbackDialerForStreaming(websocket, older, func(err error) bool {
		return httpstream.IsUpgradeFailure(err) || httpstream.IsHTTPSProxyError(err)
	}).Dial(portforward.PortForwardProtocolV1Name)
	switch {
	case err != nil && strings.Contains(err.Error(), `cannot create resource "pods/portforward"`): // the Status is lost
		return nil, &RightsError{at.namespace, "pods/portforward", "create"}
	case err != nil:
		return nil, fmt.Errorf("port-forward to pod %s/%s: %w", at.namespace, at.pod, err)
	}
	conn, err := newPodConn(stream, at)
	if err != nil {
		_ = stream.Close() // the other error says more
		return nil, fmt.Errorf("port-forward to pod %s/%s: %w", at.namespace, at.pod, err)
	}
	return conn, nil
}

// podConn is a connection to a port of a pod: a stream of data, and a stream of kubelet's errors.
type podConn struct {
	httpstream.Stream
	connection httpstream.Connection
	at         place
	wrong      chan string
}

func newPodConn(connection httpstream.Connection, at place) (*podConn, error) {
	header := http.Header{}
	header.Set(corev1.StreamType, corev1.StreamTypeError)
	header.Set(corev1.PortHeader, strconv.Itoa(int(at.port)))
	header.Set(corev1.PortForwardRequestIDHeader, "0")
	wrong, err := connection.CreateStream(header)
	if err != nil {
		return nil, err
	}
	_ = wrong.Close() // this side sends no errors
	header.Set(corev1.StreamType, corev1.StreamTypeData)
	data, err := connection.CreateStream(header)
	if err != nil {
		return nil, err
	}
	c := &podConn{Stream: data, connection: connection, at: at, wrong: make(chan string, 1)}
	go func() {
		const most = 4 << 10
		text, _ := io.ReadAll(io.LimitReader(wrong, most)) // the text before an error counts
		c.wrong <- string(text)
	}()
	return c, nil
}

// Read implements net.Conn. At the end of the data it waits for kubelet's error, which comes shortly before or after.
func (c *podConn) Read(b []byte) (int, error) {
	n, err := c.Stream.Read(b)
	if !errors.Is(err, io.EOF) {
		return n, err
	}
	select {
	case text := <-c.wrong:
		if c.wrong <- text; text != "" {
			return n, fmt.Errorf("port-forward to pod %s/%s: %w", c.at.namespace, c.at.pod, quoted(text))
		}
	case <-c.connection.CloseChan():
	case <-time.After(time.Second):
	}
	return n, err
}

// Close implements net.Conn.
func (c *podConn) Close() error { return c.connection.Close() }

// The other methods of net.Conn. Deadlines do nothing: the context of a request closes the connection.

func (c *podConn) LocalAddr() net.Addr              { return c }
func (c *podConn) RemoteAddr() net.Addr             { return c }
func (c *podConn) SetDeadline(time.Time) error      { return nil }
func (c *podConn) SetReadDeadline(time.Time) error  { return nil }
func (c *podConn) SetWriteDeadline(time.Time) error { return nil }

// Network and String implement net.Addr.
func (c *podConn) Network() string { return "port-forward" }
func (c *podConn) String() string {
	return strings.Join([]string{c.at.namespace, c.at.pod, strconv.Itoa(int(c.at.port))}, "/")
}
