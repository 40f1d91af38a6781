package cli

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"github.com/spf13/pflag"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
)

// kubeFlags holds kubectl's flags for the connection.
type kubeFlags struct {
	rules     *clientcmd.ClientConfigLoadingRules
	overrides clientcmd.ConfigOverrides
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
	case clientcmd.IsEmptyConfig(err) && named != "" && !anyExists(filepath.SplitList(named)):
		return nil, kubeconfigError(&fs.PathError{Op: "open", Path: named, Err: syscall.ENOENT})
	case clientcmd.IsEmptyConfig(err) && named != "":
		return nil, fmt.Errorf("kubeconfig %s: it chooses no cluster; "+
			"set its current-context, name a context with --context"+orFiles, named)
	case clientcmd.IsEmptyConfig(err):
		return nil, errors.New("no cluster: there is no kubeconfig (KUBECONFIG or ~/.kube/config) " +
			"and this is not a pod; name one with --kubeconfig" + orFiles)
	case err != nil:
		return nil, kubeconfigError(err)
	}
	if _, _, err := rest.DefaultServerUrlFor(c); err != nil {
		return nil, fmt.Errorf("the API server's address %q cannot be used: %s; "+
			"check --server and the server in the kubeconfig", c.Host, oneLine(err.Error()))
	}
	c.UserAgent = rest.DefaultKubernetesUserAgent()
	c.QPS, c.Burst = -1, -1 // no client-side limit: the API server's priority and fairness is enough
	return c, nil
}

// anyExists reports whether one of the files exists. client-go takes the ones in KUBECONFIG that are missing for empty.
func anyExists(files []string) bool {
	return slices.ContainsFunc(files, func(file string) bool {
		_, err := os.Stat(file)
		return err == nil
	})
}

// orFiles is the end of an error's advice. Commands that read no files remove it.
const orFiles = ", or read files with -f"

// kubeconfigError describes what is wrong with a kubeconfig and what to do. It compares texts, because client-go's
// errors keep only their text.
func kubeconfigError(err error) error {
	const another = "name another with --kubeconfig" + orFiles
	if path := (*fs.PathError)(nil); errors.As(err, &path) {
		return fmt.Errorf("kubeconfig %s: %w; %s", path.Path, path.Err, another)
	}
	text := oneLine(err.Error())
	name := ""
	if rest, ok := strings.CutPrefix(text, `error loading config file "`); ok {
		name, text, _ = strings.Cut(rest, `": `)
		text = strings.TrimPrefix(text, "open "+name+": ")
		name = " " + name
	}
	switch {
	case strings.HasPrefix(text, "context ") && strings.HasSuffix(text, "does not exist"),
		clientcmd.IsContextNotFound(err):
		return fmt.Errorf("kubeconfig: %s; kubectl config get-contexts lists the contexts", text)
	case strings.HasSuffix(text, syscall.EISDIR.Error()):
		text = "it is a directory"
	case strings.HasSuffix(text, fs.ErrPermission.Error()):
		text = "permission denied"
	case strings.Contains(text, "get version/kind"), strings.Contains(text, "no kind "):
		text = "it is no kubeconfig"
	}
	return fmt.Errorf("kubeconfig%s: %s; correct it, %s", name, text, another)
}
