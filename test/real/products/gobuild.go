package products

import (
	"context"
	"embed"
	"encoding/json"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"strings"
)

//go:embed jvm/*.java
var sources embed.FS

// module is what go mod edit -json and go mod download -json print.
type module struct {
	Path    string `json:"Path"`
	Version string `json:"Version"`
}

// build builds the command in a module of its own that has the replace and exclude directives of the command's module, which
// Go heeds in the main module alone.
func (g *GoCommand) build(ctx context.Context, work, out string, added map[string]string) error {
	env := []string{"CGO_ENABLED=0", "GOWORK=off", "GOTOOLCHAIN=local"}
	download, err := run(ctx, work, env, "go", "mod", "download", "-json", g.Module+"@"+g.Version)
	if err != nil {
		return err
	}
	var got struct {
		GoMod string `json:"GoMod"`
		Dir   string `json:"Dir"`
	}
	if err := json.Unmarshal(download, &got); err != nil {
		return fmt.Errorf("reading what go mod download prints: %w", err)
	}
	directives, err := g.directives(ctx, got.GoMod)
	if err != nil {
		return err
	}
	if len(added) > 0 {
		if err := copyWith(filepath.Join(work, "copy"), got.Dir, added); err != nil {
			return err
		}
		directives += "replace " + g.Module + " => ./copy\n"
	}
	command := path.Join(g.Module, g.Command)
	for name, text := range map[string]string{
		"go.mod":   "module lab\n" + directives + "require " + g.Module + " " + g.Version + "\n",
		"tools.go": "//go:build tools\n\npackage lab\n\nimport _ \"" + command + "\"\n",
	} {
		if err := os.WriteFile(filepath.Join(work, name), []byte(text), 0o600); err != nil {
			return fmt.Errorf("writing the module: %w", err)
		}
	}
	if _, err := run(ctx, work, env, "nice", "go", "mod", "tidy", "-e"); err != nil {
		return err
	}
	_, err = run(ctx, work, env, "nice", "go", "build", "-mod=mod", "-tags", g.Tags, "-trimpath", "-ldflags", "-s -w "+g.LDFlags, "-o", out, command)
	return err
}

// copyWith copies a module's folder, which is read-only in Go's cache, and adds files to it.
func copyWith(to, from string, added map[string]string) error {
	if err := os.CopyFS(to, os.DirFS(from)); err != nil {
		return fmt.Errorf("copying the module: %w", err)
	}
	for name, text := range added {
		if err := os.WriteFile(filepath.Join(to, name), []byte(text), 0o600); err != nil {
			return fmt.Errorf("adding to the module: %w", err)
		}
	}
	return nil
}

// directives are the lines of the command's own go.mod that hold for a main module alone. A replacement by a folder is of no
// use elsewhere.
func (g *GoCommand) directives(ctx context.Context, file string) (string, error) {
	text, err := run(ctx, "", nil, "go", "mod", "edit", "-json", file)
	if err != nil {
		return "", err
	}
	var mod struct {
		Go      string `json:"Go"`
		Replace []struct {
			Old module `json:"Old"`
			New module `json:"New"`
		} `json:"Replace"`
		Exclude []module `json:"Exclude"`
	}
	if err := json.Unmarshal(text, &mod); err != nil {
		return "", fmt.Errorf("reading %s: %w", g.Module, err)
	}
	var b strings.Builder
	fmt.Fprintf(&b, "go %s\n", mod.Go)
	for _, r := range mod.Replace {
		if !strings.HasPrefix(r.New.Path, ".") {
			fmt.Fprintf(&b, "replace %s %s => %s %s\n", r.Old.Path, r.Old.Version, r.New.Path, r.New.Version)
		}
	}
	for _, e := range mod.Exclude {
		fmt.Fprintf(&b, "exclude %s %s\n", e.Path, e.Version)
	}
	return b.String(), nil
}
