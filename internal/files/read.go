package files

import (
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"io"
	"net/netip"
	"os"
	"slices"
	"syscall"

	"kubernaut.io/dynamic-toolset/internal/links"
	"kubernaut.io/dynamic-toolset/internal/store"
	"kubernaut.io/dynamic-toolset/internal/view"
	"kubernaut.io/dynamic-toolset/internal/yamlfile"
)

// Stdin is the path that means standard input.
const Stdin = "-"

const stdinName = "standard input"

// ReadOptions are the options of Read.
type ReadOptions struct {
	// Namespace is for objects without one, as in a chart that was rendered without a namespace. "" means "default".
	Namespace string
	// KeepAnnotation reports whether to keep an annotation of a Service. Those of kubernaut.io/ are always kept. nil
	// keeps no others.
	KeepAnnotation func(key string) bool
	// Denied reports whether an address may not be used (security.denyCIDRs). nil denies none. See
	// store.FromEndpointSlice.
	Denied func(netip.Addr) bool
	// Links has the kinds of objects that lead people to Services, such as Ingress.
	Links links.From
}

// Read reads Services and EndpointSlices from files; "-" means stdin. A file holds JSON or YAML: one object, several,
// NDJSON, or Lists. It may hold objects of other kinds too. JSON is read item by item, so that it may have any size.
//
// A Service or EndpointSlice that cannot be used is refused with a Warning, and the rest is read. An error names the
// file and, if that helps, the line. The sink then has only a part of the objects.
func Read(
	ctx context.Context, paths []string, stdin io.Reader, sink store.Sink, opts ReadOptions,
) (store.Report, error) {
	r := reader{ctx: ctx, sink: sink, opts: opts, seen: map[uint64]struct{}{}, seed: maphash.MakeSeed()}
	if r.opts.Namespace == "" {
		r.opts.Namespace = "default"
	}
	if !isLabelName(r.opts.Namespace) {
		return store.Report{}, fmt.Errorf("%s is no namespace: a DNS label is expected", quote(r.opts.Namespace))
	}
	if err := readOnce(paths); err != nil {
		return store.Report{}, err
	}
	return Await(ctx, func() (store.Report, error) {
		for _, path := range paths {
			if err := r.file(path, stdin); err != nil {
				if ctx.Err() != nil {
					return r.report, ctx.Err()
				}
				return r.report, err
			}
		}
		return r.report, nil
	})
}

// Await returns what read returns, but if ctx ends first its error: to open a pipe blocks until somebody writes to it,
// and to read one or a terminal blocks too. Then read goes on, and nobody may use what it fills.
func Await[T any](ctx context.Context, read func() (T, error)) (none T, err error) {
	var value T
	var failed error
	done := make(chan struct{})
	go func() {
		defer close(done)
		value, failed = read()
	}()
	select {
	case <-done:
		return value, failed
	case <-ctx.Done():
		return none, ctx.Err()
	}
}

// readOnce returns an error if the paths name standard input twice.
func readOnce(paths []string) error {
	first := slices.Index(paths, Stdin)
	if first >= 0 && slices.Contains(paths[first+1:], Stdin) {
		return errors.New(`standard input ("-") can be read once only, it is named twice`)
	}
	return nil
}

func (r *reader) file(path string, stdin io.Reader) error {
	in, name := stdin, stdinName
	if path != Stdin {
		f, err := os.Open(path)
		if err != nil {
			return describeFile(path, err)
		}
		defer f.Close()
		in, name = f, path
	}
	skipped, refused := r.report.Skipped, r.report.Refused
	r.name, r.objects, r.given, r.refusal = name, 0, 0, nil
	if err := r.stream(in); err != nil {
		return describeFile(name, err)
	}
	switch {
	case r.objects == 0 && r.refusal != nil:
		return fmt.Errorf("%s: no Kubernetes object in it: %s: %s", name, r.refusal.Place, view.InputFault(r.refusal))
	case r.objects == 0:
		return fmt.Errorf("%s: no Kubernetes object in it", name)
	case r.given == 0:
		r.report.Warn(store.Warning{
			Code: store.WarningNoServices, File: name,
			Skipped: r.report.Skipped - skipped, Others: r.report.Refused - refused,
		})
	}
	return nil
}

// describeFile describes in one line, which begins with the name of the file, why it cannot be read.
func describeFile(name string, err error) error {
	if errors.Is(err, syscall.EISDIR) {
		return fmt.Errorf("%s: it is a directory; name the files in it, each with a -f of its own", name)
	}
	return fmt.Errorf("%s: %w", name, yamlfile.Bare(err))
}
