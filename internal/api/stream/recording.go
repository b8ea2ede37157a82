package stream

import (
	"slices"

	"enilab/internal/dataplane"
	"enilab/internal/filter"
)

// Frame is a recorded frame with what is kept of its bytes.
type Frame struct {
	Cursor uint64
	dataplane.Record
	// AsEnded is the frame as it was where its fate was decided, its beginning if it is
	// long; AsSent its first bytes as it was sent, if the network has rewritten them.
	// Both are nil if newer frames have taken their place.
	AsEnded, AsSent []byte
}

// take divides what is kept.
func (f *Frame) take(b []byte) {
	if b == nil {
		return
	}
	if f.AsEnded = b[:f.Kept:f.Kept]; f.Sent > 0 {
		f.AsSent = b[f.Kept:]
	}
}

// Whole returns the frame as it was sent, as much as is kept; nil if the network has not
// rewritten it, or nothing is kept.
func (f *Frame) Whole() []byte {
	if f.AsSent == nil {
		return nil
	}
	return append(slices.Clone(f.AsSent), f.AsEnded[len(f.AsSent):]...)
}

// Frame returns a recorded frame by its cursor, and the span of those kept: the oldest
// and the next. False: it is not kept any more, or is yet to come.
func (h *Hub) Frame(cursor uint64) (f Frame, oldest, next uint64, ok bool) {
	f, ok = h.history.frame(cursor)
	oldest, next = h.history.span()
	return f, oldest, next, ok
}

// Walk calls visit with the frames that pass a filter, nil is all, from a cursor on, or
// back from it, until visit says enough. What is kept of a frame is valid during the
// call, for which the hub's clients wait; visit must not call the hub.
func (h *Hub) Walk(q *filter.Query, from uint64, back bool, visit func(f *Frame) (more bool)) {
	if q == nil {
		h.history.walk(from, back, visit)
		return
	}
	p := filter.Compile(q, h.world())
	// Before history's, as in look.
	h.roster.mu.RLock()
	defer h.roster.mu.RUnlock()
	h.history.walk(from, back, func(f *Frame) bool { return !p.Match(&f.Record, f.Cursor) || visit(f) })
}

// At returns the cursor of the first record from an instant (Unix nanoseconds) on.
func (h *Hub) At(instant int64) uint64 { return h.history.at(instant) }

// Span returns the cursors of the oldest record kept and of the next.
func (h *Hub) Span() (oldest, next uint64) { return h.history.span() }
