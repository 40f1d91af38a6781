package toolset

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"kubernaut.io/dynamic-toolset/internal/backend"
)

// notesEntry is the toolset that describes instances of HolmesGPT's built-in toolsets to the agent. HolmesGPT shows
// the agent only the instructions of a working toolset and the description of a failed one, and replaces given
// instructions of most built-in ones. So a separate entry without tools is the only way.
const notesEntry = "kubernaut/notes"

// These are limits for owners' text that the agent reads, in bytes of the written lines.
const (
	maxNotesOfOne = 2 << 10 // the notes of one namespace
	maxNotes      = 16 << 10
)

// agentRoom counts the bytes that are written of each namespace, and under "" of all.
type agentRoom map[string]int

// take counts a text of a namespace if there is room for it, and reports whether there is.
func (r agentRoom) take(namespace string, size int) bool {
	fits := r[namespace]+size <= maxNotesOfOne && r[""]+size <= maxNotes
	if fits {
		r[namespace] += size
		r[""] += size
	}
	return fits
}

// unprovenNote is written with each instance that no probe has checked.
const unprovenNote = "Not proven to work: its owner switched the check off."

// ownerNote is a note from the owner of a Service to the agent.
type ownerNote struct {
	item *item
	line string
	tree map[string]any // the entry whose instructions it ends; nil for a line of notesEntry
	kept bool
}

// note records the owner's note, if there is one that is not recorded yet: a Service may front several backends, and a
// type may have several toolsets.
func (b *builder) note(it *item, prefix string, tree map[string]any) {
	text := it.Candidate.Description
	if text == "" || b.noted[it.Ref] {
		return
	}
	b.noted[it.Ref] = true
	line := prefix + `Owner's note: "` + strings.Map(withoutQuotes, text) + `"`
	b.notes = append(b.notes, &ownerNote{item: it, line: line, tree: tree})
}

// doubleQuotes are the characters that people or a model may take for a double quotation mark.
const doubleQuotes = "\"\u201c\u201d\u201e\u201f\u2e42\u301d\u301e\u301f\uff02" + // quotation marks
	"\u02ba\u02dd\u02ee\u02f6\u05f4\u2033\u2036\u3003" + // letters, accents, primes and a ditto mark that look like one
	"\u275d\u275e\u2760\U0001f676\U0001f677\U0001f678" // ornaments

// withoutQuotes is the mapping of a note's characters. The owner's words end where the quotes around them end.
func withoutQuotes(r rune) rune {
	if strings.ContainsRune(doubleQuotes, r) {
		return '\''
	}
	return r
}

// writeNotes writes the notes within the limits to the places where the agent reads them.
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
			"enabled":     true,
			"description": "What is known about some of the backends.",
			"llm_instructions": "What is known about some instances of the toolsets above:\n" +
				strings.Join(lines, "\n"),
			"tools": []any{},
		}
	}
}

// keepNotes chooses the notes that the agent reads. Each note depends only on those before it, so the note of a new
// Service does not displace an older one.
func (b *builder) keepNotes() {
	order := func(m, n *ownerNote) int { return b.first(m.item, n.item) }
	room := agentRoom{}
	notes, left := map[string]int{}, map[string]int{}
	full := map[string]bool{} // namespaces that have no more room of their own
	for _, n := range slices.SortedFunc(slices.Values(b.notes), order) {
		namespace, size := n.item.Namespace, len(n.line)+1
		notes[namespace]++
		if n.kept = room.take(namespace, size); !n.kept {
			left[namespace]++
			b.unread[n.item.Ref] = true
			full[namespace] = full[namespace] || room[namespace]+size > maxNotesOfOne
		}
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
