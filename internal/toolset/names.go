package toolset

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
)

const (
	// maxToolName is what the models' APIs accept.
	maxToolName = 64
	// maxEntryName leaves room for the "_request" that HolmesGPT appends.
	maxEntryName = maxToolName - len("_request")
	// hashBytes are enough that nobody finds a name whose hash ends another's too.
	hashBytes = 6
)

// toolName is the name that HolmesGPT gives the tool of an HTTP toolset. Of two tools of one name the later wins there.
func toolName(entry string) string {
	return strings.NewReplacer("/", "_", "-", "_").Replace(entry) + "_request"
}

// nameTools gives those entries a name that ends in a hash whose tool names would be too long or equal. Each such name
// depends on its own Service only, so that it stays when others come and go.
func nameTools(entries []*entry) {
	count := map[string]int{}
	for _, e := range entries {
		count[toolName(e.name)]++
	}
	for _, e := range entries {
		if len(e.name) > maxEntryName || count[toolName(e.name)] > 1 {
			e.name = withHash(e.name, e.item.identity())
		}
	}
}

// withHash shortens a name and ends it in a hash of identity.
func withHash(name, identity string) string {
	sum := sha256.Sum256([]byte(identity))
	hash := hex.EncodeToString(sum[:hashBytes])
	if room := maxEntryName - len(hash) - 1; len(name) > room {
		name = strings.ToValidUTF8(name[:room], "")
	}
	return strings.TrimRight(name, "/-_") + "-" + hash
}

// identity tells this item from every other one.
func (it *item) identity() string {
	return strings.Join([]string{it.Candidate.Type, it.Candidate.Instance, it.Ref.String()}, "\x00")
}

// list joins words for people.
func list(words []string) string {
	switch len(words) {
	case 0:
		return "none"
	case 1:
		return words[0]
	}
	return strings.Join(words[:len(words)-1], ", ") + " and " + words[len(words)-1]
}
