package health

import "container/heap"

// pile is a heap whose members know their index, so that any member can be removed.
type pile[T member[T]] []T

type member[T any] interface {
	before(other T) bool
	place() *int
}

func (p *pile[T]) push(member T) { heap.Push(p, member) }

func (p *pile[T]) take(place int) { heap.Remove(p, place) }

// The methods below implement heap.Interface.

func (p *pile[T]) Len() int           { return len(*p) }
func (p *pile[T]) Less(i, j int) bool { return (*p)[i].before((*p)[j]) }

func (p *pile[T]) Swap(i, j int) {
	(*p)[i], (*p)[j] = (*p)[j], (*p)[i]
	*(*p)[i].place(), *(*p)[j].place() = i, j
}

func (p *pile[T]) Push(x any) {
	member := x.(T)
	*member.place() = len(*p)
	*p = append(*p, member)
}

func (p *pile[T]) Pop() any {
	end := len(*p) - 1
	member := (*p)[end]
	clear((*p)[end:])
	*p = (*p)[:end]
	return member
}
