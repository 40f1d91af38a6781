package health

import (
	"fmt"

	"kubernaut.io/dynamic-toolset/internal/backend"
)

// Same reports whether two candidates are one backend and are probed in the same way.
func Same(a, b *backend.Candidate) bool { return identity(a) == identity(b) }

// identity returns everything that decides which backend is probed, and how. If it changes, earlier observations no
// longer count. A relative is probed as the type that detection chose.
func identity(c *backend.Candidate) string {
	return fmt.Sprintln(c.Service.UID, c.DetectedKey().Type, c.Host, c.PortNumber, c.Scheme, c.FixedScheme,
		c.Path, c.FixedPath, c.ForeignHost, c.FixedHost, c.Service.ClusterIP, c.Service.ClusterIPs,
		c.Custom, c.Tenant, c.TenantHeader, c.HealthPath, c.Unproven)
}
