package cli

import (
	"cmp"
	"fmt"
	"io"

	"github.com/fatih/color"

	"kubernaut.io/dynamic-toolset/internal/backend"
)

// painter colours text if the output is a terminal with colours and NO_COLOR is not set.
type painter struct{ on bool }

func newPainter(out io.Writer) painter { return painter{on: isTerminal(out) && !color.NoColor} }

func (p painter) paint(s string, a color.Attribute) string {
	if !p.on {
		return s
	}
	return fmt.Sprintf("\x1b[%dm%s\x1b[0m", a, s)
}

// verdict paints text in the colour of a verdict.
func (p painter) verdict(v backend.Verdict, text string) string {
	colours := map[backend.Verdict]color.Attribute{
		backend.Accepted: color.FgGreen, backend.Unavailable: color.FgRed, backend.Duplicate: color.FgBlue,
		backend.Unconfirmed: color.FgYellow,
	}
	const own color.Attribute = 39 // the terminal's own
	return p.paint(text, cmp.Or(colours[v], own))
}
