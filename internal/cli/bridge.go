package cli

import (
	"context"
	"errors"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"
	"k8s.io/client-go/rest"

	"kubernaut.io/dynamic-toolset/internal/backend"
	"kubernaut.io/dynamic-toolset/internal/bridge"
	"kubernaut.io/dynamic-toolset/internal/probe"
	"kubernaut.io/dynamic-toolset/internal/safetext"
	"kubernaut.io/dynamic-toolset/internal/toolset"
	"kubernaut.io/dynamic-toolset/internal/view"
)

func newBridge(streams Streams) *cobra.Command {
	o := &options{streams: streams, live: liveIfAllowed, probe: probeProxy, bridging: &bridging{}}
	cmd := &cobra.Command{
		Use:   "bridge [-- COMMAND [ARGUMENT]...]",
		Short: "Reach the backends of a cluster from this machine, and run HolmesGPT with them",
		Long: `Finds and probes the backends of a cluster. For each that would be published it opens a listener on
127.0.0.1, and it carries requests there with your own kubeconfig: through the API server's service proxy, or by
port-forward to a pod if your user may not use the proxy (403) or if a request has its own Authorization header, which
the API server would remove. Your user needs list on services and endpointslices, and get and create on
services/proxy, or create on pods/portforward.

With a command it runs the command. CUSTOM_TOOLSET_LOCATION is set to a document with the local addresses, and
BRIDGE_<TYPE>_URL to the address of each type's primary, as in BRIDGE_PROMETHEUS_URL. Your environment must have the
variables that the document refers to. Signals are passed on, the exit status is the command's, and all temporary
files are removed.

Without a command it prints the addresses and runs until Ctrl-C.

It carries only GET, HEAD and POST, only to the backend's own Service, and no requests that a browser sends for a page
of another site.`,
		Example: `  dynamic-toolset bridge -- holmes ask "why is checkout slow?"
  dynamic-toolset bridge -n monitoring
  dynamic-toolset bridge -- sh -c 'krr simple --prometheus-auth-header "Basic Og==" -p "$BRIDGE_PROMETHEUS_URL"'`,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 && cmd.ArgsLenAtDash() != 0 {
				return usage("the command to run comes after --, as in %s -- %s",
					cmd.CommandPath(), strings.Join(args, " "))
			}
			return o.bridge(cmd.Context(), args)
		},
	}
	o.configOptions.addFlags(cmd)
	o.addNamespaces(cmd)
	o.kube.add(cmd.Flags(), "30s")
	cmd.Flags().Lookup("namespace").Usage = "read only this namespace"
	cmd.Flags().BoolVar(&o.bridging.forwardOnly, "port-forward", false,
		"carry everything by port-forward, for example if the API server cannot reach the pods")
	return cmd
}

// bridging carries requests to backends, including the requests of the probe.
type bridging struct {
	forwardOnly bool
	*bridge.Bridge
}

// connect connects to the cluster and makes the probe send its requests through the bridge.
func (b *bridging) connect(cluster *rest.Config, o *probe.Options) (err error) {
	b.Bridge, err = bridge.New(bridge.Options{
		Cluster: cluster, ForwardOnly: b.forwardOnly, RootCAs: o.RootCAs, Insecure: o.Insecure,
	})
	if err != nil {
		return err
	}
	o.RoundTripper = b.Carry
	return nil
}

func (o *options) bridge(ctx context.Context, command []string) error {
	d, err := o.discover(ctx, backend.Ref{})
	if err != nil {
		return err
	}
	signals := make(chan os.Signal, 4) //nolint:mnd // buffers signals that arrive while one is handled
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGQUIT)
	defer signal.Stop(signals)
	// With SIGPIPE caught, a write to a closed stdout or stderr returns an error, and the process can still clean up.
	pipe := make(chan os.Signal, 1)
	signal.Notify(pipe, syscall.SIGPIPE)
	defer signal.Stop(pipe)
	opened := o.open(ctx, d)
	defer func() {
		for _, b := range opened {
			b.Close()
		}
	}()
	if ctx.Err() != nil {
		return errInterrupted
	}
	dir, err := os.MkdirTemp("", "dynamic-toolset-bridge-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir) //nolint:errcheck // a remaining temporary directory does no harm
	file := filepath.Join(dir, toolset.KeyHolmesGPT)
	if err := o.writeLocal(d, opened, file); err != nil {
		return err
	}
	if len(command) > 0 {
		return runCommand(o.streams, command, bridgeEnv(file, opened), signals)
	}
	if len(opened) == 0 {
		return errors.New("there is no backend to reach")
	}
	if err := printOpened(o.streams, opened); err != nil {
		return err
	}
	note(o.streams, "\nFor HolmesGPT in another terminal: export CUSTOM_TOOLSET_LOCATION=%s\nCtrl-C ends it.", file)
	select {
	case <-signals:
	case <-ctx.Done():
	}
	return nil
}

// open opens a listener for each published backend, and prints a warning for each that it cannot reach.
func (o *options) open(ctx context.Context, d *discovered) []*bridge.Opened {
	var group errgroup.Group
	opened := make([]*bridge.Opened, len(d.findings))
	for i, f := range d.findings {
		if f.Verdict != backend.Accepted || f.Candidate == nil {
			continue
		}
		group.Go(func() error {
			var err error
			if f.AgentToken && len(f.Credentials) == 0 {
				err = errors.New("it requires the token of HolmesGPT's ServiceAccount, which only its pod has: name " +
					"other credentials for it in the configuration")
			} else {
				opened[i], err = o.bridging.Open(ctx, f, o.failures(f))
			}
			if err != nil {
				warn(o.streams, "%s %s cannot be reached: %s", f.Type, f.Ref, carryText(f.Candidate, err))
			}
			return nil
		})
	}
	_ = group.Wait() // each failure is printed as a warning
	return slices.DeleteFunc(opened, func(b *bridge.Opened) bool { return b == nil })
}

// failures returns a function that describes to a client why its request was not carried. It also prints the first
// failure as a warning, because the command may not show it.
func (o *options) failures(f *backend.Finding) func(error) string {
	var first sync.Once
	return func(err error) string {
		text := carryText(f.Candidate, err)
		if !errors.Is(err, context.Canceled) {
			first.Do(func() { warn(o.streams, "%s %s: %s", f.Type, f.Ref, text) })
		}
		return text
	}
}

// carryText describes for people why a request was not carried.
func carryText(c *backend.Candidate, err error) string {
	const most = 600
	var rights *bridge.RightsError
	if own := (probe.ProxyError{}); errors.As(err, &own) && !errors.As(err, &rights) {
		return proxyText(c, own)
	}
	return safetext.Clean(err.Error(), most)
}

// writeLocal writes the document with the local addresses. It reports the backends that are left out and the variables
// that are not set.
func (o *options) writeLocal(d *discovered, opened []*bridge.Opened, file string) error {
	local := *d
	local.findings = nil
	for _, b := range opened {
		local.findings = append(local.findings, b.Finding)
	}
	doc, keys, err := local.document(nil, false)
	if err != nil {
		return err
	}
	for _, w := range view.DocumentWarnings(doc.Warnings) {
		warn(o.streams, "%s", w)
	}
	d.reportNotWritten(o.streams)
	reportVariables(o.streams, slices.DeleteFunc(doc.Variables(), func(v toolset.Variable) bool {
		_, set := os.LookupEnv(v.Name)
		return set
	}))
	return os.WriteFile(file, []byte(keys[toolset.KeyHolmesGPT]), 0o600)
}

func printOpened(s Streams, opened []*bridge.Opened) error {
	var rows [][]cell
	for _, b := range opened {
		rows = append(rows, []cell{
			{"TYPE", b.Candidate.Type}, {"INSTANCE", b.Candidate.Instance}, {"PRIMARY", yes(b.Primary)},
			{"URL", b.Endpoint()}, {"WAY", b.Way},
		})
	}
	return printTable(s.Out, rows)
}

// bridgeEnv returns the command's environment. It exempts 127.0.0.1 from the environment's HTTP proxy, because most
// libraries would use the proxy for local addresses too.
func bridgeEnv(file string, opened []*bridge.Opened) []string {
	env := append(os.Environ(), "CUSTOM_TOOLSET_LOCATION="+file)
	for _, name := range []string{"NO_PROXY", "no_proxy"} {
		hosts := "127.0.0.1"
		if others := os.Getenv(name); others != "" {
			hosts = others + "," + hosts
		}
		env = append(env, name+"="+hosts)
	}
	for _, b := range opened {
		if b.Primary {
			name := strings.ToUpper(strings.ReplaceAll(b.Candidate.Type, "-", "_"))
			env = append(env, "BRIDGE_"+name+"_URL="+b.Endpoint())
		}
	}
	return env
}
