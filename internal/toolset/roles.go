package toolset

import (
	"cmp"
	"slices"
	"strings"

	"kubernaut.io/dynamic-toolset/internal/backend"
)

// maxRoles is how much the agent reads of what the instances of one toolset are, in bytes of the lines with the
// names that detection gave.
const maxRoles = 1 << 10

// sayRoles decides what the agent reads of the instances of each toolset that has several: which is the main one, and
// what the others are. An instance alone needs no such words. Each is decided by those before it alone, the main ones
// first, then those that the configuration vouches for, then the oldest.
func (b *builder) sayRoles(items []*item) {
	groups := map[string][]*item{}
	for _, it := range items {
		if name := it.toolset(); name != "" {
			groups[name] = append(groups[name], it)
		}
	}
	for name, group := range groups {
		if len(group) == 1 {
			continue
		}
		ofType := map[string]int{}
		for _, it := range group {
			ofType[it.Candidate.Type]++
		}
		room := maxRoles
		for _, it := range slices.SortedStableFunc(slices.Values(group), (*item).nearer) {
			it.role = it.roleAmong(len(group), ofType[it.Candidate.Type])
			size := len(roleLine(name, it.Candidate.Instance, it.role)) + 1
			if it.role == "" || size > room {
				it.role = ""
				continue
			}
			room -= size
		}
	}
}

// toolset is the first that the item is an instance of; "" where it gets an entry of its own.
func (it *item) toolset() string {
	if it.entryName() != "" || len(it.typ.Toolset.HolmesGPT) == 0 {
		return ""
	}
	return it.typ.EntryName(0, it.Observation.SkipVerify)
}

func (it *item) nearer(o *item) int {
	return cmp.Or(-compareBool(it.Primary, o.Primary), -compareBool(it.Vouched, o.Vouched), it.older(o))
}

// roleAmong says what the item is among all the instances of its toolset, of which ofType are of its type; "" where
// there is nothing to say. To be the only one of its type makes no stranger's instance the main one.
func (it *item) roleAmong(all, ofType int) string {
	var words []string
	switch {
	case !it.Primary || ofType == 1 && !it.Vouched:
	case ofType == all:
		words = append(words, "the main one")
	default:
		words = append(words, "the main "+it.typ.Title)
	}
	if it.Ref.Namespace == backend.OutsideNamespace {
		words = append(words, "outside the cluster")
	}
	if tenant := it.Candidate.Tenant; tenant != "" {
		words = append(words, `tenant "`+tenant+`"`)
	}
	if it.Candidate.Bundled != "" {
		words = append(words, it.Candidate.Bundled)
	}
	return strings.Join(words, "; ")
}

func roleLine(toolset, instance, role string) string {
	return "- " + toolset + ", instance " + instance + ": " + role
}
