package main

import (
	"archive/tar"
	"bytes"
	"context"
	"encoding/pem"
	"fmt"
	"io"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	blank "github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/google/go-containerregistry/pkg/v1/types"
	"github.com/google/ko/pkg/build"
	"golang.org/x/crypto/x509roots/fallback/bundle"
)

// user is who the program runs as: nobody that a system knows, as in the distroless images.
const user = "65532:65532"

// empty makes a base image that holds the public certificate authorities and nothing else. Backends and API servers may have
// certificates of theirs.
func empty(platforms []string) (build.GetBase, error) {
	layer, err := authorities()
	if err != nil {
		return nil, fmt.Errorf("certificate authorities: %w", err)
	}
	index := mutate.IndexMediaType(blank.Index, types.OCIImageIndex)
	for _, p := range platforms {
		platform, err := v1.ParsePlatform(p)
		if err != nil {
			return nil, fmt.Errorf(".ko.yaml: defaultPlatforms: %w", err)
		}
		image := mutate.ConfigMediaType(mutate.MediaType(blank.Image, types.OCIManifestSchema1), types.OCIConfigJSON)
		if image, err = mutate.ConfigFile(image, &v1.ConfigFile{
			OS: platform.OS, Architecture: platform.Architecture, Variant: platform.Variant,
			RootFS: v1.RootFS{Type: "layers"}, Config: v1.Config{User: user, WorkingDir: "/"},
		}); err != nil {
			return nil, err
		}
		if image, err = mutate.Append(image, mutate.Addendum{
			Layer: layer, MediaType: types.OCILayer,
			History: v1.History{CreatedBy: "build/image", Comment: "public certificate authorities, of Mozilla's store"},
		}); err != nil {
			return nil, err
		}
		index = mutate.AppendManifests(index, mutate.IndexAddendum{
			Add: image, Descriptor: v1.Descriptor{MediaType: types.OCIManifestSchema1, Platform: platform},
		})
	}
	ref, err := name.NewTag("scratch")
	if err != nil {
		return nil, err
	}
	return func(context.Context, string) (name.Reference, build.Result, error) { return scratch{ref}, index, nil }, nil
}

// scratch is the name of a base image that no registry has; without it the image would say that it comes from one.
type scratch struct{ name.Reference }

func (scratch) Name() string   { return "scratch" }
func (scratch) String() string { return "scratch" }

// authorities is a layer with one file, where Go and others look for it. An authority that is trusted only for certificates
// from before some day is left out: the file cannot say so.
func authorities() (v1.Layer, error) {
	var certificates bytes.Buffer
	for root := range bundle.Roots() {
		if root.Constraint != nil {
			continue
		}
		if err := pem.Encode(&certificates, &pem.Block{Type: "CERTIFICATE", Bytes: root.Certificate}); err != nil {
			return nil, err
		}
	}
	var archive bytes.Buffer
	w := tar.NewWriter(&archive)
	for _, dir := range []string{"etc/", "etc/ssl/", "etc/ssl/certs/"} {
		if err := w.WriteHeader(&tar.Header{Typeflag: tar.TypeDir, Name: dir, Mode: 0o755}); err != nil {
			return nil, err
		}
	}
	file := &tar.Header{Typeflag: tar.TypeReg, Name: "etc/ssl/certs/ca-certificates.crt", Mode: 0o644, Size: int64(certificates.Len())}
	if err := w.WriteHeader(file); err != nil {
		return nil, err
	}
	if _, err := w.Write(certificates.Bytes()); err != nil {
		return nil, err
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return tarball.LayerFromOpener(func() (io.ReadCloser, error) {
		return io.NopCloser(bytes.NewReader(archive.Bytes())), nil
	}, tarball.WithMediaType(types.OCILayer), tarball.WithCompressedCaching)
}
