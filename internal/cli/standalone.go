package cli

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/netip"
	"slices"

	"kubernaut.io/dynamic-toolset/internal/backend"
	"kubernaut.io/dynamic-toolset/internal/files"
	"kubernaut.io/dynamic-toolset/internal/inventory"
	"kubernaut.io/dynamic-toolset/internal/server"
	"kubernaut.io/dynamic-toolset/internal/store"
)

// serviceFiles are the files that a service without a cluster reads.
type serviceFiles struct {
	Names     []string // "-" is Stdin
	Stdin     io.Reader
	Namespace string // of objects without a namespace
}

// newFiles returns the runtime of a service that reads files. It returns an error if a file is missing or invalid at
// the start. Later such files are reported and do not end the service.
func newFiles(ctx context.Context, o *serviceOptions, denied func(netip.Addr) bool, meter *server.Metrics,
	log *slog.Logger,
) (*serviceRuntime, error) {
	c := o.Config
	read := files.ReadOptions{Namespace: o.Files.Namespace, KeepAnnotation: o.Detector.KeepAnnotation, Denied: denied,
		Links: linksFrom(o.Config, o.Detector)}
	in := files.NewSource(o.Files.Names, files.SourceOptions{
		ReadOptions: read, Stdin: o.Files.Stdin, Log: log,
		Store: store.Options{
			Relevant: o.relevant, Namespaces: c.Discovery.Namespaces,
			Exclude: leftOut(c, c.Discovery.ExcludeNamespaces),
		},
		Failed: func() { meter.Error(server.OperationList) },
	})
	if err := in.Load(ctx); err != nil {
		return nil, err
	}
	return &serviceRuntime{
		openShift: inventory.OpenShiftNamespaces, elector: single{},
		source: &source{in.Store, in.Synced(), in.Err, o.Files.lookup(read)},
		work:   []func(context.Context){in.Run},
	}, nil
}

// lookup returns a function that reads the files again for one Service.
func (f *serviceFiles) lookup(
	options files.ReadOptions,
) func(context.Context, backend.Ref) (*backend.Service, *backend.Endpoints, error) {
	return func(ctx context.Context, ref backend.Ref) (*backend.Service, *backend.Endpoints, error) {
		if slices.Contains(f.Names, files.Stdin) {
			return nil, nil, fmt.Errorf("%s: only its name was kept, since standard input can be read once", ref)
		}
		known := store.New(store.Options{
			Relevant: func(s *backend.Service) bool { return s.Ref == ref }, SlicesOptional: true,
		})
		if _, err := files.Read(ctx, f.Names, nil, known, options); err != nil {
			return nil, nil, err
		}
		service, endpoints := known.Get(ref)
		return service, endpoints, nil
	}
}
