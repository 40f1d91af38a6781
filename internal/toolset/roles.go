package toolset

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"kubernaut.io/dynamic-toolset/internal/backend"
)

// maxRoles is the limit for the agent's text about the roles of the instances of one toolset, in bytes of the lines
// with the detected names.
const maxRoles = 1 << 10

// sayRoles writes the agent's text about the instances of each toolset with several: which is the main one, and what
// the others are. A single instance needs no text. Each instance depends only on those before it: the main ones first,
// then the vouched ones, then the oldest.
func (b *builder) sayRoles(items []*item) {
	groups := map[string][]*item{}
	for _, it := range items {
		if name := it.toolset(); name != "" {
			groups[name] = append(groups[name], it)
		}
	}
	queriers := queriersAmong(items)
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
			it.role = it.roleAmong(len(group), ofType[it.Candidate.Type], queriers)
			size := len(roleLine(name, it.Candidate.Instance, it.role)) + 1
			if it.role == "" || size > room {
				it.role = ""
				continue
			}
			room -= size
		}
	}
}

// toolset returns the first toolset that the item is an instance of, "" if it gets its own entry.
func (it *item) toolset() string {
	if it.entryName() != "" || len(it.typ.Toolset.HolmesGPT) == 0 {
		return ""
	}
	return it.typ.EntryName(0, it.Observation.SkipVerify)
}

func (it *item) nearer(o *item) int {
	return cmp.Or(-backend.CompareBool(it.Primary, o.Primary), -backend.CompareBool(it.Vouched, o.Vouched), it.older(o))
}

// roleAmong returns the role of the item among all instances of its toolset, of which ofType have its type, "" if
// there is nothing to say. A stranger's instance is not the main one merely because it is the only one of its type.
func (it *item) roleAmong(all, ofType int, queriers map[backend.Key]*querier) string {
	var words []string
	switch {
	case !it.Primary || ofType == 1 && !it.Vouched:
	case ofType == all:
		words = append(words, "the main one")
	default:
		words = append(words, "the main "+it.typ.Title)
	}
	if q := queriers[it.Candidate.Key()]; q != nil {
		words = append(words, q.sees())
	}
	if q := queriers[it.ShardOf]; q != nil {
		words = append(words, "a shard of "+q.Candidate.Instance+", sees a part of what that sees")
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

// querier is an item that sees all data of its shards.
type querier struct {
	*item
	shards []*item
}

// queriersAmong returns the queriers that have a shard among the items, by key.
func queriersAmong(items []*item) map[backend.Key]*querier {
	list := map[backend.Key]*querier{}
	for _, it := range items {
		if it.ShardOf == (backend.Key{}) {
			continue
		}
		i := slices.IndexFunc(items, func(q *item) bool { return q.Candidate.Key() == it.ShardOf })
		if i < 0 {
			continue // it is not published
		}
		if list[it.ShardOf] == nil {
			list[it.ShardOf] = &querier{item: items[i]}
		}
		list[it.ShardOf].shards = append(list[it.ShardOf].shards, it)
	}
	return list
}

// sees returns the text about the querier. It names a few of its shards: first those that the configuration vouches
// for, then the oldest.
func (q *querier) sees() string {
	const most = 4
	shards := slices.SortedStableFunc(slices.Values(q.shards), (*item).nearer)
	var names []string
	for _, it := range shards[:min(len(shards), most)] {
		names = append(names, it.Candidate.Instance)
	}
	if more := len(shards) - most; more > 0 {
		names = append(names, fmt.Sprintf("%d more", more))
	}
	return "sees all of " + strings.Join(names, ", ") + ": ask it before them"
}
