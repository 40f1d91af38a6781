package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/netip"
	"path/filepath"
	"slices"

	"kubernaut.io/dynamic-toolset/internal/backend"
	"kubernaut.io/dynamic-toolset/internal/files"
	"kubernaut.io/dynamic-toolset/internal/inventory"
	"kubernaut.io/dynamic-toolset/internal/server"
	"kubernaut.io/dynamic-toolset/internal/store"
	"kubernaut.io/dynamic-toolset/internal/toolset"
)

// standaloneFiles are what a service without a cluster reads and writes.
type standaloneFiles struct {
	Files     []string // with Services; "-" is Stdin
	Stdin     io.Reader
	Namespace string // of objects that name none
	Dir       string // where the keys are written, a file each
}

// newStandalone makes the runtime of a service that reads files and writes files. Files that are missing or bad now
// are an error; what becomes of them later is not.
func newStandalone(ctx context.Context, o *serviceOptions, denied func(netip.Addr) bool, meter *server.Metrics,
	log *slog.Logger,
) (*serviceRuntime, error) {
	c := o.Config
	read := files.ReadOptions{Namespace: o.Standalone.Namespace, KeepAnnotation: o.Detector.KeepAnnotation, Denied: denied}
	in := files.NewSource(o.Standalone.Files, files.SourceOptions{
		ReadOptions: read, Stdin: o.Standalone.Stdin, Log: log,
		Store: store.Options{
			Relevant: o.relevant, Namespaces: c.Discovery.Namespaces, Exclude: c.Discovery.ExcludeNamespaces,
		},
		Report: func(_ string, err error) {
			if err != nil {
				meter.Error(server.OperationList)
			}
		},
	})
	if err := in.Load(ctx); err != nil {
		return nil, err
	}
	var lock *files.DirLock
	if !o.DryRun {
		var err error
		if lock, err = files.Lock(o.Standalone.Dir); err != nil {
			return nil, err
		}
	}
	out, err := files.NewOutput(o.Standalone.Dir, files.OutputOptions{Lock: lock, Log: log})
	if err == nil {
		err = foreignFile(o, out)
	}
	if err != nil {
		return nil, errors.Join(err, lock.Close())
	}
	return &serviceRuntime{
		openShift: inventory.OpenShiftNamespaces,
		source:    fileSource{in, o.Standalone.Files, read}, output: out, elector: single{},
		events: unrecorded{log}, target: o.Standalone.Dir,
		work: []func(context.Context) error{
			in.Run,
			func(ctx context.Context) error { out.Run(ctx); return nil },
		},
		close: lock.Close,
	}, nil
}

// foreignFile refuses to replace a toolset file that was written by hand: a new user may have one in that place.
func foreignFile(o *serviceOptions, out *files.Output) error {
	live := out.Live()
	if o.DryRun || live == nil || live.Data[toolset.KeyState] != "" {
		return nil
	}
	if text, ok := live.Data[toolset.KeyHolmesGPT]; ok && !toolset.Generated(text) {
		return fmt.Errorf("%s: it is not from this service, which would replace it: move it away, "+
			"and put what should stay into %s",
			filepath.Join(o.Standalone.Dir, toolset.KeyHolmesGPT), toolset.KeyOverrides)
	}
	return nil
}

// fileSource is the Services of files.
type fileSource struct {
	*files.Source
	files []string
	read  files.ReadOptions
}

// Lookup reads the files again for a Service of which only the name is kept.
func (s fileSource) Lookup(ctx context.Context, ref backend.Ref) (*backend.Service, *backend.Endpoints, error) {
	if !s.Has(ref) {
		return nil, nil, nil
	}
	if service, endpoints := s.Get(ref); service != nil {
		return service, endpoints, nil
	}
	if slices.Contains(s.files, files.Stdin) {
		return nil, nil, fmt.Errorf("%s: only its name was kept, since standard input can be read once", ref)
	}
	all := store.New(store.Options{Relevant: func(s *backend.Service) bool { return s.Ref == ref }, SlicesOptional: true})
	if _, err := files.Read(ctx, s.files, nil, all, s.read); err != nil {
		return nil, nil, err
	}
	service, endpoints := all.Get(ref)
	return service, endpoints, nil
}

// unrecorded logs warnings where there is no cluster to record Events in.
type unrecorded struct{ log *slog.Logger }

func (u unrecorded) ConfigMap(warning bool, reason, note string) {
	if warning {
		u.log.Warn("ConfigMap warning", "reason", reason, "note", note)
	}
}

func (u unrecorded) Service(s *backend.Service, warning bool, reason, note string) {
	if warning {
		u.log.Warn("Service warning", "namespace", s.Namespace, "service", s.Name, "reason", reason, "note", note)
	}
}

func (unrecorded) Clear(*backend.Service) {}
