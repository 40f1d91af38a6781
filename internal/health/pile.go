package health

import "container/heap"

// pile is a heap, the first member first. A member knows its place in it.
type pile[T member[T]] []T

type member[T any] interface {
	before(other T) bool
	place() *int
}

func (p *pile[T]) push(member T) { heap.Push(p, member) }

func (p *pile[T]) take(place int) T { return heap.Remove(p, place).(T) }

// What follows is for container/heap.

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
