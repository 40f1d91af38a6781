package logging

// Condition remembers the last reported state of a lasting condition. A caller then reports when the condition begins,
// changes or ends, and not at each check. The zero value of V means that there is nothing to report. A Condition is for
// one goroutine.
type Condition[V comparable] struct{ reported V }

// Changed reports whether now differs from the last reported state, and records now as reported.
func (c *Condition[V]) Changed(now V) bool {
	changed := now != c.reported
	c.reported = now
	return changed
}

// Conditions is a Condition for each of several subjects. The caller may hold a report back: only a call of Reported
// records a state.
type Conditions[K, V comparable] struct{ reported map[K]V }

// Last returns the last reported state of the subject.
func (c *Conditions[K, V]) Last(subject K) (value V, reported bool) {
	value, reported = c.reported[subject]
	return value, reported
}

// Is reports whether value is the last reported state of the subject.
func (c *Conditions[K, V]) Is(subject K, value V) bool {
	last, reported := c.reported[subject]
	return reported && last == value
}

// Reported records value as the last reported state of the subject.
func (c *Conditions[K, V]) Reported(subject K, value V) {
	if c.reported == nil {
		c.reported = map[K]V{}
	}
	c.reported[subject] = value
}

// Drop removes the subject, and returns whether a state was reported for it.
func (c *Conditions[K, V]) Drop(subject K) (reported bool) {
	_, reported = c.reported[subject]
	delete(c.reported, subject)
	return reported
}

// Over removes all subjects whose condition has ended, and returns their last reported states.
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
