package cluster

import (
	"os"
	"strings"

	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/client-go/rest"
)

// ResolvConf is the file in a pod in which the kubelet writes the DNS search domains.
const ResolvConf = "/etc/resolv.conf"

// DefaultDomain is the DNS domain of nearly every cluster.
const DefaultDomain = "cluster.local"

// Domain returns the cluster's DNS domain from the search line of a pod's resolv.conf, which has NAMESPACE.svc.DOMAIN.
// It returns DefaultDomain if the file has no such name, as outside a cluster.
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

// Inside reports whether this process runs in a pod of the cluster, where Services' names resolve.
func Inside() bool {
	_, err := rest.InClusterConfig()
	return err == nil
}
