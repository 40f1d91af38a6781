package health

import (
	"fmt"
	"net"
	"strconv"

	"kubernaut.io/dynamic-toolset/internal/backend"
)

// address is where a candidate is reached, by name.
func address(c *backend.Candidate) string {
	return net.JoinHostPort(c.Host, strconv.Itoa(int(c.PortNumber)))
}

// Same reports whether two candidates are one backend, asked in the same way.
func Same(a, b *backend.Candidate) bool { return identity(a) == identity(b) }

// identity is everything that decides which backend is asked, and how. If it changes, what was seen is no longer
// about it.
func identity(c *backend.Candidate) string {
	return fmt.Sprint(c.Service.UID, c.Type, address(c), c.Scheme, c.FixedScheme, c.Path, c.FixedPath, c.ForeignHost, c.FixedHost,
		c.Service.ClusterIP, c.Service.ClusterIPs, c.Custom, c.Tenant, c.TenantHeader, c.HealthPath, c.Unproven)
}
