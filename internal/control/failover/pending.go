package failover

import "slices"

// maxPending bounds what has been taken from one holder and not yet been given to
// another; beyond it the oldest is forgotten, and its move unrecorded.
const maxPending = 4096

// pending is what is on its way, by name. The zero value is empty.
type pending[T any] struct {
	left  map[string]T
	order []string // oldest first
}

func (p *pending[T]) remember(name string, v T) {
	if p.left == nil {
		p.left = map[string]T{}
	}
	p.forget(name)
	p.order = append(p.order, name)
	if len(p.order) > maxPending {
		p.forget(p.order[0])
	}
	p.left[name] = v
}

func (p *pending[T]) forget(name string) {
	if _, ok := p.left[name]; ok {
		delete(p.left, name)
		p.order = slices.DeleteFunc(p.order, func(o string) bool { return o == name })
	}
}
