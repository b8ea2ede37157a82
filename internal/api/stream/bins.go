package stream

import (
	"sync"

	"enilab/internal/dataplane"
)

const (
	// maxBins intervals wait for a busy client; then the two oldest become
	// one, which loses their time but no frame.
	maxBins = 20
	// maxEdges of an interval are told apart; the rest count as edge {0,0}.
	maxEdges = 4096
)

// binStore holds exact counts until a client can take them.
type binStore struct {
	mu   sync.Mutex
	bins []*waitingBin // guarded by mu; by arrival
}

// waitingBin is an interval and its edges.
type waitingBin struct {
	start, width int64
	edges        []dataplane.Edge
	at           map[[2]uint32]int // place in edges
}

func (s *binStore) add(b dataplane.Bin) {
	s.mu.Lock()
	defer s.mu.Unlock()
	w := s.sameLocked(b.Start, b.Width)
	if w == nil {
		if len(s.bins) == maxBins {
			s.bins[0].absorb(s.bins[1])
			s.bins = append(s.bins[:1], s.bins[2:]...)
		}
		w = &waitingBin{start: b.Start, width: b.Width, at: make(map[[2]uint32]int, len(b.Edges))}
		s.bins = append(s.bins, w)
	}
	for i := range b.Edges {
		w.add(&b.Edges[i])
	}
}

func (s *binStore) sameLocked(start, width int64) *waitingBin {
	for _, w := range s.bins {
		if w.start == start && w.width == width {
			return w
		}
	}
	return nil
}

// take returns what waits and forgets it.
func (s *binStore) take() []*waitingBin {
	s.mu.Lock()
	defer s.mu.Unlock()
	bins := s.bins
	s.bins = nil
	return bins
}

func (w *waitingBin) add(e *dataplane.Edge) {
	key := [2]uint32{e.SrcVNIC, e.DstVNIC}
	i, ok := w.at[key]
	if !ok {
		if len(w.edges) >= maxEdges-1 {
			key = [2]uint32{}
			i, ok = w.at[key]
		}
		if !ok {
			i = len(w.edges)
			w.at[key] = i
			w.edges = append(w.edges, dataplane.Edge{SrcVNIC: key[0], DstVNIC: key[1]})
		}
	}
	sum := &w.edges[i]
	for v, n := range e.Frames {
		sum.Frames[v] += n
	}
	sum.Bytes += e.Bytes
}

// absorb makes w span o as well.
func (w *waitingBin) absorb(o *waitingBin) {
	end := max(w.start+w.width, o.start+o.width)
	w.start = min(w.start, o.start)
	w.width = end - w.start
	for i := range o.edges {
		w.add(&o.edges[i])
	}
}
