package health

import "container/heap"

// pile is a heap of entries, the first one to probe at index 0. Entries know their index, so that any can be removed.
type pile []*entry

func (p *pile) add(e *entry) {
	heap.Push(p, e)
	e.in = p
}

// The methods below implement heap.Interface.

func (p pile) Len() int           { return len(p) }
func (p pile) Less(i, j int) bool { return p[i].before(p[j]) }

func (p pile) Swap(i, j int) {
	p[i], p[j] = p[j], p[i]
	p[i].at, p[j].at = i, j
}

func (p *pile) Push(x any) {
	e := x.(*entry)
	e.at = len(*p)
	*p = append(*p, e)
}

func (p *pile) Pop() any {
	end := len(*p) - 1
	e := (*p)[end]
	(*p)[end] = nil
	*p = (*p)[:end]
	return e
}
