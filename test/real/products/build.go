package products

import (
	"archive/zip"
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
)

// marker is the file that says what the product in its folder was built from. It is written last.
const marker = "built-from"

// Had reports whether the product is there, as this list wants it.
func (p Product) Had(root string) bool {
	made, err := os.ReadFile(filepath.Join(p.Folder(root), marker))
	return err == nil && string(made) == p.recipe()
}

// recipe changes with whatever the product is made of.
func (p Product) recipe() string {
	text := fmt.Sprintf("%+v %+v %+v", p.Go, p.Debian, p.Maven)
	if p.Maven != nil {
		text = fmt.Sprintf("%q %q %+v", p.Maven.Artifacts, p.Maven.Main+p.Maven.Plugin, p.Maven.Module)
		if source, err := sources.ReadFile("jvm/" + p.Maven.Main + ".java"); err == nil {
			text += string(source)
		}
	}
	if len(p.Added) > 0 {
		text += fmt.Sprint(p.Added)
	}
	return fmt.Sprintf("%s %s\n%x\n", p.Name, p.Version, sha256.Sum256([]byte(text)))
}

// Build makes the product, beside where it is to be, and puts it there when it is whole. Two at once take turns.
func (p Product) Build(ctx context.Context, root string) error {
	if err := os.MkdirAll(root, 0o750); err != nil {
		return fmt.Errorf("making a folder for the products: %w", err)
	}
	lock, err := os.OpenFile(p.Folder(root)+".lock", os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return fmt.Errorf("locking: %w", err)
	}
	defer lock.Close()
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX); err != nil {
		return fmt.Errorf("locking: %w", err)
	}
	if p.Had(root) {
		return nil
	}
	work, err := os.MkdirTemp(root, "building-")
	if err != nil {
		return fmt.Errorf("making a folder to build in: %w", err)
	}
	defer os.RemoveAll(work) //nolint:errcheck // what is left is in the cache
	out := filepath.Join(work, "out")
	if err := os.Mkdir(out, 0o750); err != nil {
		return fmt.Errorf("making a folder to build in: %w", err)
	}
	if err := p.make(ctx, work, out); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(out, marker), []byte(p.recipe()), 0o600); err != nil {
		return fmt.Errorf("writing what it was built from: %w", err)
	}
	if err := os.RemoveAll(p.Folder(root)); err != nil {
		return fmt.Errorf("removing the one before: %w", err)
	}
	return os.Rename(out, p.Folder(root))
}

func (p Product) make(ctx context.Context, work, out string) error {
	switch {
	case p.Go != nil:
		return p.Go.build(ctx, work, filepath.Join(out, p.Name), p.Added)
	case p.Debian != nil:
		return p.Debian.unpack(ctx, work, out)
	default:
		return p.Maven.collect(ctx, work, out)
	}
}

// run runs a command, and has the end of what it printed in the error.
func run(ctx context.Context, dir string, env []string, name string, args ...string) ([]byte, error) {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir, cmd.Env = dir, append(os.Environ(), env...)
	// The whole group is ended with it, since a build has children.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		if ctx.Err() != nil {
			err = errors.New("not done in time")
		}
		return nil, fmt.Errorf("%s %s: %w: %.400s", name, args[0], err, reason(stdout.String()+stderr.String()))
	}
	return stdout.Bytes(), nil
}

// reason is the end of what a command printed, but of Maven its first error, after which it prints where to read more.
func reason(printed string) string {
	lines := strings.Split(strings.TrimSpace(printed), "\n")
	if i := slices.IndexFunc(lines, func(line string) bool { return strings.HasPrefix(line, "[ERROR] ") }); i >= 0 {
		return lines[i]
	}
	return strings.Join(lines[max(0, len(lines)-3):], "; ")
}

// unpack gets the packages and unpacks them, without installing any.
func (d *DebianCommand) unpack(ctx context.Context, work, out string) error {
	get := append([]string{"download", "-qq"}, d.Packages...)
	if _, err := run(ctx, work, nil, "apt-get", get...); err != nil {
		// A new machine has no lists of packages yet.
		if _, listErr := run(ctx, work, nil, "apt-get", "update", "-qq"); listErr != nil {
			return errors.Join(err, listErr)
		}
		if _, err := run(ctx, work, nil, "apt-get", get...); err != nil {
			return err
		}
	}
	packages, err := filepath.Glob(filepath.Join(work, "*.deb"))
	if err != nil {
		return fmt.Errorf("finding what was downloaded: %w", err)
	}
	for _, p := range packages {
		if _, err := run(ctx, work, nil, "dpkg-deb", "-x", p, out); err != nil {
			return err
		}
	}
	if _, err := os.Stat(filepath.Join(out, d.Path)); err != nil {
		return fmt.Errorf("the package has no %s: %w", d.Path, err)
	}
	return nil
}

const dependencies = "org.apache.maven.plugins:maven-dependency-plugin:3.6.1:"

// collect gets the jars with Maven, and compiles the class that starts the program.
func (m *MavenProgram) collect(ctx context.Context, work, out string) error {
	lib := filepath.Join(out, "lib")
	if m.Main == "" { // one jar with everything in it
		_, err := run(ctx, work, nil, "nice", "mvn", "-q", "-B", dependencies+"copy", "-Dartifact="+m.Artifacts[0], "-DoutputDirectory="+lib)
		return err
	}
	if err := os.WriteFile(filepath.Join(work, "pom.xml"), []byte(m.pom()), 0o600); err != nil {
		return fmt.Errorf("writing Maven's file: %w", err)
	}
	copyAll := []string{"mvn", "-q", "-B", dependencies + "copy-dependencies", "-DoutputDirectory=" + lib, "-DincludeScope=runtime"}
	if _, err := run(ctx, work, nil, "nice", copyAll...); err != nil {
		return err
	}
	if m.Plugin != "" {
		if err := m.plugin(ctx, work, lib, out); err != nil {
			return err
		}
	}
	if m.Module != nil {
		if err := m.Module.arrange(lib, out); err != nil {
			return err
		}
	}
	source, err := sources.ReadFile("jvm/" + m.Main + ".java")
	if err != nil {
		return fmt.Errorf("reading the program: %w", err)
	}
	file := filepath.Join(work, m.Main+".java")
	if err := os.WriteFile(file, source, 0o600); err != nil {
		return fmt.Errorf("writing the program: %w", err)
	}
	classes := filepath.Join(lib, "*") + ":" + filepath.Join(out, "modules", "transport-netty4", "*")
	_, err = run(ctx, work, nil, "nice", "javac", "-nowarn", "-d", lib, "-cp", classes, file)
	return err
}

// plugin unpacks the plugin: its jars among those that are there, and its folder config.
func (m *MavenProgram) plugin(ctx context.Context, work, lib, out string) error {
	if _, err := run(ctx, work, nil, "nice", "mvn", "-q", "-B", dependencies+"copy", "-Dartifact="+m.Plugin, "-DoutputDirectory="+work); err != nil {
		return err
	}
	archives, err := filepath.Glob(filepath.Join(work, "*.zip"))
	if err != nil || len(archives) != 1 {
		return fmt.Errorf("%d archives of the plugin, want one: %w", len(archives), errors.Join(err, fs.ErrNotExist))
	}
	archive, err := zip.OpenReader(archives[0])
	if err != nil {
		return fmt.Errorf("reading the plugin: %w", err)
	}
	defer archive.Close() //nolint:errcheck // it was read
	for folder, pattern := range map[string]string{lib: "*.jar", filepath.Join(out, "config"): "config/*.yml"} {
		files, err := fs.Glob(archive, pattern)
		if err != nil {
			return fmt.Errorf("looking into the plugin: %w", err)
		}
		if err := os.MkdirAll(folder, 0o750); err != nil {
			return fmt.Errorf("making the plugin's folder: %w", err)
		}
		for _, name := range files {
			data, err := fs.ReadFile(archive, name)
			if err != nil {
				return fmt.Errorf("unpacking the plugin: %w", err)
			}
			if err := os.WriteFile(filepath.Join(folder, filepath.Base(name)), data, 0o600); err != nil {
				return fmt.Errorf("unpacking the plugin: %w", err)
			}
		}
	}
	return nil
}

// pom wants the artifacts and all that they want.
func (m *MavenProgram) pom() string {
	var b strings.Builder
	b.WriteString("<project><modelVersion>4.0.0</modelVersion><groupId>lab</groupId><artifactId>lab</artifactId>" +
		"<version>1</version><packaging>pom</packaging><dependencies>\n")
	for _, a := range m.Artifacts {
		part := strings.Split(a, ":")
		fmt.Fprintf(&b, "<dependency><groupId>%s</groupId><artifactId>%s</artifactId><version>%s</version>", part[0], part[1], part[2])
		b.WriteString("</dependency>\n")
	}
	b.WriteString("</dependencies></project>\n")
	return b.String()
}

// arrange moves the module's jars from the class path to where Elasticsearch loads it from.
func (m *Module) arrange(lib, out string) error {
	folder := filepath.Join(out, "modules", m.Name)
	if err := os.MkdirAll(folder, 0o750); err != nil {
		return fmt.Errorf("making the module's folder: %w", err)
	}
	for _, pattern := range m.Jars {
		jars, err := fs.Glob(os.DirFS(lib), pattern)
		if err != nil || len(jars) == 0 {
			return fmt.Errorf("no jar like %s: %w", pattern, errors.Join(err, fs.ErrNotExist))
		}
		for _, jar := range jars {
			if err := os.Rename(filepath.Join(lib, jar), filepath.Join(folder, jar)); err != nil {
				return fmt.Errorf("moving a jar: %w", err)
			}
		}
	}
	return os.WriteFile(filepath.Join(folder, "plugin-descriptor.properties"), []byte(m.Descriptor), 0o600)
}
