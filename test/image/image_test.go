//go:build image

// Package image builds the shipped container image and checks its content, without a container engine. Run it with:
// make test-image
package image

import (
	"bytes"
	"debug/elf"
	"encoding/json"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestImage: what is in it, and that it is the same from another folder.
func TestImage(t *testing.T) {
	t.Attr("req", "DTS-PKG-1 DTS-SEC-2")
	tool := builder(t)
	here, there := filepath.Join(t.TempDir(), "here"), filepath.Join(t.TempDir(), "and", "there")
	copyTree(t, repository(t), here)
	copyTree(t, here, there)
	first, second := build(t, tool, here), build(t, tool, there)
	if a, b := digest(t, first), digest(t, second); a != b {
		t.Errorf("the same sources make %s, and then %s", a, b)
	}
	archive := filepath.Join(first, "dynamic-toolset.tar")
	a, err := os.ReadFile(archive)
	check(t, err)
	b, err := os.ReadFile(filepath.Join(second, "dynamic-toolset.tar"))
	check(t, err)
	if !bytes.Equal(a, b) {
		t.Error("the archives differ")
	}

	layout := filepath.Join(t.TempDir(), "layout")
	unpack(t, bytes.NewReader(a), layout)
	images := images(t, layout)
	var platforms []string
	for _, i := range images {
		platforms = append(platforms, i.Platform.OS+"/"+i.Platform.Architecture)
	}
	slices.Sort(platforms)
	if d := cmp.Diff([]string{"linux/amd64", "linux/arm64"}, platforms); d != "" {
		t.Fatalf("platforms (-want +got):\n%s", d)
	}
	for _, i := range images {
		t.Run(i.Platform.Architecture, func(t *testing.T) { inspect(t, layout, first, i) })
	}
}

func inspect(t *testing.T, layout, out string, i descriptor) {
	t.Helper()
	var m manifest
	blob(t, layout, i.Digest, &m)
	var c config
	blob(t, layout, m.Config.Digest, &c)
	if c.Architecture != i.Platform.Architecture || c.OS != "linux" {
		t.Errorf("the configuration is for %s/%s", c.OS, c.Architecture)
	}
	if c.Config.User != "65532:65532" {
		t.Errorf("it runs as %q", c.Config.User)
	}
	const program = "/ko-app/dynamic-toolset"
	if d := cmp.Diff([]string{program}, c.Config.Entrypoint); d != "" || len(c.Config.Cmd) > 0 {
		t.Errorf("entrypoint (-want +got):\n%s\narguments %v", d, c.Config.Cmd)
	}
	if got := m.Annotations["org.opencontainers.image.base.name"]; got != "scratch" {
		t.Errorf("it says it is based on %q", got)
	}

	root := filepath.Join(t.TempDir(), "root")
	var size int64
	for _, layer := range m.Layers {
		size += layer.Size
		unpackLayer(t, layout, layer.Digest, root)
	}
	t.Logf("%d bytes compressed", size)
	const certificates = "etc/ssl/certs/ca-certificates.crt"
	if d := cmp.Diff([]string{certificates, strings.TrimPrefix(program, "/")}, files(t, root)); d != "" {
		t.Errorf("files (-want +got):\n%s", d)
	}
	static(t, filepath.Join(root, program))
	authorities(t, filepath.Join(root, certificates))
	bill(t, filepath.Join(out, "sbom", "dynamic-toolset-linux-"+i.Platform.Architecture+".spdx.json"))
	if i.Platform.Architecture == native {
		runs(t, root, program)
	}
}

// static: nothing has to be loaded with it.
func static(t *testing.T, path string) {
	t.Helper()
	f, err := elf.Open(path)
	check(t, err)
	defer f.Close()
	libraries, err := f.ImportedLibraries()
	if err != nil || len(libraries) > 0 {
		t.Errorf("it is linked with %v, %v", libraries, err)
	}
	for _, p := range f.Progs {
		if p.Type == elf.PT_INTERP {
			t.Error("it wants a dynamic linker")
		}
	}
	info, err := os.Stat(path)
	check(t, err)
	t.Logf("the program has %d bytes", info.Size())
}

// bill: the SBOM is SPDX and names what the program is made of.
func bill(t *testing.T, path string) {
	t.Helper()
	data, err := os.ReadFile(path)
	check(t, err)
	var document struct {
		Version  string `json:"spdxVersion"`
		Packages []struct {
			Name string `json:"name"`
		} `json:"packages"`
	}
	check(t, json.Unmarshal(data, &document))
	if !strings.HasPrefix(document.Version, "SPDX-") {
		t.Errorf("%s: spdxVersion is %q", path, document.Version)
	}
	for _, want := range []string{"k8s.io/client-go", "github.com/prometheus/client_golang"} {
		found := false
		for _, p := range document.Packages {
			found = found || p.Name == want
		}
		if !found {
			t.Errorf("%s does not name %s", path, want)
		}
	}
}

// files are the regular files, and what else is no directory.
func files(t *testing.T, root string) []string {
	t.Helper()
	var list []string
	check(t, fs.WalkDir(os.DirFS(root), ".", func(path string, entry fs.DirEntry, err error) error {
		if err == nil && !entry.IsDir() {
			list = append(list, path)
		}
		return err
	}))
	return list
}
