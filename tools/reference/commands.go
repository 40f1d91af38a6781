package main

import (
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/cobra/doc"

	"kubernaut.io/dynamic-toolset/internal/cli"
)

func commands(m *markdown, _ string) error {
	m.para("Results go to standard output, all else to standard error. Installed on the `PATH` as `kubectl-toolset` it is the " +
		"kubectl plugin `kubectl toolset`.")
	m.table([]string{"exit code", "meaning"},
		[]string{"0", "done; of `diff`: nothing differs"},
		[]string{"1", "an error, told in one line; of `diff`: something differs"},
		[]string{"2", "the command line is wrong; of `diff` also any other error"})
	root := cli.Root()
	for _, c := range append([]*cobra.Command{root}, root.Commands()...) {
		if c.Name() == "completion" { // its commands are the library's
			c.RemoveCommand(c.Commands()...)
		}
		if f := c.Flags().Lookup("cache-dir"); f != nil { // depends on the user
			f.DefValue = "~/.kube/cache"
		}
		c.DisableAutoGenTag = true
		c.Long = fenced("text", c.Long)
		toHeading := func(file string) string {
			return "#" + strings.NewReplacer("_", "-", ".md", "").Replace(file)
		}
		if err := doc.GenMarkdownCustom(c, m, toHeading); err != nil {
			return err
		}
	}
	return nil
}
