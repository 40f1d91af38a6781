package logging

import "maps"

// Condition remembers what was last reported of something that holds for a while, so that it is reported when it begins, when
// it changes and when it is over, but not each time it is looked at. The zero value of V means that nothing is to be reported,
// and nothing was so far. It is for one goroutine.
type Condition[V comparable] struct{ reported V }

// Changed reports whether now is not what was last reported, and takes it as reported.
func (c *Condition[V]) Changed(now V) bool {
	changed := now != c.reported
	c.reported = now
	return changed
}

// Conditions is a Condition for each of several subjects.
type Conditions[K, V comparable] struct{ reported map[K]V }

// Is reports whether this was last reported of the subject.
func (c *Conditions[K, V]) Is(subject K, value V) bool {
	last, ok := c.reported[subject]
	return ok && last == value
}

// Reported notes that this was reported of the subject.
func (c *Conditions[K, V]) Reported(subject K, value V) {
	if c.reported == nil {
		c.reported = map[K]V{}
	}
	c.reported[subject] = value
}

// Over drops the subjects of which something was reported and that do not hold any more, and returns them.
func (c *Conditions[K, V]) Over(holds func(K) bool) map[K]V {
	over := maps.Clone(c.reported)
	maps.DeleteFunc(over, func(k K, _ V) bool { return holds(k) })
	maps.DeleteFunc(c.reported, func(k K, _ V) bool { return !holds(k) })
	return over
}
