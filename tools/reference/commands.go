package main

import (
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/cobra/doc"

	"kubernaut.io/dynamic-toolset/internal/cli"
)

func commands(m *markdown, _ string) error {
	m.para("Results go to standard output, everything else to standard error. Installed on the `PATH` as " +
		"`kubectl-toolset`, the program is the kubectl plugin `kubectl toolset`.")
	m.table([]string{"exit code", "meaning"},
		[]string{"0", "success; for `diff`: no difference"},
		[]string{"1", "an error, in one line; for `diff`: a difference; for `doctor`: something to do"},
		[]string{"2", "a wrong command line; for `diff` also any other error"},
		[]string{"any", "for `bridge` with a command: the command's own"})
	root := cli.Root()
	for _, c := range append([]*cobra.Command{root}, root.Commands()...) {
		if c.Name() == "completion" { // its commands are the library's
			c.RemoveCommand(c.Commands()...)
		}
		if f := c.Flags().Lookup("cache-dir"); f != nil { // depends on the user
			f.DefValue = "~/.kube/cache"
		}
		c.DisableAutoGenTag = true
		if c.Long != "" {
			c.Long = fenced("text", c.Long)
		}
		toHeading := func(file string) string {
			return "#" + strings.NewReplacer("_", "-", ".md", "").Replace(file)
		}
		if err := doc.GenMarkdownCustom(c, m, toHeading); err != nil {
			return err
		}
	}
	return nil
}
