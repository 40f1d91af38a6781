// Command image builds the container image of dynamic-toolset with ko, without a container engine, a registry or rights: for
// every platform, on an empty base, as an OCI layout in one file. The same sources make the same bytes. The file can be
// loaded (docker load, podman load, kind load image-archive) and pushed (crane push, skopeo copy) as it is.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strconv"
	"syscall"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/ko/pkg/build"
	"github.com/google/ko/pkg/commands/options"
)

const program = "kubernaut.io/dynamic-toolset/cmd/dynamic-toolset"

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "image: "+err.Error())
		stop()
		os.Exit(1) //nolint:gocritic,forbidigo // stop was called, and main ends the process
	}
}

func run(ctx context.Context, args []string, out io.Writer) error {
	flags := flag.NewFlagSet("image", flag.ContinueOnError)
	root := flags.String("root", "../..", "the repository")
	dist := flags.String("out", "dist/image", "where to write, below the repository unless it is absolute; what is there is replaced")
	name := flags.String("name", "kubernaut/dynamic-toolset:latest", "the image's name when it is loaded")
	if err := flags.Parse(args); err != nil {
		return err
	}
	dir, err := filepath.Abs(*root)
	if err != nil {
		return err
	}
	if !filepath.IsAbs(*dist) {
		*dist = filepath.Join(dir, *dist)
	}
	if err := os.RemoveAll(*dist); err != nil {
		return fmt.Errorf("making room for the image: %w", err)
	}
	index, err := images(ctx, dir, filepath.Join(*dist, "sbom"))
	if err != nil {
		return err
	}
	size, err := write(index, *name, filepath.Join(*dist, "dynamic-toolset.tar"))
	if err != nil {
		return err
	}
	digest, err := index.Digest()
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(*dist, "digest"), []byte(digest.String()+"\n"), 0o600); err != nil {
		return fmt.Errorf("writing the digest down: %w", err)
	}
	_, err = fmt.Fprintf(out, "%s\n%s, %d bytes\n", digest, filepath.Join(*dist, "dynamic-toolset.tar"), size)
	return err
}

// images builds the program for the platforms of .ko.yaml, one image each, and writes an SPDX document about each to sboms.
func images(ctx context.Context, dir, sboms string) (v1.ImageIndex, error) {
	o := &options.BuildOptions{WorkingDirectory: dir}
	if err := o.LoadConfig(); err != nil {
		return nil, err
	}
	base, err := empty(o.DefaultPlatforms)
	if err != nil {
		return nil, err
	}
	created, err := epoch()
	if err != nil {
		return nil, err
	}
	options := []build.Option{
		build.WithBaseImages(base), build.WithPlatforms(o.DefaultPlatforms...), build.WithTrimpath(true),
		build.WithDefaultFlags([]string{"-buildvcs=" + strconv.FormatBool(versioned(ctx, dir))}),
		build.WithCreationTime(created), build.WithKoDataCreationTime(created),
		build.WithConfig(o.BuildConfigs), build.WithSPDX("library"), build.WithSBOMDir(sboms),
		build.WithAnnotation("org.opencontainers.image.title", "dynamic-toolset"),
		build.WithAnnotation("org.opencontainers.image.licenses", "Apache-2.0"),
	}
	builder, err := build.NewGobuilds(ctx, dir, o.BuildConfigs, options...)
	if err != nil {
		return nil, err
	}
	path, err := builder.QualifyImport(program)
	if err != nil {
		return nil, err
	}
	built, err := builder.Build(ctx, path)
	if err != nil {
		return nil, err
	}
	index, ok := built.(v1.ImageIndex)
	if !ok {
		return nil, errors.New(".ko.yaml: defaultPlatforms: name more than one")
	}
	return index, nil
}

// versioned says whether the build can take the version from git, as releases do. Where it cannot, the version is "devel".
func versioned(ctx context.Context, dir string) bool {
	cmd := exec.CommandContext(ctx, "git", "rev-parse", "--verify", "HEAD")
	cmd.Dir = dir
	return cmd.Run() == nil
}

// epoch is the time of everything in the image: SOURCE_DATE_EPOCH, in seconds, or the beginning of 1970.
func epoch() (v1.Time, error) {
	text := os.Getenv("SOURCE_DATE_EPOCH")
	if text == "" {
		text = "0"
	}
	seconds, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return v1.Time{}, fmt.Errorf("SOURCE_DATE_EPOCH is not a number of seconds: %w", err)
	}
	return v1.Time{Time: time.Unix(seconds, 0).UTC()}, nil
}
