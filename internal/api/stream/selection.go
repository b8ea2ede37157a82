package stream

import (
	"time"

	"enilab/internal/dataplane"
	"enilab/internal/dataplane/verdict"
	"enilab/internal/filter"
)

const (
	// maxFiltered matches of the past are sent when a filter is set, the newest.
	maxFiltered = 2000
	// maxKept matches are looked at when a message is made; of more, which only a
	// client that was away has, the newest.
	maxKept = 8192
	// chunk records are evaluated under one lock.
	chunk = 1024
	// selectionGrace is how long after its end an interval of matches is told.
	selectionGrace = 120 * time.Millisecond
)

// selection is what a client has chosen to see: the records that a filter lets
// through, all of them counted. Its client's writing goroutine owns it.
type selection struct {
	n       int // the client's number for it
	program *filter.Program
	world   *world
	edges   bool // ends and verdict alone decide, so that exact counts can be asked

	bins []*waitingBin // of matches, by start

	// Since they were told.
	seen, matched, shown, unseen uint64
	since                        time.Time
}

// newSelection makes one; q is not empty.
func newSelection(h *Hub, n int, q *filter.Query) *selection {
	w := &world{source: h.opt.Source, roster: &h.roster}
	return &selection{n: n, program: filter.Compile(q, w), world: w, edges: q.EndsAlone(), since: time.Now()}
}

// scan evaluates the records from a cursor on and below another, and adds those
// that match to kept.
func (s *selection) scan(h *history, from, upto uint64, kept []numbered, count bool) (_ []numbered, next, gone uint64) {
	look := func(cursor uint64, r *dataplane.Record) {
		if !s.program.Match(r, cursor) {
			return
		}
		if kept = append(kept, numbered{cursor, *r}); len(kept) == 2*maxKept {
			kept = kept[:copy(kept, kept[maxKept:])]
		}
		if count {
			s.matched++
			if !s.edges {
				s.count(r)
			}
		}
	}
	next = from
	for next < upto {
		s.world.roster.mu.RLock()
		n, to, lost := h.visit(next, min(chunk, upto-next), look)
		s.world.roster.mu.RUnlock()
		if n == 0 {
			break
		}
		if gone += lost; count {
			s.seen += n
		}
		next = to
	}
	return kept, next, gone
}

// count adds a record to the interval in which it was.
func (s *selection) count(r *dataplane.Record) {
	e := dataplane.Edge{SrcVNIC: r.SrcVNIC, DstVNIC: r.DstVNIC, Bytes: uint64(r.Length)}
	e.Frames[r.Verdict] = 1
	const width = int64(binWidthMs * time.Millisecond)
	s.bin(r.At/width*width, width).add(&e)
}

func (s *selection) bin(start, width int64) *waitingBin {
	for i := len(s.bins) - 1; i >= 0; i-- {
		if s.bins[i].start == start && s.bins[i].width == width {
			return s.bins[i]
		}
	}
	if len(s.bins) == maxBins {
		s.bins[0].absorb(s.bins[1])
		s.bins = append(s.bins[:1], s.bins[2:]...)
	}
	b := &waitingBin{start: start, width: width, at: map[[2]uint32]int{}}
	s.bins = append(s.bins, b)
	return b
}

// fromExact takes what matches of exact counts, for filters that these can answer:
// more than records hold under load.
func (s *selection) fromExact(bins []*waitingBin) {
	if !s.edges {
		return
	}
	s.world.roster.mu.RLock()
	defer s.world.roster.mu.RUnlock()
	for _, b := range bins {
		for i := range b.edges {
			e, some := b.edges[i], false
			for v, frames := range e.Frames {
				if frames == 0 {
					continue
				}
				r := dataplane.Record{At: b.start, SrcVNIC: e.SrcVNIC, DstVNIC: e.DstVNIC, Verdict: verdict.Verdict(v)}
				if s.program.Match(&r, 0) {
					some = true
				} else {
					e.Frames[v] = 0
				}
			}
			if some {
				s.bin(b.start, b.width).add(&e)
			}
		}
	}
}

// ready returns the intervals that are over at now, and forgets them.
func (s *selection) ready(now int64) (bins []*waitingBin) {
	kept := s.bins[:0]
	for _, b := range s.bins {
		if s.edges || b.start+b.width+int64(selectionGrace) <= now {
			bins = append(bins, b)
		} else {
			kept = append(kept, b)
		}
	}
	clear(s.bins[len(kept):])
	s.bins = kept
	return bins
}

// matchesMessage tells how much the filter lets through: of so many records seen
// in so many milliseconds, matched, and shown as rows. unseen frames had no record.
type matchesMessage struct {
	Type    string `json:"type"`
	N       int    `json:"n"`
	Ms      int64  `json:"ms"`
	Seen    uint64 `json:"seen"`
	Matched uint64 `json:"matched"`
	Shown   uint64 `json:"shown"`
	Unseen  uint64 `json:"unseen"`
}

func (s *selection) tell(now time.Time) matchesMessage {
	m := matchesMessage{"matches", s.n, now.Sub(s.since).Milliseconds(), s.seen, s.matched, s.shown, s.unseen}
	s.seen, s.matched, s.shown, s.unseen, s.since = 0, 0, 0, 0, now
	return m
}

// thin leaves at most limit rows, those of one in factor flows, as history.read does.
func thin(rows []numbered, limit int, least uint64) (_ []numbered, factor uint64) {
	factor = least
	count := func(factor uint64) (n int) {
		for i := range rows {
			if rows[i].InShare(factor, sliceShift) {
				n++
			}
		}
		return n
	}
	for n := count(factor); n > limit && factor < historyLength; factor *= reduction {
		if n = count(factor * reduction); n == 0 {
			break // flows differ: one alone is too many, and is cut
		}
	}
	total, kept := len(rows), rows[:0]
	for i := range rows {
		if rows[i].InShare(factor, sliceShift) && len(kept) < limit {
			kept = append(kept, rows[i])
		}
	}
	for len(kept) == limit && uint64(total)/factor > uint64(limit) {
		factor *= reduction
	}
	return kept, factor
}
