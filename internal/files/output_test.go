package files

import (
	"context"
	"errors"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"

	"kubernaut.io/dynamic-toolset/internal/publish"
)

const document = "custom_toolset.yaml"

// keys are generated ones: all with that text.
func keys(text string, names ...string) map[string]string {
	m := map[string]string{}
	for _, name := range append(names, document, "state.json") {
		m[name] = text
	}
	return m
}

func always(d publish.Desired) publish.Build {
	return func(*corev1.ConfigMap) (publish.Desired, error) { return d, nil }
}

// output is an Output on dir that nobody follows.
func output(t *testing.T, dir string, opts OutputOptions) *Output {
	t.Helper()
	if opts.Settle == 0 {
		opts.Settle = quickly
	}
	o, err := NewOutput(dir, opts)
	must(t, err)
	o.NewTerm()
	return o
}

func publishing(t *testing.T, o *Output, d publish.Desired) publish.Result {
	t.Helper()
	r, err := o.Publish(t.Context(), always(d))
	must(t, err)
	return r
}

// tree is what a directory holds, with modes, and what is told of each file that changes with each writing.
func tree(t *testing.T, dir string) (texts map[string]string, stamps map[string]stamp) {
	t.Helper()
	texts, stamps = map[string]string{}, map[string]stamp{}
	entries, err := os.ReadDir(dir)
	must(t, err)
	for _, e := range entries {
		info, err := e.Info()
		must(t, err)
		path := filepath.Join(dir, e.Name())
		stamps[e.Name()] = stampOf(path)
		switch {
		case info.Mode().IsRegular():
			texts[e.Name()] = info.Mode().String() + " " + text(t, path)
		default:
			texts[e.Name()] = info.Mode().Type().String()
		}
	}
	return texts, stamps
}

func TestKeysAreWrittenAsFiles(t *testing.T) {
	t.Attr("req", "DTS-RUN-6")
	t.Attr("req", "DTS-OUT-7")
	dir := filepath.Join(t.TempDir(), "made", "toolsets")
	o := output(t, dir, OutputOptions{})
	if o.Live() != nil || o.Gone() != nil {
		t.Fatal("there is something before it is written")
	}
	r := publishing(t, o, publish.Desired{Keys: keys("1", "loki-toolset.yaml")})
	if !r.Created || !r.Written || len(r.Changed) != 3 || len(r.Drifted) != 0 || r.Live == nil || r.Live.Data[document] != "1" {
		t.Errorf("the first: %+v", r)
	}
	write(t, filepath.Join(dir, "overrides.yaml"), "toolsets: {}\n")
	write(t, filepath.Join(dir, "mine.yaml"), "mine")
	must(t, os.Chmod(filepath.Join(dir, "mine.yaml"), 0o400))
	publishing(t, o, publish.Desired{Keys: keys("1", "loki-toolset.yaml")}) // overrides.yaml is new
	const rw = "-rw-r--r-- "
	before, stamps := tree(t, dir)
	want := map[string]string{
		document: rw + "1", "state.json": rw + "1", "loki-toolset.yaml": rw + "1",
		"overrides.yaml": rw + "toolsets: {}\n", "mine.yaml": "-r-------- mine",
	}
	if d := cmp.Diff(want, before); d != "" {
		t.Errorf("-want +got:\n%s", d)
	}
	for range 3 { // quiet
		if r := publishing(t, o, publish.Desired{Keys: keys("1", "loki-toolset.yaml")}); r.Written {
			t.Errorf("a quiet cycle: %+v", r)
		}
	}
	_, after := tree(t, dir)
	same := func(a, b stamp) bool { return a.same(b) }
	if !maps.EqualFunc(stamps, after, same) {
		t.Error("a quiet cycle has written")
	}

	next := keys("1")
	next[document] = "2"
	r = publishing(t, o, publish.Desired{Keys: next})
	if d := cmp.Diff([][]string{{document}, {"loki-toolset.yaml"}}, [][]string{r.Changed, r.Removed}); d != "" || len(r.Drifted) != 0 {
		t.Errorf("what changed: -want +got:\n%s%v", d, r.Drifted)
	}
	delete(want, "loki-toolset.yaml")
	want[document] = rw + "2"
	now, after := tree(t, dir)
	if d := cmp.Diff(want, now); d != "" {
		t.Errorf("-want +got:\n%s", d)
	}
	if !after["state.json"].same(stamps["state.json"]) {
		t.Error("what did not change was written")
	}
	if live := o.Live(); live.Data["mine.yaml"] != "" || live.Data["overrides.yaml"] == "" {
		t.Errorf("live: %v", live.Data)
	}
}

// A service that starts again finds what is right and leaves it; what differs is written, and is nobody's fault.
func TestStartOnWhatIsThere(t *testing.T) {
	t.Attr("req", "DTS-OUT-10")
	dir := t.TempDir()
	publishing(t, output(t, dir, OutputOptions{}), publish.Desired{Keys: keys("1")})
	must(t, os.Chmod(filepath.Join(dir, "state.json"), 0o600))
	o := output(t, dir, OutputOptions{})
	if o.Live().Data["state.json"] != "1" {
		t.Errorf("the state is not read: %v", o.Live().Data)
	}
	r := publishing(t, o, publish.Desired{Keys: keys("1")})
	if d := cmp.Diff([]string{"state.json"}, r.Changed); d != "" || len(r.Drifted) != 0 {
		t.Errorf("%+v", r)
	}
}

func TestDriftOnDiskIsRepaired(t *testing.T) {
	t.Attr("req", "DTS-OUT-8")
	t.Attr("req", "DTS-RUN-6")
	outside := t.TempDir()
	victim := filepath.Join(outside, "victim")
	write(t, victim, "precious")
	for _, c := range []struct {
		name    string
		do      func(path string) error
		manager string
		key     string // document, unless it says another
	}{
		{"edited", func(p string) error { return os.WriteFile(p, []byte("theirs"), 0o644) }, somebody, ""},
		{"truncated", func(p string) error { return os.Truncate(p, 0) }, somebody, ""},
		{"deleted", os.Remove, "", ""},
		{"a link to another file", func(p string) error { return errors.Join(os.Remove(p), os.Symlink(victim, p)) }, somebody, ""},
		{"a link to nothing", func(p string) error { return errors.Join(os.Remove(p), os.Symlink("nothing", p)) }, somebody, ""},
		{"a link to the right text", func(p string) error {
			right := filepath.Join(outside, "right")
			return errors.Join(os.WriteFile(right, []byte("1"), 0o644), os.Remove(p), os.Symlink(right, p))
		}, somebody, ""},
		{"a directory", func(p string) error { return errors.Join(os.Remove(p), os.Mkdir(p, 0o755)) }, somebody, ""},
		{"a pipe", func(p string) error { makePipe(t, p+".pipe"); return os.Rename(p+".pipe", p) }, somebody, ""},
		{"read-only", func(p string) error { return os.Chmod(p, 0o444) }, somebody, ""},
		{"chmod 000", func(p string) error { return os.Chmod(p, 0) }, somebody, ""},
		{"not text", func(p string) error { return os.WriteFile(p, []byte("\xff\xfe"), 0o644) }, somebody, ""},
		{"huge", func(p string) error { return os.Truncate(p, 1<<30) }, somebody, ""},
		{"a reserved name", func(p string) error {
			return os.WriteFile(filepath.Join(filepath.Dir(p), "x-toolset.yaml"), []byte("theirs"), 0o644)
		}, somebody, "x-toolset.yaml"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Attr("req", "DTS-OUT-8")
			dir := t.TempDir()
			o := output(t, dir, OutputOptions{Poll: time.Hour})
			want := publish.Desired{Keys: keys("1", "loki-toolset.yaml")}
			publishing(t, o, want)
			clean, _ := tree(t, dir)
			background(t, o.Run)
			silent(t, "nothing happened", o.Moved())
			must(t, c.do(filepath.Join(dir, document)))
			receive(t, "it is noticed", o.Moved())
			key := document
			if c.key != "" {
				key = c.key
			}
			drift := []publish.Drift{{Key: key, Manager: c.manager}}
			if d := cmp.Diff(drift, o.Drifted(o.Live(), want)); d != "" {
				t.Errorf("drifted: -want +got:\n%s", d)
			}
			// As long as it is held, it stays.
			held := want
			held.Hold = []string{key}
			if r := publishing(t, o, held); r.Written || !slices.Equal(r.Held, held.Hold) || len(r.Drifted) != 0 {
				t.Errorf("held: %+v", r)
			}
			r := publishing(t, o, want)
			if d := cmp.Diff(drift, r.Drifted); d != "" || !r.Written {
				t.Errorf("repaired: -want +got:\n%s", d)
			}
			now, _ := tree(t, dir)
			if d := cmp.Diff(clean, now); d != "" {
				t.Errorf("after the repair: -want +got:\n%s", d)
			}
			silent(t, "our own repair", o.Moved())
		})
	}
	if got := text(t, victim); got != "precious" {
		t.Errorf("a link was written through: %q", got)
	}
}

// A directory somebody has put things into is moved aside: it may be all there is of them.
func TestFullDirectoryInTheWay(t *testing.T) {
	t.Attr("req", "DTS-OUT-8")
	dir := t.TempDir()
	o := output(t, dir, OutputOptions{})
	publishing(t, o, publish.Desired{Keys: keys("1", "loki-toolset.yaml")})
	for _, name := range []string{document, "loki-toolset.yaml"} {
		must(t, os.Remove(filepath.Join(dir, name)))
		must(t, os.Mkdir(filepath.Join(dir, name), 0o755))
		write(t, filepath.Join(dir, name, "precious"), "precious")
	}
	publishing(t, o, publish.Desired{Keys: keys("1")})
	texts, _ := tree(t, dir)
	aside, err := filepath.Glob(filepath.Join(dir, "*.moved-aside-*", "precious"))
	must(t, err)
	if texts[document] != "-rw-r--r-- 1" || texts["loki-toolset.yaml"] != "" || len(aside) != 2 {
		t.Errorf("there is %v, aside %v", texts, aside)
	}
}

// Somebody who mounts nothing but one file, or reads while we write, never sees half of a text.
func TestReadersSeeWholeTexts(t *testing.T) {
	t.Attr("req", "DTS-RUN-6")
	dir := t.TempDir()
	o := output(t, dir, OutputOptions{})
	old, fresh := strings.Repeat("a", 100<<10), strings.Repeat("b", 120<<10)
	publishing(t, o, publish.Desired{Keys: keys(old)})
	done := make(chan struct{})
	go func() {
		defer close(done)
		for i := range 40 {
			next := old
			if i%2 == 0 {
				next = fresh
			}
			if _, err := o.Publish(t.Context(), always(publish.Desired{Keys: keys(next)})); err != nil {
				t.Error(err)
			}
		}
	}()
	for n := 0; ; n++ {
		if got := text(t, filepath.Join(dir, document)); got != old && got != fresh {
			t.Fatalf("%d bytes were read", len(got))
		}
		select {
		case <-done:
			return
		default:
		}
	}
}

func TestWhatAKilledProcessLeft(t *testing.T) {
	t.Attr("req", "DTS-RUN-6")
	dir := t.TempDir()
	lock, err := Lock(dir)
	must(t, err)
	defer lock.Close()
	left := filepath.Join(dir, tempPrefix+"abc"+tempSuffix)
	write(t, left, "hal")
	output(t, dir, OutputOptions{}) // as with --dry-run
	if text(t, left) != "hal" {
		t.Error("removed without the lock")
	}
	o := output(t, dir, OutputOptions{Lock: lock})
	if _, err := os.Stat(left); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("after the start: %v", err)
	}
	publishing(t, o, publish.Desired{Keys: keys("1")})
	write(t, left, "hal")
	publishing(t, o, publish.Desired{Keys: keys("1")})
	if _, err := os.Stat(left); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("after a quiet cycle: %v", err)
	}
}

func TestDeletedDirectoryComesBack(t *testing.T) {
	t.Attr("req", "DTS-OUT-8")
	dir := filepath.Join(t.TempDir(), "toolsets")
	lock, err := Lock(dir)
	must(t, err)
	defer lock.Close()
	o := output(t, dir, OutputOptions{Lock: lock, Poll: time.Hour})
	publishing(t, o, publish.Desired{Keys: keys("1")})
	write(t, filepath.Join(dir, "overrides.yaml"), "toolsets: {}\n")
	background(t, o.Run)
	within(t, "the overrides are seen", func() bool { return string(overridesOf(o.Live())) != "" })
	first := o.Live()
	for range 3 {
		for len(o.Moved()) > 0 {
			<-o.Moved()
		}
		must(t, os.RemoveAll(dir))
		within(t, "it is gone", func() bool { return o.Live() == nil })
		receive(t, "it is noticed", o.Moved())
		if gone := o.Gone(); gone.Data["overrides.yaml"] != "toolsets: {}\n" {
			t.Fatalf("gone: %+v", gone)
		}
		var seen []*corev1.ConfigMap
		r, err := o.Publish(t.Context(), func(live *corev1.ConfigMap) (publish.Desired, error) {
			seen = append(seen, live)
			return publish.Desired{Keys: keys("1"), Restore: "toolsets: {}\n"}, nil
		})
		must(t, err)
		if !r.Created || !r.Restored || r.Live.UID == first.UID || r.Live.ResourceVersion == first.ResourceVersion || !slices.Equal(seen, []*corev1.ConfigMap{nil}) {
			t.Errorf("brought back: %+v, of %v", r, seen)
		}
		first = r.Live
		texts, _ := tree(t, dir)
		if d := cmp.Diff([]string{lockName, document, "overrides.yaml", "state.json"}, slices.Sorted(maps.Keys(texts))); d != "" {
			t.Errorf("-want +got:\n%s", d)
		}
		if _, err := Lock(dir); !errors.Is(err, ErrInUse) {
			t.Errorf("the new directory is not locked: %v", err)
		}
	}
	// It is still followed.
	write(t, filepath.Join(dir, document), "theirs")
	within(t, "drift in the new one", func() bool { return o.Live().Data[document] == "theirs" })
}

func TestTextMadeMeanwhileWins(t *testing.T) {
	t.Attr("req", "DTS-OUT-8")
	dir := filepath.Join(t.TempDir(), "toolsets")
	o := output(t, dir, OutputOptions{})
	calls := 0
	r, err := o.Publish(t.Context(), func(live *corev1.ConfigMap) (publish.Desired, error) {
		if calls++; calls == 1 {
			must(t, os.Mkdir(dir, 0o755))
			write(t, filepath.Join(dir, "overrides.yaml"), "theirs")
		} else if live == nil || live.Data["overrides.yaml"] != "theirs" {
			t.Errorf("asked again with %v", live)
		}
		return publish.Desired{Keys: keys("1"), Restore: "ours"}, nil
	})
	must(t, err)
	if calls != 2 || r.Restored || text(t, filepath.Join(dir, "overrides.yaml")) != "theirs" {
		t.Errorf("after %d calls: %+v", calls, r)
	}
}

// Another directory of that name is another ConfigMap, even where the file system gives it the same inode.
func TestReplacedDirectoryIsAnother(t *testing.T) {
	t.Attr("req", "DTS-OUT-8")
	top := t.TempDir()
	dir := filepath.Join(top, "toolsets")
	o := output(t, dir, OutputOptions{})
	publishing(t, o, publish.Desired{Keys: keys("1")})
	write(t, filepath.Join(dir, "overrides.yaml"), "a: 1")
	publishing(t, o, publish.Desired{Keys: keys("1")})
	within(t, "the overrides are seen", func() bool { o.look(); return overridesOf(o.Live()) != nil })
	before := o.Live()
	must(t, os.RemoveAll(dir))
	must(t, os.Mkdir(dir, 0o755))
	o.look()
	if now := o.Live(); now == nil || now.UID == before.UID || len(now.Data) != 0 || o.Gone() != before {
		t.Errorf("it is %+v, gone is %+v", now, o.Gone())
	}
	receive(t, "it is told", o.Moved())
}

func TestStopBeforeWriting(t *testing.T) {
	t.Attr("req", "DTS-OUT-9")
	dir := t.TempDir()
	o := output(t, dir, OutputOptions{})
	ctx, stop := context.WithCancel(t.Context())
	stop()
	if _, err := o.Publish(ctx, always(publish.Desired{Keys: keys("1")})); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	wrong := errors.New("wrong")
	if _, err := o.Publish(t.Context(), func(*corev1.ConfigMap) (publish.Desired, error) { return publish.Desired{}, wrong }); !errors.Is(err, wrong) {
		t.Error(err)
	}
	if texts, _ := tree(t, dir); len(texts) > 0 {
		t.Errorf("written: %v", texts)
	}
}
