package probe

import (
	"errors"
	"net/http"
	"net/netip"
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
		"0.0.0.0", "0.1.2.3", "::", "fe80::1", "fe80::a9fe:a9fe%eth0", "fd00:ec2::254", "fd00:ec2::23", "fd20:ce::254",
		"::ffff:169.254.169.254", "::ffff:0:169.254.169.254", "::169.254.169.254", "64:ff9b::169.254.169.254", "64:ff9b:1::a9fe:a9fe",
		"2002:a9fe:a9fe::1", "2001:0:1:2:3:4:5601:5601", "::ffff:100.100.100.200", "64:ff9b::168.63.129.16", "::ffff:0.0.0.0",
	}
	for _, s := range denied {
		if err := d.check(netip.MustParseAddr(s)); !errors.Is(err, errDenied) {
			t.Errorf("%s is allowed", s)
		}
	}
	allowed := []string{
		"127.0.0.1", "::1", "::ffff:127.0.0.1", "10.96.0.1", "172.16.0.1", "192.168.1.1", "192.0.2.1", "100.100.100.201", "fd00::1",
		"fd20:ce::255", "2001:db8::1", "64:ff9b::10.0.0.1", "2002:a00:1::1", "169.253.0.1",
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

// Whatever leads there, a denied address is never connected to.
func TestDeniedIsNotDialled(t *testing.T) {
	t.Attr("req", "DTS-PRB-5")
	t.Attr("req", "DTS-SEC-3")
	loopback := []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("::1/128")}
	behind := func(ready, notReady string) *backend.Endpoints {
		s := backend.EndpointSlice{Ready: []netip.Addr{netip.MustParseAddr("10.1.2.3"), netip.MustParseAddr(ready)}}
		if notReady != "" {
			s.NotReady = []netip.Addr{netip.MustParseAddr(notReady)}
		}
		return &backend.Endpoints{Slices: []backend.EndpointSlice{s}}
	}
	tests := []struct {
		name   string
		deny   []netip.Prefix // nil: the default
		change func(*Target)
		denied bool
	}{
		{"loopback is allowed", nil, func(*Target) {}, false},
		{"nothing is denied", []netip.Prefix{}, func(x *Target) { x.Endpoints = behind("169.254.169.254", "") }, false},
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
		{"a ready endpoint behind the ClusterIP", nil, func(x *Target) { x.Endpoints = behind("169.254.169.254", "") }, true},
		{"an endpoint that is not ready", nil, func(x *Target) { x.Endpoints = behind("10.1.2.4", "::ffff:169.254.169.254") }, true},
		{"an endpoint in a mapped form", nil, func(x *Target) { x.Endpoints = behind("64:ff9b::a9fe:a9fe", "") }, true},
		{"a headless Service's endpoint", nil, func(x *Target) {
			x.Candidate.Service.ClusterIP, x.Endpoints = "None", behind("169.254.169.254", "")
		}, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var requests atomic.Int32
			target := serve(t, nil, http.HandlerFunc(func(http.ResponseWriter, *http.Request) { requests.Add(1) }))
			tt.change(&target)
			got := newProber(t, Options{DenyCIDRs: tt.deny, Tries: 3}).Probe(t.Context(), target)
			want := backend.Observation{Outcome: backend.Ready, Scheme: "http"}
			if tt.denied {
				want = backend.Observation{Outcome: backend.Unreachable, Cause: causeDenied, Scheme: "http", Detail: "security.denyCIDRs"}
			}
			expect(t, got, want)
			if asked := requests.Load() > 0; asked == tt.denied {
				t.Errorf("%d requests were made", requests.Load())
			}
			if tt.denied && !strings.Contains(got.Detail, " is in ") {
				t.Errorf("detail %q does not say what denies it", got.Detail)
			}
		})
	}
}
