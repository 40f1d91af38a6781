package cluster

import (
	"cmp"
	"net/url"
	"os"
	"strings"

	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/client-go/rest"
)

// ResolvConf is the file in a pod in which the kubelet writes the DNS search domains.
const ResolvConf = "/etc/resolv.conf"

// DefaultDomain is the DNS domain of nearly every cluster.
const DefaultDomain = "cluster.local"

// Domain returns the cluster's DNS domain from the search line of a pod's resolv.conf, which has NAMESPACE.svc.DOMAIN,
// or DefaultDomain if the file has no such name.
func Domain(resolvConf string) string {
	text, err := os.ReadFile(resolvConf)
	if err != nil {
		return DefaultDomain
	}
	domain := DefaultDomain
	for line := range strings.Lines(string(text)) {
		fields := strings.Fields(line)
		if len(fields) == 0 || fields[0] != "search" {
			continue
		}
		domain = DefaultDomain // the last search line counts (resolv.conf(5))
		for _, name := range fields[1:] {
			_, found, ok := strings.Cut(strings.TrimSuffix(strings.ToLower(name), "."), ".svc.")
			if ok && len(validation.IsDNS1123Subdomain(found)) == 0 {
				domain = found
				break
			}
		}
	}
	return domain
}

// Inside reports whether this process runs in a pod of the cluster that config connects to, where the names and
// addresses of its Services can be reached. A kubeconfig in a pod can name another cluster.
func Inside(config *rest.Config) bool {
	own, err := rest.InClusterConfig()
	return err == nil && sameServer(own.Host, config.Host)
}

// sameServer reports whether chosen is the address of the API server that pods reach at own. In a pod the name
// kubernetes.default is always that of its own API server.
func sameServer(own, chosen string) bool {
	ownHost, ownPort := hostPort(own)
	host, port := hostPort(chosen)
	return host == ownHost && port == ownPort ||
		host == "kubernetes.default" || strings.HasPrefix(host+".", "kubernetes.default.svc.")
}

// hostPort returns the host and the port of an API server's address, which can have no scheme and no port.
func hostPort(server string) (host, port string) {
	if !strings.Contains(server, "://") {
		server = "https://" + server
	}
	u, err := url.Parse(server)
	if err != nil {
		return "", ""
	}
	return strings.ToLower(u.Hostname()), cmp.Or(u.Port(), "443")
}
