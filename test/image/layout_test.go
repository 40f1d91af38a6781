//go:build image

package image

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// The parts of the OCI image specification that matter here.
type (
	descriptor struct {
		MediaType string `json:"mediaType"`
		Digest    string `json:"digest"`
		Size      int64  `json:"size"`
		Platform  struct {
			OS           string `json:"os"`
			Architecture string `json:"architecture"`
		} `json:"platform"`
		Annotations map[string]string `json:"annotations"`
	}
	index struct {
		Manifests []descriptor `json:"manifests"`
	}
	manifest struct {
		Config      descriptor        `json:"config"`
		Layers      []descriptor      `json:"layers"`
		Annotations map[string]string `json:"annotations"`
	}
	config struct {
		OS           string `json:"os"`
		Architecture string `json:"architecture"`
		Config       struct {
			User       string
			Entrypoint []string
			Cmd        []string
		} `json:"config"`
	}
)

// images are those of the one index in a layout.
func images(t *testing.T, layout string) []descriptor {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(layout, "index.json"))
	check(t, err)
	var outer, inner index
	check(t, json.Unmarshal(data, &outer))
	if len(outer.Manifests) != 1 {
		t.Fatalf("%d entries in index.json, want one", len(outer.Manifests))
	}
	// kubelet asks containerd for names in full, with a registry, and finds no others.
	for _, key := range []string{"org.opencontainers.image.ref.name", "io.containerd.image.name"} {
		name := outer.Manifests[0].Annotations[key]
		if registry, path, _ := strings.Cut(name, "/"); !strings.Contains(registry, ".") || path != "kubernaut/dynamic-toolset:latest" {
			t.Errorf("%s is %q, want a registry and kubernaut/dynamic-toolset:latest", key, name)
		}
	}
	blob(t, layout, outer.Manifests[0].Digest, &inner)
	return inner.Manifests
}

// content is a blob, which must be what its digest says.
func content(t *testing.T, layout, digest string) []byte {
	t.Helper()
	algorithm, sum, _ := strings.Cut(digest, ":")
	data, err := os.ReadFile(filepath.Join(layout, "blobs", algorithm, sum))
	check(t, err)
	if got := sha256.Sum256(data); hex.EncodeToString(got[:]) != sum {
		t.Fatalf("%s has another content", digest)
	}
	return data
}

func blob(t *testing.T, layout, digest string, into any) {
	t.Helper()
	check(t, json.Unmarshal(content(t, layout, digest), into))
}

func unpackLayer(t *testing.T, layout, digest, to string) {
	t.Helper()
	z, err := gzip.NewReader(bytes.NewReader(content(t, layout, digest)))
	check(t, err)
	unpack(t, z, to)
}

// unpack writes a tar archive's files below a folder, and nowhere else.
func unpack(t *testing.T, from io.Reader, to string) {
	t.Helper()
	check(t, os.MkdirAll(to, 0o755))
	root, err := os.OpenRoot(to)
	check(t, err)
	defer root.Close()
	archive := tar.NewReader(from)
	for {
		h, err := archive.Next()
		if errors.Is(err, io.EOF) {
			return
		}
		check(t, err)
		name := strings.Trim(h.Name, "/")
		mode := h.FileInfo().Mode().Perm()
		switch h.Typeflag {
		case tar.TypeDir:
			check(t, root.MkdirAll(name, 0o755))
		case tar.TypeReg:
			check(t, root.MkdirAll(filepath.Dir(name), 0o755))
			file, err := root.OpenFile(name, os.O_CREATE|os.O_WRONLY|os.O_EXCL, mode)
			check(t, err)
			_, err = io.CopyN(file, archive, h.Size)
			check(t, errors.Join(err, file.Close()))
		default:
			t.Fatalf("%s is neither a file nor a folder", h.Name)
		}
	}
}
