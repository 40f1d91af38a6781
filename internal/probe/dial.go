package probe

import (
	"cmp"
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"kubernaut.io/dynamic-toolset/internal/backend"
)

// maxHeader bounds the headers of a response, in bytes.
const maxHeader = 64 << 10

// addresses returns the addresses to dial, best first: the ClusterIP, for a headless Service its ready endpoints, and
// the DNS name only if there is neither. It is the full name in the cluster's zone, even if the candidate has a shorter
// one, which may be a host of another zone (intranet.dev). A foreign host has only its name.
func addresses(t Target) []string {
	c := t.Candidate
	host, port := c.Host, strconv.Itoa(int(c.PortNumber))
	if !c.ForeignHost {
		ips := clusterIPs(c.Service)
		if c.Service.Headless() {
			ips = readyAddresses(t.Endpoints, c.PortNumber)
		}
		if len(ips) > 0 {
			list := make([]string, len(ips))
			for i, ip := range ips {
				list[i] = net.JoinHostPort(ip.String(), port)
			}
			return list
		}
		host = cmp.Or(c.FullName, host)
	}
	if _, err := netip.ParseAddr(host); err != nil && strings.Contains(host, ".") && !strings.HasSuffix(host, ".") {
		host += "." // a full name: without the dot a resolver would try the search domains first
	}
	return []string{net.JoinHostPort(host, port)}
}

// clusterIPs returns the Service's ClusterIPs, in its order: two if it is dual-stack.
func clusterIPs(s *backend.Service) (list []netip.Addr) {
	for _, text := range append([]string{s.ClusterIP}, s.ClusterIPs...) {
		if ip, err := netip.ParseAddr(text); err == nil {
			list = append(list, ip)
		}
	}
	return slices.Compact(list)
}

// readyAddresses returns the ready addresses, first those of slices whose pods listen on that port.
func readyAddresses(e *backend.Endpoints, port int32) (list []netip.Addr) {
	if e == nil {
		return nil
	}
	own := func(p backend.EndpointPort) bool { return p.Number == port }
	for _, fitting := range [...]bool{true, false} {
		for i := range e.Slices {
			if slices.ContainsFunc(e.Slices[i].Ports, own) == fitting {
				list = append(list, e.Slices[i].Ready...)
			}
		}
	}
	return list
}

// transport returns the transport of a session: HTTP/1.1, no proxy, no compression, a new connection for each request.
// It dials addr, whatever the URL says. The context ends dials and handshakes, because package net/http gives them one
// that does not end with the request.
func (p *Prober) transport(ctx context.Context, t Target, addr string) *http.Transport {
	dialer := &net.Dialer{Control: func(_, resolved string, _ syscall.RawConn) error {
		ap, err := netip.ParseAddrPort(resolved)
		if err != nil {
			return fmt.Errorf("dial %q: %w", resolved, err)
		}
		return p.deny.check(ap.Addr())
	}}
	dial := func(overTLS bool) func(context.Context, string, string) (net.Conn, error) {
		return func(_ context.Context, network, _ string) (net.Conn, error) {
			conn, err := dialer.DialContext(ctx, network, addr)
			if err == nil && overTLS {
				conn, err = p.secured(ctx, t, conn)
			}
			if err != nil {
				return nil, err
			}
			return newFewLines(conn), nil
		}
	}
	return &http.Transport{
		DialContext:            dial(false),
		DialTLSContext:         dial(true),
		TLSNextProto:           map[string]func(string, *tls.Conn) http.RoundTripper{},
		DisableCompression:     true,
		DisableKeepAlives:      true,
		MaxResponseHeaderBytes: maxHeader,
	}
}

func (p *Prober) secure(t Target) *tls.Config {
	c := &tls.Config{
		ServerName:         t.Candidate.Host,
		InsecureSkipVerify: p.insecure(t.Candidate), //nolint:gosec // only for Services that the configuration names
	}
	if p.opts.RootCAs != nil {
		c.RootCAs = p.opts.RootCAs()
	}
	return c
}

func (p *Prober) insecure(c *backend.Candidate) bool {
	return p.opts.Insecure != nil && p.opts.Insecure(c.Service.Ref)
}
