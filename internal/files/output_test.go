package files

import (
	"context"
	"errors"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"

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
	if opts.Poll == 0 {
		opts.Poll = quickly
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

// started is an Output on a new directory that holds keys("1").
func started(t *testing.T, more ...string) (o *Output, dir string) {
	t.Helper()
	dir = filepath.Join(t.TempDir(), "toolsets")
	o = output(t, dir, OutputOptions{})
	publishing(t, o, publish.Desired{Keys: keys("1", more...)})
	return o, dir
}

// tree is what a directory holds, with modes, and what is told of each file that changes with each writing.
func tree(t *testing.T, dir string) (texts map[string]string, stamps map[string]fs.FileInfo) {
	t.Helper()
	texts, stamps = map[string]string{}, map[string]fs.FileInfo{}
	entries, err := os.ReadDir(dir)
	must(t, err)
	for _, e := range entries {
		info, err := e.Info()
		must(t, err)
		path := filepath.Join(dir, e.Name())
		stamps[e.Name()] = stat(path)
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
	t.Attr("req", "DTS-RUN-6 DTS-OUT-7")
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
	if !same(after["state.json"], stamps["state.json"]) {
		t.Error("what did not change was written")
	}
	if live := o.Live(); live.Data["mine.yaml"] != "" || live.Data["overrides.yaml"] == "" {
		t.Errorf("live: %v", live.Data)
	}
}

// A service that starts again finds what is right and leaves it; what differs is written, and is nobody's fault.
func TestStartOnWhatIsThere(t *testing.T) {
	t.Attr("req", "DTS-OUT-10")
	_, dir := started(t)
	write(t, filepath.Join(dir, document), "2")
	o := output(t, dir, OutputOptions{})
	if o.Live().Data["state.json"] != "1" {
		t.Errorf("the state is not read: %v", o.Live().Data)
	}
	r := publishing(t, o, publish.Desired{Keys: keys("1")})
	if d := cmp.Diff([]string{document}, r.Changed); d != "" || len(r.Drifted) != 0 {
		t.Errorf("%+v", r)
	}
}

// Somebody who mounts nothing but one file, or reads while we write, never sees half of a text.
func TestReadersSeeWholeTexts(t *testing.T) {
	t.Attr("req", "DTS-RUN-6")
	o, dir := started(t)
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
	left := filepath.Join(dir, tempName(document))
	write(t, left, "half")
	o := output(t, dir, OutputOptions{})
	if text(t, left) != "half" {
		t.Error("removed before anything is written, as with --dry-run")
	}
	publishing(t, o, publish.Desired{Keys: keys("1")})
	if _, err := os.Stat(left); !errors.Is(err, fs.ErrNotExist) || text(t, filepath.Join(dir, document)) != "1" {
		t.Errorf("after the write: %v", err)
	}
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

// Files of the admin's own keys are kept, and go when the configuration does not have them any more; another's stay, and so does
// what is no file.
func TestOwnKeysAsFiles(t *testing.T) {
	t.Attr("req", "DTS-OUT-15")
	dir := t.TempDir()
	state, err := (&publish.State{Keys: []string{"old.yaml"}}).Encode()
	must(t, err)
	for name, text := range map[string]string{"other.yaml": "x", "old.yaml": "# x", "state.json": state} {
		write(t, filepath.Join(dir, name), text)
	}
	must(t, os.Symlink("other.yaml", filepath.Join(dir, "link.yaml")))
	out := output(t, dir, OutputOptions{Own: []string{"mine.yaml", "link.yaml"}})
	live := out.Live()
	if _, there := live.BinaryData["link.yaml"]; !there || live.Data["old.yaml"] == "" || live.Data["other.yaml"] != "" {
		t.Fatalf("%q %q: a symbolic link is there, what was recorded is read, and nothing else", live.Data, live.BinaryData)
	}
	publishing(t, out, publish.Desired{Keys: keys("a: b\n", "mine.yaml"), Own: []string{"mine.yaml", "old.yaml"}})
	texts, _ := tree(t, dir)
	link, _ := os.Readlink(filepath.Join(dir, "link.yaml"))
	if _, there := texts["old.yaml"]; there || link != "other.yaml" {
		t.Errorf("link %q, %q", link, texts)
	}
	if mine, other := text(t, filepath.Join(dir, "mine.yaml")), text(t, filepath.Join(dir, "other.yaml")); mine != "a: b\n" || other != "x" {
		t.Errorf("mine %q, other %q", mine, other)
	}
}
