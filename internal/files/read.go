package files

import (
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"io"
	"io/fs"
	"net/netip"
	"os"
	"slices"
	"syscall"

	"kubernaut.io/dynamic-toolset/internal/links"
	"kubernaut.io/dynamic-toolset/internal/store"
	"kubernaut.io/dynamic-toolset/internal/view"
)

// Stdin is the path that means standard input.
const Stdin = "-"

const stdinName = "standard input"

// ReadOptions say how objects are read.
type ReadOptions struct {
	// Namespace of objects in files that name none, as in a chart rendered without one. Default "default".
	Namespace string
	// KeepAnnotation says which annotations of a Service to keep beside kubernaut.io/…; nil keeps no others.
	KeepAnnotation func(key string) bool
	// Denied says which addresses may not be used (security.denyCIDRs); nil denies none. See store.FromEndpointSlice.
	Denied func(netip.Addr) bool
	// Links says which objects are read that lead people to Services.
	Links links.From
}

// Read reads Services and EndpointSlices from files, "-" being stdin: JSON or YAML, single objects, one behind the
// other, NDJSON, and Lists, mixed with objects of any other kind. JSON is read item by item, whatever its size.
//
// A Service or EndpointSlice that cannot be used is refused with a Warning, and the rest is read. An error names the
// file and, where that helps, the line; what the sink was given until then is incomplete.
func Read(
	ctx context.Context, paths []string, stdin io.Reader, sink store.Sink, opts ReadOptions,
) (store.Report, error) {
	r := reader{ctx: ctx, sink: sink, opts: opts, seen: make(map[uint64]struct{}), seed: maphash.MakeSeed()}
	if r.opts.Namespace == "" {
		r.opts.Namespace = "default"
	}
	if !isLabelName(r.opts.Namespace) {
		return store.Report{}, fmt.Errorf("%s is no namespace: a DNS label is expected", quote(r.opts.Namespace))
	}
	if err := readOnce(paths); err != nil {
		return store.Report{}, err
	}
	for _, path := range paths {
		if err := r.file(path, stdin); err != nil {
			if ctx.Err() != nil {
				return r.report, ctx.Err()
			}
			return r.report, err
		}
	}
	return r.report, nil
}

// readOnce refuses paths that name standard input twice.
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
		f, err := openFile(path)
		if err != nil {
			return err
		}
		defer f.Close()
		in, name = f, path
	}
	refused := r.report.Refused
	r.name, r.objects, r.given, r.refusal, r.skipped = name, 0, 0, nil, store.Kinds{}
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
			Code: store.WarningNoServices, File: name, Skipped: r.skipped, Others: r.report.Refused - refused,
		})
	}
	return nil
}

func openFile(path string) (*os.File, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, describeFile(path, err)
	}
	info, err := f.Stat()
	if err != nil {
		f.Close()
		return nil, describeFile(path, err)
	}
	if info.IsDir() {
		f.Close()
		return nil, fmt.Errorf("%s: it is a directory; name the files in it, each with a -f of its own", path)
	}
	return f, nil
}

// describeFile says what is wrong with a file in one line that begins with its name.
func describeFile(name string, err error) error {
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("%s: %w", name, explained{"no such file", fs.ErrNotExist})
	case errors.Is(err, fs.ErrPermission):
		const text = "permission denied; the user that runs this must be able to read it"
		return fmt.Errorf("%s: %w", name, explained{text, fs.ErrPermission})
	}
	var path *fs.PathError
	var errno syscall.Errno
	if errors.As(err, &path) && errors.As(err, &errno) {
		return fmt.Errorf("%s: cannot be read: %w", name, errno)
	}
	return fmt.Errorf("%s: %w", name, err)
}
