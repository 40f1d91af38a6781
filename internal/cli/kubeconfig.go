package cli

import (
	"cmp"
	"fmt"
	"net/http"
	"os"

	"github.com/spf13/pflag"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"

	"kubernaut.io/dynamic-toolset/internal/backend"
	"kubernaut.io/dynamic-toolset/internal/bridge"
)

// orFiles is how most commands work without a cluster.
const orFiles = ", or read files with -f"

// kubeFlags holds kubectl's flags for the connection.
type kubeFlags struct {
	rules     *clientcmd.ClientConfigLoadingRules
	overrides clientcmd.ConfigOverrides
	instead   string // how the command works without a cluster, as the end of an error
}

// add adds the flags. timeout is the default of --request-timeout; "0" means no timeout.
func (k *kubeFlags) add(f *pflag.FlagSet, timeout string) {
	k.rules = clientcmd.NewDefaultClientConfigLoadingRules()
	f.StringVar(&k.rules.ExplicitPath, clientcmd.RecommendedConfigPathFlag, "",
		"Path to the kubeconfig file to use for CLI requests.")
	flags := clientcmd.RecommendedConfigOverrideFlags("")
	flags.ClusterOverrideFlags.APIServer.ShortName = "s"
	flags.AuthOverrideFlags.Username, flags.AuthOverrideFlags.Password = clientcmd.FlagInfo{}, clientcmd.FlagInfo{}
	flags.Timeout.Default = timeout
	clientcmd.BindOverrideFlags(&k.overrides, f, flags)
}

// namespace returns the value of -n, "" without it.
func (k *kubeFlags) namespace() string { return k.overrides.Context.Namespace }

// cluster returns the connection from the kubeconfig and the flags, or from the pod's service account.
func (o *options) cluster() (*rest.Config, error) {
	k := &o.kube
	c, err := clientcmd.NewNonInteractiveDeferredLoadingClientConfig(k.rules, &k.overrides).ClientConfig()
	switch named := cmp.Or(k.rules.ExplicitPath, os.Getenv(clientcmd.RecommendedConfigPathEnvVar)); {
	case clientcmd.IsEmptyConfig(err) && named != "":
		return nil, fmt.Errorf("kubeconfig %s: it does not exist, or chooses no cluster; "+
			"correct the path, or name a context with --context%s", named, k.instead)
	case clientcmd.IsEmptyConfig(err):
		return nil, fmt.Errorf("no cluster: there is no kubeconfig (KUBECONFIG or ~/.kube/config) "+
			"and this is not a pod; name one with --kubeconfig%s", k.instead)
	case err != nil:
		return nil, k.failed(err)
	}
	if _, _, err := rest.DefaultServerUrlFor(c); err != nil {
		return nil, k.failed(err)
	}
	c.UserAgent = rest.DefaultKubernetesUserAgent()
	c.QPS, c.Burst = -1, -1 // no client-side limit: the API server's priority and fairness is enough
	return c, nil
}

// failed returns the error for a kubeconfig that cannot be used.
func (k *kubeFlags) failed(err error) error {
	return fmt.Errorf("kubeconfig: %s; correct it, or name another with --kubeconfig%s",
		oneLine(err.Error()), k.instead)
}

// serviceProxies returns a function whose transport carries a candidate's requests through the API server.
func (o *options) serviceProxies(kubeconfig *rest.Config) (func(*backend.Candidate) http.RoundTripper, error) {
	proxies, err := bridge.ServiceProxies(kubeconfig)
	if err != nil {
		return nil, o.kube.failed(err)
	}
	return proxies, nil
}
