package toolset

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"

	"kubernaut.io/dynamic-toolset/internal/backend"
	"kubernaut.io/dynamic-toolset/internal/catalog"
)

const (
	// maxToolName is what the models' APIs accept.
	maxToolName = 64
	// maxEntryName leaves room for the "_request" that HolmesGPT appends.
	maxEntryName = maxToolName - len("_request")
	// hashBytes make it too costly to search for a name with the same hash as another.
	hashBytes = 6
)

// nameTools adds a hash to the name of an entry if its tool name would be too long, or equal to the tool name of a
// type's toolset, of an enabled HTTP toolset of the overrides, or of an earlier item. A new Service must not rename an
// existing tool, or take the hashed name of another.
func (b *builder) nameTools() {
	taken := map[string]bool{}
	for name, patch := range b.overrides.toolsets {
		tree, _ := patch.(map[string]any)
		generated := slices.ContainsFunc(b.own, func(e *entry) bool { return e.name == name })
		if tree["type"] == "http" && !disabled(tree) && !generated {
			taken[catalog.ToolName(name)] = true
		}
	}
	for name := range b.shared {
		taken[catalog.ToolName(name)] = true
	}
	order := func(x, y *entry) int { return b.first(x.item, y.item) }
	for _, e := range slices.SortedFunc(slices.Values(b.own), order) {
		plain, identity := e.name, e.item.identity()
		if len(plain) > maxEntryName {
			e.name = withHash(plain, identity)
		}
		for n := 0; taken[catalog.ToolName(e.name)]; n++ {
			e.name = withHash(plain, identity+strings.Repeat("\x00", n))
		}
		taken[catalog.ToolName(e.name)] = true
	}
}

// first orders items by priority: trusted namespaces first, so that strangers cannot crowd them out, then the oldest
// Services.
func (b *builder) first(x, y *item) int {
	return cmp.Or(-backend.CompareBool(b.trusts(x.Ref), b.trusts(y.Ref)), x.older(y))
}

func (b *builder) trusts(ref backend.Ref) bool {
	return slices.Contains(b.opts.TrustedNamespaces, ref.Namespace)
}

// older orders items by the age of their Services; unknown ages come last.
func (it *item) older(o *item) int {
	a, b := it.Candidate.Service.Created, o.Candidate.Service.Created
	return cmp.Or(backend.CompareBool(a.IsZero(), b.IsZero()), a.Compare(b), it.Ref.Compare(o.Ref))
}

// withHash shortens a name and appends a hash of identity.
func withHash(name, identity string) string {
	sum := sha256.Sum256([]byte(identity))
	hash := hex.EncodeToString(sum[:hashBytes])
	if room := maxEntryName - len(hash) - 1; len(name) > room {
		name = strings.ToValidUTF8(name[:room], "")
	}
	return strings.TrimRight(name, "/-_") + "-" + hash
}

// identity returns a text that is unique to this item.
func (it *item) identity() string {
	return strings.Join([]string{it.Candidate.Type, it.Candidate.Instance, it.Ref.String()}, "\x00")
}
