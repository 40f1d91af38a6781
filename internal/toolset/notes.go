package toolset

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"kubernaut.io/dynamic-toolset/internal/backend"
)

// notesEntry says to the agent what is known of instances of HolmesGPT's built-in toolsets. HolmesGPT shows the agent
// only the instructions of a working toolset, the description of one that fails, and replaces the instructions that
// others give to most built-in ones, so that an entry of its own, without tools, is the only way.
const notesEntry = "kubernaut/notes"

// How much the agent reads of owners, in bytes of the lines as they are written.
const (
	maxNotesOfOne = 2 << 10 // the notes of one namespace
	maxNotes      = 16 << 10
)

// unprovenNote is said wherever an instance is written that nobody has checked.
const unprovenNote = "Not proven to work: its owner switched the check off."

// ownerNote is what the owner of a Service says to the agent.
type ownerNote struct {
	item *item
	line string
	tree map[string]any // the entry whose instructions it ends; nil for a line of notesEntry
	kept bool
}

// note remembers the owner's note, if there is one and it does not stand elsewhere already: a Service may front several
// backends, and a type may have several toolsets.
func (b *builder) note(it *item, prefix string, tree map[string]any) {
	text := it.Candidate.Description
	if text == "" || b.noted[it.Ref] {
		return
	}
	b.noted[it.Ref] = true
	// The owner's words end where the quotes end.
	line := prefix + `Owner's note: "` + strings.ReplaceAll(text, `"`, `'`) + `"`
	b.notes = append(b.notes, &ownerNote{item: it, line: line, tree: tree})
}

// writeNotes puts the notes that there is room for to where the agent reads them.
func (b *builder) writeNotes() {
	b.keepNotes()
	lines := b.roles
	for _, n := range b.notes {
		switch {
		case !n.kept:
		case n.tree == nil:
			lines = append(lines, n.line)
		default:
			before, _ := n.tree["llm_instructions"].(string)
			n.tree["llm_instructions"] = join("\n", before, n.line)
		}
	}
	if len(b.unproven) > 0 {
		var instances []string
		for _, entry := range slices.Sorted(maps.Keys(b.unproven)) {
			named := slices.DeleteFunc(slices.Clone(b.unproven[entry]), func(name string) bool { return name == "" })
			if more := len(b.unproven[entry]) - len(named); more > 0 {
				named = append(named, fmt.Sprintf("%d others", more))
			}
			instances = append(instances, entry+" "+strings.Join(named, ", "))
		}
		const said = "- Not proven to work, since their owners switched the check off: "
		lines = append(lines, said+strings.Join(instances, "; "))
	}
	if len(lines) > 0 {
		b.toolsets[notesEntry] = map[string]any{
			"enabled":          true,
			"description":      "What is known about some of the backends.",
			"llm_instructions": "What is known about some instances of the toolsets above:\n" + strings.Join(lines, "\n"),
			"tools":            []any{},
		}
	}
}

// keepNotes chooses the notes that the agent reads. Each is decided by those before it alone, so that a new Service's
// takes no older one's place.
func (b *builder) keepNotes() {
	order := slices.SortedFunc(slices.Values(b.notes), b.compareNotes)
	total, taken := 0, map[string]int{}
	notes, left := map[string]int{}, map[string]int{}
	full := map[string]bool{} // namespaces that have no more room of their own
	for _, n := range order {
		namespace, size := n.item.Namespace, len(n.line)+1
		notes[namespace]++
		own := taken[namespace]+size <= maxNotesOfOne
		if n.kept = own && total+size <= maxNotes; n.kept {
			total += size
			taken[namespace] += size
			continue
		}
		left[namespace]++
		full[namespace] = full[namespace] || !own
	}
	for _, namespace := range slices.Sorted(maps.Keys(left)) {
		code := WarningNotesAll
		if full[namespace] {
			code = WarningNotesNamespace
		}
		b.warn(Warning{
			Code: code, Ref: backend.Ref{Namespace: namespace}, Number: left[namespace], Of: notes[namespace],
		})
	}
}

// compareNotes orders notes by who keeps the place: trusted namespaces, so that strangers cannot crowd them out, then
// the oldest Services, those of unknown age last.
func (b *builder) compareNotes(m, n *ownerNote) int {
	s, t := m.item.Candidate.Service, n.item.Candidate.Service
	return cmp.Or(
		-compareBool(b.trusts(s.Ref), b.trusts(t.Ref)),
		compareBool(s.Created.IsZero(), t.Created.IsZero()),
		s.Created.Compare(t.Created),
		s.Ref.Compare(t.Ref),
	)
}

func (b *builder) trusts(ref backend.Ref) bool { return slices.Contains(b.trusted, ref.Namespace) }
