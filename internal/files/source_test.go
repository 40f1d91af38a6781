package files

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"kubernaut.io/dynamic-toolset/internal/backend"
	"kubernaut.io/dynamic-toolset/internal/store"
)

// service is a Service of the namespace ns as YAML: "name" or "name=port".
func service(spec string) string {
	name, port, _ := strings.Cut(spec, "=")
	if port == "" {
		port = "80"
	}
	namespace := "ns"
	if ns, rest, ok := strings.Cut(name, "/"); ok {
		namespace, name = ns, rest
	}
	return fmt.Sprintf(`---
apiVersion: v1
kind: Service
metadata: {name: %s, namespace: %s}
spec: {clusterIP: 10.0.0.1, selector: {app: x}, ports: [{port: %s}]}
`, name, namespace, port)
}

func services(specs ...string) string {
	var all strings.Builder
	for _, s := range specs {
		all.WriteString(service(s))
	}
	return all.String()
}

func endpoints(service, address string) string {
	return fmt.Sprintf(`---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: %s-1, namespace: ns, labels: {kubernetes.io/service-name: %s}}
addressType: IPv4
endpoints: [{addresses: [%s]}]
ports: [{port: 80}]
`, service, service, address)
}

// followed is a Source with what a controller would know of it.
type followed struct {
	*Source
	t      *testing.T
	now    map[backend.Ref]store.Change
	failed atomic.Int64
}

func follow(t *testing.T, opts SourceOptions, paths ...string) *followed {
	t.Helper()
	f := &followed{t: t, now: map[backend.Ref]store.Change{}}
	opts.Store.Relevant = func(s *backend.Service) bool {
		return !strings.HasPrefix(s.Name, "other")
	}
	if opts.Poll == 0 {
		opts.Poll = quickly
	}
	opts.Failed = func() { f.failed.Add(1) }
	f.Source = NewSource(paths, opts)
	must(t, f.Load(t.Context()))
	background(t, f.Run)
	return f
}

// seen is what a controller would know, as "name=port", with the ready address where there is one.
func (f *followed) seen() []string {
	for _, c := range f.Take() {
		f.now[c.Ref] = c
		if c.Service == nil {
			delete(f.now, c.Ref)
		}
	}
	var list []string
	for _, c := range f.now {
		text := fmt.Sprintf("%s=%d", strings.TrimPrefix(c.String(), "ns/"), c.Service.Ports[0].Number)
		switch {
		case c.Endpoints != nil && len(c.Endpoints.Slices) == 0:
			text += " none ready"
		case c.Endpoints != nil:
			text += " at " + c.Endpoints.Slices[0].Ready[0].String()
		}
		list = append(list, text)
	}
	return slices.Sorted(slices.Values(list))
}

func (f *followed) expect(what string, want ...string) {
	f.t.Helper()
	defer func() {
		if f.t.Failed() {
			f.t.Logf("%s: seen is %q", what, f.seen())
		}
	}()
	within(f.t, fmt.Sprintf("%s: %q", what, want), func() bool { return slices.Equal(f.seen(), want) })
}

// fails waits for an error with that text.
func (f *followed) fails(what, want string) {
	f.t.Helper()
	within(f.t, what+": "+want, func() bool { return f.Err() != nil && strings.Contains(f.Err().Error(), want) })
	if lines := strings.Count(f.Err().Error(), "\n"); lines > 0 {
		f.t.Errorf("%s: the error has several lines: %v", what, f.Err())
	}
}

func (f *followed) good(what string) {
	f.t.Helper()
	within(f.t, what+": no error", func() bool { return f.Err() == nil })
}

func TestFilesAreFollowed(t *testing.T) {
	t.Attr("req", "DTS-RUN-6")
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		path := filepath.Join(dir, "services.yaml")
		write(t, path, services("a", "b"))
		f := follow(t, SourceOptions{}, path)
		receive(t, "synced", f.Synced())
		f.expect("at first", "a=80", "b=80")

		write(t, path, services("a", "b=81", "c"))
		f.expect("written in place", "a=80", "b=81", "c=80")
		replace(t, path, services("a", "c"))
		f.expect("replaced by rename", "a=80", "c=80")
		write(t, path, services("a", "c")+endpoints("a", "10.0.0.9"))
		f.expect("with slices, of which one has none", "a=80 at 10.0.0.9", "c=80 none ready")
		write(t, path, services("a", "c")+endpoints("a", "10.0.0.8"))
		f.expect("another endpoint", "a=80 at 10.0.0.8", "c=80 none ready")
		write(t, path, services("a", "c"))
		f.expect("without slices", "a=80", "c=80")
		write(t, path, `{"apiVersion": "v1", "kind": "List", "items": []}`)
		f.expect("an empty List")
		if n := f.failed.Load(); n != 0 {
			t.Errorf("%d errors", n)
		}
	})
}

func TestTheSameContentAgainIsNoChange(t *testing.T) {
	t.Attr("req", "DTS-RUN-6")
	synctest.Test(t, func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "services.yaml")
		text := services("a", "other") + endpoints("a", "10.0.0.9")
		write(t, path, text)
		f := follow(t, SourceOptions{}, path)
		f.expect("at first", "a=80 at 10.0.0.9")
		<-f.Changes()
		must(t, os.Chtimes(path, time.Now(), time.Now().Add(-time.Hour)))
		replace(t, path, text)
		silent(t, "the same again", f.Changes())
	})
}

// A ConfigMap that is mounted: the file is a link into ..data, which is a link that is swapped.
func TestSwappedLinksAreFollowed(t *testing.T) {
	t.Attr("req", "DTS-RUN-6")
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		swap := func(version, text string) {
			must(t, os.Mkdir(filepath.Join(dir, version), 0o755))
			write(t, filepath.Join(dir, version, "services.yaml"), text)
			must(t, os.Symlink(version, filepath.Join(dir, "..tmp")))
			must(t, os.Rename(filepath.Join(dir, "..tmp"), filepath.Join(dir, "..data")))
		}
		swap("..1", services("a"))
		path := filepath.Join(dir, "services.yaml")
		must(t, os.Symlink("..data/services.yaml", path))
		f := follow(t, SourceOptions{}, path)
		f.expect("at first", "a=80")
		swap("..2", services("b"))
		f.expect("swapped", "b=80")
		write(t, filepath.Join(dir, "..2", "services.yaml"), services("c"))
		f.expect("written behind the link", "c=80")
		must(t, os.RemoveAll(filepath.Join(dir, "..1")))
		swap("..3", services("d"))
		f.expect("swapped again", "d=80")
	})
}

func TestLastGoodStays(t *testing.T) {
	t.Attr("req", "DTS-RUN-6 DTS-OUT-9")
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		path, other := filepath.Join(dir, "services.yaml"), filepath.Join(dir, "other.yaml")
		replace(t, path, services("a", "b")+endpoints("a", "10.0.0.9"))
		replace(t, other, services("x"))
		f := follow(t, SourceOptions{}, path, other)
		before := []string{"a=80 at 10.0.0.9", "b=80 none ready", "x=80 none ready"}
		f.expect("at first", before...)
		for i, step := range []struct {
			name string
			do   func()
			err  string
		}{
			{"rubbish", func() { replace(t, path, services("a")+"---\na: b: c\n") }, path + ": line 7: not valid YAML"},
			{"cut off", func() { replace(t, path, `{"kind": "List", "items": [`) }, path + ": line 1: the JSON ends in the middle"},
			{"empty", func() { replace(t, path, "") }, path + ": it is empty; correct it"},
			{"vanished", func() { must(t, os.Remove(path)) }, path + ": no such file or directory; put it back; until then, what could be used of it stays in use"},
			{"a directory", func() { must(t, os.Mkdir(path, 0o755)) }, path + ": it is a directory"},
			{"a Service spoilt", func() {
				must(t, os.RemoveAll(path))
				replace(t, path, services("a", "b=abc")+endpoints("a", "10.0.0.9"))
			}, "document 2 (line 6): Service ns/b: "},
			{"a slice spoilt", func() {
				replace(t, path, services("a", "b")+strings.Replace(endpoints("a", "10.0.0.9"), "port: 80", "port: 0", 1))
			}, "EndpointSlice ns/a-1: ports[0]"},
		} {
			step.do()
			f.fails(step.name, step.err)
			f.expect(step.name, before...)
			within(t, step.name+": one error more", func() bool { return f.failed.Load() == int64(i+1) })
		}
		replace(t, other, services("z")) // the other one goes on
		f.expect("the other file", "a=80 at 10.0.0.9", "b=80 none ready", "z=80 none ready")
		replace(t, path, services("a=82", "b"))
		f.good("good again")
		f.expect("good again", "a=82", "b=80", "z=80")
	})
}

// What is written bit by bit is read when it is complete: half of it is valid too.
func TestHalfWrittenFileIsNotRead(t *testing.T) {
	t.Attr("req", "DTS-RUN-6")
	synctest.Test(t, func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "services.yaml")
		write(t, path, services("a", "b", "c"))
		f := follow(t, SourceOptions{Poll: 100 * time.Millisecond}, path)
		f.expect("at first", "a=80", "b=80", "c=80")
		<-f.Changes()
		file, err := os.Create(path)
		must(t, err)
		defer file.Close()
		pause := time.NewTicker(50 * time.Millisecond)
		defer pause.Stop()
		for part := range strings.SplitAfterSeq(strings.TrimSuffix(services("a=81", "b=81", "c=81"), "\n"), "\n") {
			_, err := file.WriteString(part)
			must(t, err)
			<-pause.C
			if changes := f.Take(); len(changes) > 0 {
				t.Fatalf("half of the file was read: %v", changes)
			}
		}
		f.expect("complete", "a=81", "b=81", "c=81")
		if n := f.failed.Load(); n != 0 {
			t.Errorf("%d errors", n)
		}
	})
}

func TestSeveralFilesAreOneWorld(t *testing.T) {
	t.Attr("req", "DTS-RUN-6")
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		first, second := filepath.Join(dir, "1.yaml"), filepath.Join(dir, "2.yaml")
		write(t, first, services("a", "both=1", "out/x", "other"))
		write(t, second, services("both=2", "b"))
		f := follow(t, SourceOptions{Store: store.Options{Exclude: []string{"out"}}}, first, second)
		f.expect("the later file counts", "a=80", "b=80", "both=2")
		if d := cmp.Diff([]backend.Ref{{Namespace: "ns", Name: "other"}}, f.Others()); d != "" {
			t.Errorf("others: -want +got:\n%s", d)
		}
		write(t, second, services("b"))
		f.expect("gone from the later file", "a=80", "b=80", "both=1")
		write(t, first, services("a", "b=1"))
		f.expect("b is in both", "a=80", "b=80")

		only := follow(t, SourceOptions{Store: store.Options{Namespaces: []string{"out"}}}, first)
		write(t, first, services("a", "out/x"))
		only.expect("of one namespace", "out/x=80")
	})
}

func TestWhatCanBeReadOnceIsNotFollowed(t *testing.T) {
	t.Attr("req", "DTS-RUN-6")
	synctest.Test(t, func(t *testing.T) {
		fifo := filepath.Join(t.TempDir(), "pipe")
		must(t, syscall.Mkfifo(fifo, 0o644))
		go func() {
			w, err := os.OpenFile(fifo, os.O_WRONLY, 0)
			if err == nil {
				_, _ = w.WriteString(services("b"))
				w.Close()
			}
		}()
		f := follow(t, SourceOptions{Stdin: strings.NewReader(services("a"))}, "-", fifo)
		f.expect("at first", "a=80", "b=80")
		<-time.After(quietTime)
		f.expect("and still", "a=80", "b=80")
		if f.Err() != nil {
			t.Error(f.Err())
		}
	})
}

func TestBadFilesAtTheStart(t *testing.T) {
	t.Attr("req", "DTS-RUN-6")
	dir := t.TempDir()
	good, bad, missing := filepath.Join(dir, "good"), filepath.Join(dir, "bad"), filepath.Join(dir, "missing")
	write(t, good, services("a"))
	write(t, bad, "a: b: c")
	for _, c := range []struct {
		name  string
		paths []string
		want  string
		is    error
	}{
		{"missing", []string{good, missing}, missing + ": no such file", fs.ErrNotExist},
		{"bad", []string{good, bad}, bad + ": the document that begins in line 1: not valid YAML", nil},
		{"twice stdin", []string{"-", "-"}, "standard input (\"-\") can be read once only", nil},
	} {
		s := NewSource(c.paths, SourceOptions{
			Stdin: strings.NewReader(services("a")), Store: store.Options{Relevant: func(*backend.Service) bool { return true }},
		})
		err := s.Load(t.Context())
		if err == nil || !strings.HasPrefix(err.Error(), c.want) || c.is != nil && !errors.Is(err, c.is) {
			t.Errorf("%s: %v, want %q", c.name, err, c.want)
		}
		select {
		case <-s.Synced():
			t.Errorf("%s: it is synced", c.name)
		default:
		}
	}
}

// One object that is no good keeps nobody from starting.
func TestRefusedAtTheStart(t *testing.T) {
	t.Attr("req", "DTS-RUN-6")
	synctest.Test(t, func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "services.yaml")
		write(t, path, services("a", "b=abc", "c=abc"))
		var log bytes.Buffer
		f := follow(t, SourceOptions{Log: slog.New(slog.NewTextHandler(&log, nil))}, path)
		f.expect("at first", "a=80")
		f.fails("at first", "Service ns/b: ")
		f.fails("at first", "cannot be used: 2)")
		if n := strings.Count(log.String(), " code=invalid what="); n != 2 {
			t.Errorf("the log is\n%s", log.String())
		}
	})
}
