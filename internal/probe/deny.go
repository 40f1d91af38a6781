package probe

import (
	"errors"
	"fmt"
	"net/netip"

	"kubernaut.io/dynamic-toolset/internal/backend"
)

// errDenied is the cause of every connection that is not made because of DenyCIDRs.
var errDenied = errors.New("denied by security.denyCIDRs")

// DefaultDenyCIDRs are the networks no probe may touch unless the configuration says otherwise: link-local, "this host on
// this network", and the addresses at which clouds hand out credentials. Their mapped forms need no entries of their own.
func DefaultDenyCIDRs() []netip.Prefix {
	return []netip.Prefix{
		netip.MustParsePrefix("0.0.0.0/8"),
		netip.MustParsePrefix("::/128"),
		netip.MustParsePrefix("169.254.0.0/16"),         // link-local; metadata of most clouds, ECS and EKS credentials
		netip.MustParsePrefix("fe80::/10"),              // link-local
		netip.MustParsePrefix("100.100.100.200/32"),     // Alibaba Cloud
		netip.MustParsePrefix("168.63.129.16/32"),       // Azure's wire server
		netip.MustParsePrefix("192.0.0.192/32"),         // Oracle Cloud, older
		netip.MustParsePrefix("fd00:ec2::/32"),          // AWS, IPv6: ::254 metadata, ::23 EKS credentials
		netip.MustParsePrefix("fd20:ce::254/128"),       // Google Cloud, IPv6
		netip.MustParsePrefix("fd00:c1::a9fe:a9fe/128"), // Oracle Cloud, IPv6
	}
}

// IPv6 networks whose addresses carry an IPv4 address, which a gateway may unwrap: offset is where its four bytes are.
var embeddings = [...]struct {
	prefix netip.Prefix
	offset int
	invert bool // Teredo writes it inverted
}{
	{prefix: netip.MustParsePrefix("64:ff9b::/96"), offset: 12},   // NAT64, RFC 6052
	{prefix: netip.MustParsePrefix("64:ff9b:1::/48"), offset: 12}, // NAT64 of one's own, RFC 8215
	{prefix: netip.MustParsePrefix("2002::/16"), offset: 2},       // 6to4, RFC 3056
	{prefix: netip.MustParsePrefix("2001::/32"), offset: 12, invert: true},
	{prefix: netip.MustParsePrefix("::/96"), offset: 12},           // IPv4-compatible, RFC 4291
	{prefix: netip.MustParsePrefix("::ffff:0:0:0/96"), offset: 12}, // IPv4-translated, RFC 2765
}

// deny is a list of networks, none of them written in mapped form.
type deny []netip.Prefix

func newDeny(prefixes []netip.Prefix) (deny, error) {
	list := make(deny, 0, len(prefixes))
	for _, p := range prefixes {
		if !p.IsValid() {
			return nil, fmt.Errorf("security.denyCIDRs: %q is not a network", p)
		}
		if p.Addr().Is4In6() {
			if p.Bits() < 96 {
				return nil, fmt.Errorf("security.denyCIDRs: %s covers all IPv4 addresses in part; write it as IPv4", p)
			}
			p = netip.PrefixFrom(p.Addr().Unmap(), p.Bits()-96)
		}
		list = append(list, p.Masked())
	}
	return list, nil
}

// check says which network forbids the address, directly or as the IPv4 address it carries; nil if none does.
func (d deny) check(addr netip.Addr) error {
	addr = addr.Unmap().WithZone("")
	if p, ok := d.find(addr); ok {
		return fmt.Errorf("%s is in %s: %w", addr, p, errDenied)
	}
	if !addr.Is6() || addr == netip.IPv6Loopback() {
		return nil
	}
	b := addr.As16()
	for _, e := range embeddings {
		if !e.prefix.Contains(addr) {
			continue
		}
		v4 := [4]byte(b[e.offset : e.offset+4])
		if e.invert {
			for i := range v4 {
				v4[i] = ^v4[i]
			}
		}
		if p, ok := d.find(netip.AddrFrom4(v4)); ok {
			return fmt.Errorf("%s stands for %s, which is in %s: %w", addr, netip.AddrFrom4(v4), p, errDenied)
		}
	}
	return nil
}

func (d deny) find(addr netip.Addr) (netip.Prefix, bool) {
	for _, p := range d {
		if p.Contains(addr) {
			return p, true
		}
	}
	return netip.Prefix{}, false
}

// checkEndpoints looks at every address behind a Service, ready or not: a ClusterIP hides which of them is dialled, and
// whoever writes an EndpointSlice chooses them.
func (d deny) checkEndpoints(e *backend.Endpoints) error {
	if e == nil {
		return nil
	}
	for i := range e.Slices {
		for _, list := range [...][]netip.Addr{e.Slices[i].Ready, e.Slices[i].NotReady} {
			for _, addr := range list {
				if err := d.check(addr); err != nil {
					return fmt.Errorf("endpoint address %w", err)
				}
			}
		}
	}
	return nil
}
