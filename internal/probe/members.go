package probe

import (
	"net"
	"net/netip"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"kubernaut.io/dynamic-toolset/internal/backend"
	"kubernaut.io/dynamic-toolset/internal/catalog"
)

// maxMembers bounds the addresses that are kept for one backend, in bytes: about 280 IPv4 addresses.
const maxMembers = 4 << 10

// members records the servers to which a ready backend forwards its queries, if its type says how they are listed. Nil
// means that it did not list them, or that the search for its base path took all requests. No answer counts against it.
func (s *session) members(t *catalog.Type, id *identity, o *backend.Observation) {
	c := t.Probe.Members
	if c == nil || o.Outcome != backend.Ready {
		return
	}
	a, err := s.get("members", id.base, c.Get, false)
	if err != nil {
		return
	}
	if match(c, a).Part != "" || a.broken != "" {
		return
	}
	list, size := []string{}, 0
	if _, err := walk(a.body, []string{c.Addresses}, func(text string) {
		if host := memberHost(text); host != "" && size+len(host) <= maxMembers {
			list, size = append(list, host), size+len(host)
		}
	}); err != nil {
		return
	}
	slices.Sort(list)
	o.Members = slices.Compact(list)
}

var dnsName = regexp.MustCompile(`^[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?$`)

// memberHost returns the host of HOST:PORT: an address, or a name in lower case; "" for anything else.
func memberHost(text string) string {
	host, port, err := net.SplitHostPort(text)
	if err != nil {
		return ""
	}
	if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 {
		return ""
	}
	if a, err := netip.ParseAddr(host); err == nil && a.Zone() == "" {
		return a.Unmap().String()
	}
	if host = strings.ToLower(strings.TrimSuffix(host, ".")); !dnsName.MatchString(host) {
		return ""
	}
	return host
}
