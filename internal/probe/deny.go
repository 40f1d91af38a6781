package probe

import (
	"fmt"
	"net/netip"
	"slices"
	"time"

	"kubernaut.io/dynamic-toolset/internal/backend"
)

// denialError is the error of a connection that DenyCIDRs forbids.
type denialError struct{ backend.Denial }

func (d denialError) Error() string { return d.Address.String() + " is denied" }

// DefaultDenyCIDRs returns the networks that no probe may reach unless the configuration says otherwise: link-local,
// "this host on this network", and the addresses at which clouds hand out credentials. Their IPv4-mapped forms need no
// entries.
func DefaultDenyCIDRs() []netip.Prefix {
	return []netip.Prefix{
		netip.MustParsePrefix("0.0.0.0/8"),
		netip.MustParsePrefix("::/128"),
		netip.MustParsePrefix("169.254.0.0/16"),         // link-local; metadata of most clouds, ECS and EKS credentials
		netip.MustParsePrefix("fe80::/10"),              // link-local
		netip.MustParsePrefix("100.100.100.200/32"),     // Alibaba Cloud
		netip.MustParsePrefix("100.96.0.96/32"),         // Volcano Engine
		netip.MustParsePrefix("168.63.129.16/32"),       // Azure's wire server
		netip.MustParsePrefix("192.0.0.192/32"),         // Oracle Cloud, older
		netip.MustParsePrefix("fd00:ec2::/32"),          // AWS, IPv6: ::254 metadata, ::23 EKS credentials
		netip.MustParsePrefix("fd20:ce::254/128"),       // Google Cloud, IPv6
		netip.MustParsePrefix("fd00:c1::a9fe:a9fe/128"), // Oracle Cloud, IPv6
		netip.MustParsePrefix("fd00:42::42/128"),        // Scaleway, IPv6
		netip.MustParsePrefix("fd00:a9fe:a9fe::1/128"),  // Akamai (Linode), IPv6
		netip.MustParsePrefix("fd00:100::100:200/128"),  // Alibaba Cloud, IPv6
	}
}

// embeddings are the IPv6 networks whose addresses carry an IPv4 address, which a gateway may unwrap, and the positions
// of its bytes.
var embeddings = [...]struct {
	prefix netip.Prefix
	bytes  [4]int
	invert bool // Teredo writes it inverted
}{
	{prefix: netip.MustParsePrefix("64:ff9b::/96"), bytes: last},            // NAT64, RFC 6052
	{prefix: netip.MustParsePrefix("2002::/16"), bytes: [4]int{2, 3, 4, 5}}, // 6to4, RFC 3056
	{prefix: netip.MustParsePrefix("2001::/32"), bytes: last, invert: true}, // Teredo, RFC 4380
	{prefix: netip.MustParsePrefix("::/96"), bytes: last},                   // IPv4-compatible, RFC 4291
	{prefix: netip.MustParsePrefix("::ffff:0:0:0/96"), bytes: last},         // IPv4-translated, RFC 2765
}

var last = [4]int{12, 13, 14, 15}

// Local-use NAT64, RFC 8215. The translator's prefix is a /96, /64, /56 or /48 of this network. The position of the
// bytes depends on its length.
var (
	ownNAT64      = netip.MustParsePrefix("64:ff9b:1::/48")
	ownNAT64Bytes = [...][4]int{last, {9, 10, 11, 12}, {7, 9, 10, 11}, {6, 7, 9, 10}}
)

// carried returns the IPv4 addresses that an IPv6 address may stand for.
func carried(addr netip.Addr) (list []netip.Addr) {
	b := addr.As16()
	at := func(bytes [4]int) (v4 [4]byte) {
		for i, n := range bytes {
			v4[i] = b[n]
		}
		return v4
	}
	for _, e := range embeddings {
		if !e.prefix.Contains(addr) {
			continue
		}
		v4 := at(e.bytes)
		for i := range v4 {
			if e.invert {
				v4[i] = ^v4[i]
			}
		}
		list = append(list, netip.AddrFrom4(v4))
	}
	if ownNAT64.Contains(addr) {
		for _, bytes := range ownNAT64Bytes {
			if v4 := at(bytes); v4[0] != 0 { // at a wrong position the first byte is mostly 0
				list = append(list, netip.AddrFrom4(v4))
			}
		}
	}
	if b[8]&^2 == 0 && b[9] == 0 && b[10] == 0x5e && b[11] == 0xfe { // ISATAP, RFC 5214: in any network
		list = append(list, netip.AddrFrom4(at(last)))
	}
	return list
}

// Forbids reports whether DenyCIDRs contain an address. Readers of EndpointSlices keep few addresses, but check all of
// them with it.
func (p *Prober) Forbids(addr netip.Addr) bool { return p.deny.check(addr) != nil }

// deny is a list of networks. IPv4 networks are never in IPv4-mapped form.
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

// check returns a denialError if a network forbids the address or an IPv4 address that it carries, else nil.
func (d deny) check(addr netip.Addr) error {
	if denial := d.denial(addr); denial.Address.IsValid() {
		return denialError{denial}
	}
	return nil
}

// denial returns the zero Denial if nothing forbids the address.
func (d deny) denial(addr netip.Addr) (none backend.Denial) {
	addr = addr.Unmap().WithZone("")
	if p, ok := d.find(addr); ok {
		return backend.Denial{Address: addr, Network: p}
	}
	if !addr.Is6() || addr == netip.IPv6Loopback() {
		return none
	}
	for _, v4 := range carried(addr) {
		if p, ok := d.find(v4); ok {
			return backend.Denial{Address: addr, Carried: v4, Network: p}
		}
	}
	return none
}

func (d deny) find(addr netip.Addr) (netip.Prefix, bool) {
	for _, p := range d {
		if p.Contains(addr) {
			return p, true
		}
	}
	return netip.Prefix{}, false
}

// Denied reports whether an address behind the target is in a denied network. It sends no request. Call it whenever the
// Service or its EndpointSlices change, for unproven targets too: a denied target is withdrawn at once. The observation
// is Unreachable with CauseDenied, its time is set, and Seen has the address and the network.
//
// A target whose EndpointSlices are not all kept, because its namespace has too many, is denied too.
//
// Every endpoint address counts, ready or not: behind the ClusterIP any of them may be dialled, and their owner chooses
// them. DNS names in EndpointSlices (an FQDN slice) cannot be checked, because they may lead elsewhere each time. They
// count as denied for a headless Service, because a DNS server returns them (CoreDNS does, as CNAME), and for an
// unproven target, because no probe ever shows where they lead. Behind a ClusterIP, kube-proxy ignores them.
func (p *Prober) Denied(t Target) (backend.Observation, bool) {
	seen := p.deny.target(t)
	if seen.Code == "" {
		return backend.Observation{}, false
	}
	c := t.Candidate
	return backend.Observation{
		Outcome: backend.Unreachable, Cause: backend.CauseDenied, Seen: seen,
		Scheme: c.Scheme, Path: c.Path, At: time.Now(),
	}, true
}

// target checks each address of a target that is known without a request. It returns the zero Seen if none is denied.
func (d deny) target(t Target) (none backend.Seen) {
	c, e := t.Candidate, t.Endpoints
	if c.ForeignHost { // the Service's addresses do not lead to that host
		host, _ := netip.ParseAddr(c.Host)
		return d.first(backend.AddressOfHost, host)
	}
	if seen := d.first(backend.AddressOfClusterIP, clusterIPs(c.Service)...); seen.Code != "" || e == nil {
		return seen
	}
	for i := range e.Slices {
		s := &e.Slices[i]
		all := slices.Concat(s.Ready, s.NotReady, []netip.Addr{s.Denied})
		if seen := d.first(backend.AddressOfEndpoint, all...); seen.Code != "" {
			return seen
		}
	}
	if e.Crowded {
		return backend.Seen{Code: backend.CodeSlicesUnchecked, Limit: backend.MaxSlices >> 20}
	}
	if e.FQDN && (c.Unproven || c.Service.Headless()) && len(d) > 0 {
		return backend.Seen{Code: backend.CodeNamesUnchecked}
	}
	return none
}

// first returns what the probe has seen of the first address that is denied, the zero Seen if none is. The zero address
// is not denied.
func (d deny) first(of backend.AddressOf, addresses ...netip.Addr) (none backend.Seen) {
	for _, addr := range addresses {
		if denial := d.denial(addr); denial.Address.IsValid() {
			denial.Of = of
			return backend.Seen{Code: backend.CodeAddressDenied, Denial: denial}
		}
	}
	return none
}
