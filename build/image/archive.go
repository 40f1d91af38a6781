package main

import (
	"archive/tar"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/distribution/reference"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	blank "github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/layout"
)

// write puts the image into one file, as an OCI layout, and returns its size in bytes. The order and times of what is in it
// are always the same. The name is written in full, with the registry that a short one stands for: containerd keeps it as it
// is, and kubelet finds none but full ones.
func write(index v1.ImageIndex, name, path string) (size int64, err error) {
	full, err := reference.ParseDockerRef(name)
	if err != nil {
		return 0, fmt.Errorf("-name %s: %w; expected such as kubernaut/dynamic-toolset:latest", name, err)
	}
	dir, err := os.MkdirTemp(filepath.Dir(path), "layout-")
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	to, err := layout.Write(dir, blank.Index)
	if err != nil {
		return 0, fmt.Errorf("OCI layout: %w", err)
	}
	if err := to.AppendIndex(index, layout.WithAnnotations(map[string]string{
		"org.opencontainers.image.ref.name": full.String(), // read by podman and skopeo
		"io.containerd.image.name":          full.String(), // by Docker, containerd and kind
	})); err != nil {
		return 0, fmt.Errorf("OCI layout: %w", err)
	}
	file, err := os.Create(path)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	if err := pack(file, os.DirFS(dir)); err != nil {
		return 0, fmt.Errorf("%s: %w", path, err)
	}
	return file.Seek(0, io.SeekCurrent)
}

// pack writes files and directories as a tar archive, in the order of their names.
func pack(w io.Writer, from fs.FS) error {
	archive := tar.NewWriter(w)
	err := fs.WalkDir(from, ".", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || path == "." {
			return err
		}
		if entry.IsDir() {
			return archive.WriteHeader(&tar.Header{Typeflag: tar.TypeDir, Name: path + "/", Mode: 0o755})
		}
		data, err := fs.ReadFile(from, path)
		if err != nil {
			return err
		}
		if err := archive.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: path, Mode: 0o644, Size: int64(len(data))}); err != nil {
			return err
		}
		_, err = archive.Write(data)
		return err
	})
	if err != nil {
		return err
	}
	return archive.Close()
}
