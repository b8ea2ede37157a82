// Package route holds what the fabric looks up for a frame: the mapping of
// addresses to their holders and the route tables of subnets, both compiled
// for one short look-up. It decides where a frame goes, never whether it may.
package route

// A page is a small open-addressed table; pageLoad leaves holes, so that a
// miss ends soon.
const (
	pageSlots = 32
	pageLoad  = 24
	chunkSize = 64
)

// Mapping is an immutable map from a 64-bit key to *T, for readers on the path
// of a frame. An Editor derives a new Mapping from it that shares every page
// it did not touch (extendible hashing), so that a change among 100,000
// addresses copies one page and the 1.5 KiB of the directory that lead to it, one
// among a thousand 0.5 KiB: a directory in one piece would be 128 KiB of garbage
// each time.
// The zero Mapping is empty.
type Mapping[T any] struct {
	dir   []*chunk[T] // of 1<<depth page pointers, indexed by the top bits of the hash
	depth uint8
	n     int
	seed  uint64
}

type chunk[T any] struct {
	editor *Editor[T] // as in page
	pages  [chunkSize]*page[T]
}

type page[T any] struct {
	editor *Editor[T] // who may write to it; nil once published
	depth  uint8      // how many top bits all keys here share
	n      uint8
	keys   [pageSlots]uint64
	vals   [pageSlots]*T // nil: free
}

// NewMapping returns an empty mapping whose hash is seeded: the addresses in
// it are chosen by people who may want them to collide.
func NewMapping[T any](seed uint64) *Mapping[T] { return &Mapping[T]{seed: seed} }

// Len returns the number of keys.
func (m *Mapping[T]) Len() int { return m.n }

// hash is a bijection (murmur3's finaliser), so that no two keys share all bits
// and splitting a page always ends.
func hash(k uint64) uint64 {
	k ^= k >> 33
	k *= 0xff51afd7ed558ccd
	k ^= k >> 33
	k *= 0xc4ceb9fe1a85ec53
	return k ^ k>>33
}

// Get returns the value of key, or nil.
func (m *Mapping[T]) Get(key uint64) *T {
	if len(m.dir) == 0 {
		return nil
	}
	h := hash(key ^ m.seed)
	p := m.page(h >> (64 - m.depth))
	for i := h; ; i++ {
		v := p.vals[i%pageSlots]
		if v == nil {
			return nil
		}
		if p.keys[i%pageSlots] == key {
			return v
		}
	}
}

func (m *Mapping[T]) page(i uint64) *page[T] { return m.dir[i/chunkSize].pages[i%chunkSize] }

// Editor collects changes to a Mapping. It is not safe for concurrent use.
type Editor[T any] struct {
	m       Mapping[T]
	ownsDir bool
}

// Edit starts a set of changes; m itself stays as it is.
func (m *Mapping[T]) Edit() *Editor[T] { return &Editor[T]{m: *m} }

// Get returns the value of key as of the changes so far, or nil.
func (e *Editor[T]) Get(key uint64) *T { return e.m.Get(key) }

// Put sets the value of key; v must not be nil.
func (e *Editor[T]) Put(key uint64, v *T) {
	if v == nil {
		panic("route: nil value")
	}
	if len(e.m.dir) == 0 {
		c := &chunk[T]{editor: e}
		c.pages[0] = &page[T]{editor: e}
		e.m.dir, e.ownsDir = []*chunk[T]{c}, true
	}
	h := hash(key ^ e.m.seed)
	for {
		p := e.writable(h)
		added, ok := p.put(key, h, v)
		if ok {
			if added {
				e.m.n++
			}
			return
		}
		e.split(p, h)
	}
}

// Delete removes key if it is there.
func (e *Editor[T]) Delete(key uint64) {
	if e.m.Get(key) == nil {
		return
	}
	h := hash(key ^ e.m.seed)
	p := e.writable(h)
	// Refilling one small page is simpler than shifting back, and as rare.
	old := *p
	p.n, p.keys, p.vals = 0, [pageSlots]uint64{}, [pageSlots]*T{}
	for i, v := range old.vals {
		if v != nil && old.keys[i] != key {
			p.put(old.keys[i], hash(old.keys[i]^e.m.seed), v)
		}
	}
	e.m.n--
}

// Done returns the changed mapping; the Editor must not be used again.
func (e *Editor[T]) Done() *Mapping[T] {
	m := e.m
	e.m = Mapping[T]{}
	return &m
}

// writable returns the page of h, copied unless this editor made it.
func (e *Editor[T]) writable(h uint64) *page[T] {
	p := e.m.page(h >> (64 - e.m.depth))
	if p.editor == e {
		return p
	}
	c := *p
	c.editor = e
	e.place(&c, h)
	return &c
}

// place points every directory slot that p covers to p; h is any hash in it.
func (e *Editor[T]) place(p *page[T], h uint64) {
	if !e.ownsDir {
		e.m.dir, e.ownsDir = append([]*chunk[T](nil), e.m.dir...), true
	}
	span := uint64(1) << (e.m.depth - p.depth)
	first := h >> (64 - e.m.depth) &^ (span - 1)
	for i := first; i < first+span; i++ {
		c := e.m.dir[i/chunkSize]
		if c.editor != e {
			own := *c
			own.editor = e
			c = &own
			e.m.dir[i/chunkSize] = c
		}
		c.pages[i%chunkSize] = p
	}
}

// split replaces the full page p of hash h by two.
func (e *Editor[T]) split(p *page[T], h uint64) {
	if p.depth == e.m.depth {
		pages := uint64(2) << e.m.depth
		dir := make([]*chunk[T], (pages+chunkSize-1)/chunkSize)
		for i := range pages {
			if i%chunkSize == 0 {
				dir[i/chunkSize] = &chunk[T]{editor: e}
			}
			dir[i/chunkSize].pages[i%chunkSize] = e.m.page(i / 2)
		}
		e.m.dir, e.m.depth, e.ownsDir = dir, e.m.depth+1, true
	}
	halves := [2]*page[T]{}
	bit := uint64(1) << (63 - p.depth)
	for side := range halves {
		q := &page[T]{editor: e, depth: p.depth + 1}
		halves[side] = q
		at := h &^ bit
		if side == 1 {
			at |= bit
		}
		e.place(q, at)
	}
	for i, v := range p.vals {
		if v != nil {
			kh := hash(p.keys[i] ^ e.m.seed)
			side := 0
			if kh&bit != 0 {
				side = 1
			}
			halves[side].put(p.keys[i], kh, v)
		}
	}
}

// put reports whether it added a key, and ok false when the page is full.
func (p *page[T]) put(key, h uint64, v *T) (added, ok bool) {
	for i := h; ; i++ {
		switch s := i % pageSlots; {
		case p.vals[s] == nil:
			if p.n == pageLoad {
				return false, false
			}
			p.keys[s], p.vals[s] = key, v
			p.n++
			return true, true
		case p.keys[s] == key:
			p.vals[s] = v
			return false, true
		}
	}
}
