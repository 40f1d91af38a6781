// Command reference writes the reference pages in docs/reference from the code: make docs.
package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"kubernaut.io/dynamic-toolset/internal/reference"
)

func main() {
	if err := run("."); err != nil {
		fmt.Fprintln(os.Stderr, "reference: "+err.Error())
		os.Exit(1)
	}
}

// run writes the pages of the repository at root, and removes what is no page any more.
func run(root string) error {
	pages, err := reference.Pages(root)
	if err != nil {
		return err
	}
	folder := filepath.Join(root, filepath.FromSlash(reference.Dir))
	if err := os.MkdirAll(folder, 0o755); err != nil { //nolint:gosec // documents are for everybody
		return fmt.Errorf("making the folder: %w", err)
	}
	old, err := filepath.Glob(filepath.Join(folder, "*.md"))
	if err != nil {
		return err
	}
	stale := map[string]bool{}
	for _, name := range old {
		stale[name] = true
	}
	for _, p := range pages {
		name := filepath.Join(folder, p.Name)
		delete(stale, name)
		if err := os.WriteFile(name, []byte(p.Content()), 0o644); err != nil {
			return fmt.Errorf("writing a page: %w", err)
		}
	}
	var errs []error
	for name := range stale {
		errs = append(errs, os.Remove(name))
	}
	return errors.Join(errs...)
}
