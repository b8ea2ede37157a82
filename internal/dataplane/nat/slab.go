package nat

const chunkLen = 256

// slab is a list without gaps whose elements never move by its growing: it
// takes memory in chunks, and gives back chunks when less than half are in use.
type slab[T any] struct {
	chunks []*[chunkLen]T
	n      uint32
}

// at returns element i < n.
func (s *slab[T]) at(i uint32) *T { return &s.chunks[i/chunkLen][i%chunkLen] }

// push adds an element of unspecified content.
func (s *slab[T]) push() (i uint32, e *T) {
	i = s.n
	if int(i/chunkLen) == len(s.chunks) {
		s.chunks = append(s.chunks, new([chunkLen]T))
	}
	s.n++
	return i, s.at(i)
}

// pop takes the last element away and reports whether a chunk was given back.
func (s *slab[T]) pop() (freed bool) {
	s.n--
	last := len(s.chunks) - 1
	if used := (int(s.n) + chunkLen - 1) / chunkLen; last < 2*used+1 {
		return false
	}
	s.chunks[last] = nil
	s.chunks = s.chunks[:last]
	return true
}
