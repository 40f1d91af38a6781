package health

import "slices"

// maxShown is how many targets of one namespace keep the requests of their last check, which are only for people. A
// backend decides how much of its answers they hold, up to 25 KiB, and one Service may have fifty tenants.
const maxShown = 200

// shown holds the targets with requests, by namespace, those of the oldest checks first.
type shown map[string][]*entry

// keep keeps the requests of a target that was checked. Those of the oldest check are dropped if there are too many.
func (s shown) keep(e *entry) {
	s.remove(e)
	if len(e.last.Requests) == 0 {
		return
	}
	list := append(s[e.namespace()], e)
	if len(list) > maxShown {
		list[0].forgetRequests()
		list = slices.Delete(list, 0, 1)
	}
	s[e.namespace()] = list
}

func (s shown) remove(e *entry) {
	list := s[e.namespace()]
	if i := slices.Index(list, e); i >= 0 {
		s[e.namespace()] = slices.Delete(list, i, i+1)
	}
	if len(s[e.namespace()]) == 0 {
		delete(s, e.namespace())
	}
}

func (e *entry) forgetRequests() {
	e.last.Requests = nil
	if e.good != nil {
		e.good.Requests = nil
	}
}
