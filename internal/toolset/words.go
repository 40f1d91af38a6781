package toolset

import (
	"slices"
	"strings"
)

// unnamed replaces a name or a URL that is left out of instructions.
const unnamed = "(see this tool's name, hosts and paths)"

// boundWords removes names and URLs that strangers chose from instructions and descriptions if there are too many. The
// limits are those of notes, but are counted separately. Each item depends only on those before it, so a new Service
// does not displace an older one.
func (b *builder) boundWords(items []*item) {
	room := agentRoom{}
	for _, it := range slices.SortedFunc(slices.Values(items), (*item).older) {
		size := it.words()
		it.nameless = size > 0 && !b.trusts(it.Ref) && !room.take(it.Namespace, size)
	}
}

// words returns how many bytes that the agent reads of an item were chosen by its owner, without the note. The agent
// reads a tenant wherever the instance is named.
func (it *item) words() (n int) {
	if it.typ == nil {
		return 0
	}
	for i, e := range it.typ.Toolset.HolmesGPT {
		switch {
		case e.HTTP != nil && it.entryName() == "":
			n += len(it.line())
		case e.HTTP != nil:
			text := e.Description + e.Instructions
			n += len(it.text(text)) - len(nothing.Replace(text))
		case i == 0: // notesEntry names it once, for its first toolset
			if it.Candidate.Unproven {
				n += len(it.Candidate.Instance) + len(", ")
			}
			if it.role != "" {
				n += len(roleLine(e.Name, it.Candidate.Instance, it.role))
			}
		}
	}
	return n + len(it.Candidate.Tenant)
}

var nothing = strings.NewReplacer("$(url)", "", "$(instance)", "", "$(namespace)", "", "$(service)", "")

// anonymous replaces the words that boundWords leaves out.
var anonymous = strings.NewReplacer("$(url)", unnamed, "$(instance)", unnamed, "$(namespace)/$(service)", unnamed,
	"$(namespace)", unnamed, "$(service)", unnamed)
