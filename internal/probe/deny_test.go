package probe

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"kubernaut.io/dynamic-toolset/internal/backend"
)

func TestDefaultDenyCIDRs(t *testing.T) {
	t.Attr("req", "DTS-PRB-5")
	d, err := newDeny(DefaultDenyCIDRs())
	if err != nil {
		t.Fatal(err)
	}
	denied := []string{
		"169.254.169.254", "169.254.170.2", "169.254.170.23", "169.254.0.1", "100.100.100.200", "168.63.129.16", "192.0.0.192",
		"100.96.0.96", "169.254.42.42", "169.254.0.23", "fd00:42::42", "fd00:a9fe:a9fe::1", "fd00:100::100:200", "fd00:c1::a9fe:a9fe",
		"0.0.0.0", "0.1.2.3", "::", "fe80::1", "fe80::a9fe:a9fe%eth0", "fd00:ec2::254", "fd00:ec2::23", "fd20:ce::254",
		"::ffff:169.254.169.254", "::ffff:0:169.254.169.254", "::169.254.169.254", "64:ff9b::169.254.169.254", "64:ff9b:1::a9fe:a9fe",
		"2002:a9fe:a9fe::1", "2001:0:1:2:3:4:5601:5601", "::ffff:100.100.100.200", "64:ff9b::168.63.129.16", "::ffff:0.0.0.0",
		// NAT64 of one's own, by the length of its prefix: 48, 56, 64; ISATAP in any network.
		"64:ff9b:1:a9fe:a9:fe00::", "64:ff9b:1:12a9:fe:a9fe::", "64:ff9b:1:1234:a9:fea9:fe00:0",
		"fd00:1:2:3:0:5efe:a9fe:a9fe", "2001:db8::200:5efe:100.100.100.200", "fe80::5efe:a9fe:a9fe",
		"::ffff:169.254.169.254%eth0", "64:ff9b::a9fe:a9fe%1",
	}
	for _, s := range denied {
		if err := d.check(netip.MustParseAddr(s)); !errors.As(err, new(denialError)) {
			t.Errorf("%s is allowed", s)
		}
	}
	allowed := []string{
		"127.0.0.1", "::1", "::ffff:127.0.0.1", "10.96.0.1", "172.16.0.1", "192.168.1.1", "192.0.2.1", "100.100.100.201", "fd00::1",
		"fd20:ce::255", "100.96.0.97", "fd00:42::43", "fd00:a9fe:a9fe::2", "2001:db8::1", "64:ff9b::10.0.0.1", "2002:a00:1::1", "169.253.0.1",
		"64:ff9b:1::10.0.0.1", "64:ff9b:1:0a00:1:ff00::", "fd00::5efe:10.0.0.1",
	}
	for _, s := range allowed {
		if err := d.check(netip.MustParseAddr(s)); err != nil {
			t.Errorf("%s: %v", s, err)
		}
	}
}

func TestDenyListInMappedForm(t *testing.T) {
	t.Attr("req", "DTS-PRB-5")
	d, err := newDeny([]netip.Prefix{netip.MustParsePrefix("::ffff:10.1.2.3/112")})
	if err != nil {
		t.Fatal(err)
	}
	for s, want := range map[string]bool{"10.1.9.9": true, "::ffff:10.1.9.9": true, "64:ff9b::10.1.9.9": true, "10.2.0.1": false} {
		if got := d.check(netip.MustParseAddr(s)) != nil; got != want {
			t.Errorf("%s denied: %t, want %t", s, got, want)
		}
	}
}

// A probe never connects to a denied address. TestDenied has the addresses of endpoints.
func TestDeniedIsNotDialled(t *testing.T) {
	t.Attr("req", "DTS-PRB-5 DTS-SEC-3")
	loopback := []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("::1/128")}
	tests := []struct {
		name   string
		deny   []netip.Prefix // nil: the default
		change func(*Target)
		denied bool
	}{
		{"loopback is allowed", nil, func(*Target) {}, false},
		{"nothing is denied", []netip.Prefix{}, func(x *Target) {
			x.Endpoints = &backend.Endpoints{Slices: []backend.EndpointSlice{{Ready: []netip.Addr{netip.MustParseAddr("169.254.169.254")}}}}
		}, false},
		{"the ClusterIP", loopback, func(*Target) {}, true},
		{"the ClusterIP, mapped", loopback, func(x *Target) {
			x.Candidate.Service.ClusterIP = "::ffff:127.0.0.1"
		}, true},
		{"the DNS name's address", loopback, func(x *Target) {
			x.Candidate.Service.ClusterIP, x.Candidate.Host = "", "localhost"
		}, true},
		{"a foreign host's address", loopback, func(x *Target) {
			x.Candidate.ForeignHost, x.Candidate.Host = true, "127.0.0.1"
		}, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var requests atomic.Int32
			target := serve(t, nil, http.HandlerFunc(func(http.ResponseWriter, *http.Request) { requests.Add(1) }))
			tt.change(&target)
			got := newProber(t, Options{DenyCIDRs: tt.deny, Tries: 3}).Probe(t.Context(), target)
			want := observed{Outcome: backend.Ready, Scheme: "http"}
			if tt.denied {
				want = observed{Outcome: backend.Unreachable, Cause: backend.CauseDenied, Scheme: "http", Detail: "security.denyCIDRs"}
			}
			expect(t, got, want)
			if asked := requests.Load() > 0; asked == tt.denied {
				t.Errorf("%d requests were made", requests.Load())
			}
			if tt.denied && !strings.Contains(said(got), " is in ") {
				t.Errorf("detail %q does not say what denies it", said(got))
			}
		})
	}
}

// Each request has its own connection, so that a name may lead elsewhere each time (DNS rebinding). Each connection is
// checked.
func TestNameThatMoves(t *testing.T) {
	t.Attr("req", "DTS-PRB-5")
	t.Attr("req", "DTS-SEC-3")
	var asked atomic.Int32
	target := serve(t, lookupType(t, "prometheus"), http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked.Add(1)
		prometheus.ServeHTTP(w, r)
	}))
	target.Candidate.ForeignHost, target.Candidate.Host = true, "moves.example"
	resolver := net.DefaultResolver
	t.Cleanup(func() { net.DefaultResolver = resolver })
	net.DefaultResolver = &net.Resolver{PreferGo: true, Dial: func(context.Context, string, string) (net.Conn, error) {
		client, server := net.Pipe()
		address := [4]byte{127, 0, 0, 1}
		if asked.Load() > 0 {
			address = [4]byte{127, 66, 0, 1}
		}
		go nameServer(server, address)
		return client, nil
	}}
	p := newProber(t, Options{DenyCIDRs: []netip.Prefix{netip.MustParsePrefix("127.66.0.0/16")}})
	expect(t, p.Probe(t.Context(), target), observed{
		Outcome: backend.Unreachable, Cause: backend.CauseDenied, Scheme: "http", Detail: "127.66.0.1 is in 127.66.0.0/16",
	})
	if n := asked.Load(); n != 1 {
		t.Errorf("%d requests were answered, want one", n)
	}
}

// nameServer answers a query over TCP (RFC 1035): names have this address, and no IPv6 address.
func nameServer(c net.Conn, address [4]byte) {
	defer c.Close()
	query := make([]byte, 512)
	n, err := c.Read(query) // the resolver writes all at once
	if err != nil || n < 14 {
		return
	}
	const header, ipv4 = 12, 1
	query = query[2:n]
	end := header + bytes.IndexByte(query[header:], 0) + 5 // after the type and the class
	answer := slices.Concat(query[:2], []byte{0x81, 0x80, 0, 1, 0, 0, 0, 0, 0, 0}, query[header:end])
	if query[end-3] == ipv4 {
		answer[7] = 1
		answer = slices.Concat(answer, []byte{0xc0, header, 0, ipv4, 0, 1, 0, 0, 0, 0, 0, 4}, address[:])
	}
	_, _ = c.Write(slices.Concat([]byte{0, byte(len(answer))}, answer))
}

// TestDenied checks that unproven targets are denied like probed ones, without a request.
func TestDenied(t *testing.T) {
	t.Attr("req", "DTS-PRB-5 DTS-SEC-3")
	slices := func(lists ...string) *backend.Endpoints { // ready addresses; after a bar, others
		e := &backend.Endpoints{}
		for _, list := range lists {
			var s backend.EndpointSlice
			ready, notReady, _ := strings.Cut(list, "|")
			for _, a := range strings.Fields(ready) {
				s.Ready = append(s.Ready, netip.MustParseAddr(a))
			}
			for _, a := range strings.Fields(notReady) {
				s.NotReady = append(s.NotReady, netip.MustParseAddr(a))
			}
			e.Slices = append(e.Slices, s)
		}
		return e
	}
	names := &backend.Endpoints{FQDN: true}
	crowded, further := slices("10.1.2.3"), slices("10.1.2.3")
	crowded.Crowded, further.Slices[0].Denied = true, netip.MustParseAddr("168.63.129.16")
	mixed := slices("10.1.2.3")
	mixed.FQDN = true
	tests := []struct {
		name      string
		endpoints *backend.Endpoints
		clusterIP string // "" is 10.96.0.7
		host      string // a foreign one
		unproven  string // what it says where that is published unproven; "" allows
		probed    string // the same where it is probed; "" is as unproven
		deny      []netip.Prefix
	}{
		{name: "unknown endpoints"},
		{name: "no endpoints", endpoints: slices()},
		{name: "pods", endpoints: slices("10.1.2.3 fd00::7", "10.1.2.4|10.1.2.5")},
		{name: "Alibaba", endpoints: slices("100.100.100.200"), unproven: "100.100.100.200 is in 100.100.100.200/32"},
		{name: "Azure", endpoints: slices("168.63.129.16"), unproven: "168.63.129.16 is in 168.63.129.16/32"},
		{name: "AWS", endpoints: slices("fd00:ec2::254"), unproven: "fd00:ec2::254 is in fd00:ec2::/32"},
		{name: "NAT64", endpoints: slices("64:ff9b::a9fe:a9fe"), unproven: "64:ff9b::a9fe:a9fe stands for 169.254.169.254, which is in 169.254.0.0/16"},
		{name: "ISATAP", endpoints: slices("fd00::5efe:6464:64c8"), unproven: "stands for 100.100.100.200"},
		{name: "link-local with a zone", endpoints: slices("fe80::1%eth0"), unproven: "fe80::1 is in fe80::/10"},
		{name: "one of many", endpoints: slices("10.1.2.3", "10.1.2.4 10.1.2.5", "10.1.2.6 168.63.129.16"), unproven: "168.63.129.16"},
		{name: "not ready", endpoints: slices("10.1.2.3|100.100.100.200"), unproven: "100.100.100.200"},
		{name: "none ready", endpoints: slices("|100.100.100.200"), unproven: "100.100.100.200"},
		{name: "a headless Service's", endpoints: slices("fd00:ec2::23"), clusterIP: "None", unproven: "fd00:ec2::23"},
		{name: "the ClusterIP", clusterIP: "169.254.169.254", unproven: "its ClusterIP 169.254.169.254 is in 169.254.0.0/16"},
		{name: "the ClusterIP, mapped", clusterIP: "::ffff:100.100.100.200", unproven: "its ClusterIP 100.100.100.200"},
		{name: "a ClusterIP that is none", clusterIP: "169.254.169.254:80@x"},
		{name: "another host", host: "metrics.example.org", endpoints: slices("100.100.100.200")},
		{name: "another host's address", host: "100.100.100.200", unproven: "its host 100.100.100.200"},
		{name: "another host's address, IPv6", host: "64:ff9b::a9fe:a9fe", unproven: "stands for 169.254.169.254"},
		{name: "one that is not kept", endpoints: further, unproven: "168.63.129.16 is in"},
		{name: "more than is kept", endpoints: crowded, unproven: "EndpointSlices of its namespace take more than 4 MiB"},
		{name: "more than is kept, nothing is denied", endpoints: crowded, deny: []netip.Prefix{}, unproven: "EndpointSlices of its namespace"},
		{name: "names", endpoints: names, unproven: "names (FQDN)", probed: "-"},
		{name: "names beside pods", endpoints: mixed, unproven: "names (FQDN)", probed: "-"},
		{name: "names of a headless Service", endpoints: names, clusterIP: "None", unproven: "names (FQDN)"},
		{name: "names beside pods of a headless Service", endpoints: mixed, clusterIP: "None", unproven: "names (FQDN)"},
		{name: "names, nothing is denied", endpoints: names, deny: []netip.Prefix{}},
		{name: "nothing is denied", endpoints: slices("169.254.169.254"), deny: []netip.Prefix{}},
		{name: "a network of one's own", endpoints: slices("10.9.1.2"), deny: []netip.Prefix{netip.MustParsePrefix("10.9.0.0/16")}, unproven: "10.9.1.2 is in 10.9.0.0/16"},
	}
	for _, tt := range tests {
		for _, unproven := range []bool{true, false} {
			t.Run(fmt.Sprintf("%s, unproven %t", tt.name, unproven), func(t *testing.T) {
				asked := 0
				p := newProber(t, Options{DenyCIDRs: tt.deny, RoundTripper: via(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked++ }))})
				target := targetFor(nil)
				target.Endpoints, target.Candidate.Unproven = tt.endpoints, unproven
				target.Candidate.Service.ClusterIP = cmp.Or(tt.clusterIP, "10.96.0.7")
				if tt.host != "" {
					target.Candidate.Host, target.Candidate.ForeignHost = tt.host, true
				}
				want := tt.unproven
				if !unproven && tt.probed != "" {
					want = strings.TrimPrefix(tt.probed, "-")
				}
				o, denied := p.Denied(target)
				if denied != (want != "") {
					t.Fatalf("denied: %t: %s", denied, said(o))
				}
				for _, got := range append(p.ProbeAll(t.Context(), []Target{target}, nil), p.Probe(t.Context(), target)) {
					if (got.Cause == backend.CauseDenied) != denied {
						t.Errorf("the probe comes to %s %s: %s", got.Outcome, got.Cause, said(got))
					}
				}
				if !denied {
					return
				}
				expect(t, o, observed{Outcome: backend.Unreachable, Cause: backend.CauseDenied, Scheme: "http", Detail: want})
				if !strings.Contains(said(o), "security.denyCIDRs") && tt.endpoints != crowded || o.At.IsZero() || asked > 0 {
					t.Errorf("%q at %v after %d requests", said(o), o.At, asked)
				}
			})
		}
	}
}
