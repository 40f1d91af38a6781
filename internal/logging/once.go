package logging

// Condition remembers what was last reported of something that lasts, so that it is reported when it begins, when it
// changes and when it is over, and not each time it is looked at. The zero value of V is nothing to report; so far
// nothing was. It is for one goroutine.
type Condition[V comparable] struct{ reported V }

// Changed reports whether now is not what was last reported, and takes it as reported.
func (c *Condition[V]) Changed(now V) bool {
	changed := now != c.reported
	c.reported = now
	return changed
}

// Conditions is a Condition for each of several subjects. What is reported of a subject may be held back: only what was
// Reported counts.
type Conditions[K, V comparable] struct{ reported map[K]V }

// Last is what was last reported of the subject.
func (c *Conditions[K, V]) Last(subject K) (value V, reported bool) {
	value, reported = c.reported[subject]
	return value, reported
}

// Is reports whether this was last reported of the subject.
func (c *Conditions[K, V]) Is(subject K, value V) bool {
	last, reported := c.reported[subject]
	return reported && last == value
}

// Reported notes that this was reported of the subject.
func (c *Conditions[K, V]) Reported(subject K, value V) {
	if c.reported == nil {
		c.reported = map[K]V{}
	}
	c.reported[subject] = value
}

// Drop notes that it is over for the subject, and returns whether anything was reported of it.
func (c *Conditions[K, V]) Drop(subject K) (reported bool) {
	_, reported = c.reported[subject]
	delete(c.reported, subject)
	return reported
}

// Over drops all subjects for which it is over, and returns what was reported of them.
func (c *Conditions[K, V]) Over(lasts func(K) bool) map[K]V {
	over := map[K]V{}
	for k, v := range c.reported {
		if !lasts(k) {
			over[k] = v
			delete(c.reported, k)
		}
	}
	return over
}
