package stream

import "enilab/internal/dataplane"

// Frame is a recorded frame with what is kept of its bytes.
type Frame struct {
	Cursor uint64
	dataplane.Record
	// Ended is the frame as it was where its fate was decided, its beginning if it is
	// long; Sent its first bytes as it was sent, if the network has rewritten them.
	// Both are nil if newer frames have taken their place.
	Ended, Sent []byte
}

// Frame returns a recorded frame by its cursor, and the span of those kept: the oldest
// and the next. False: it is not kept any more, or is yet to come.
func (h *Hub) Frame(cursor uint64) (f Frame, oldest, next uint64, ok bool) {
	f.Cursor = cursor
	f.Record, f.Ended, f.Sent, ok = h.history.frame(cursor)
	oldest, next = h.history.span()
	return f, oldest, next, ok
}

// Walk calls visit with the records from a cursor on, or back from it, until visit says
// enough. Records are not to be changed, and the hub's clients wait meanwhile.
func (h *Hub) Walk(from uint64, back bool, visit func(cursor uint64, r *dataplane.Record) (more bool)) {
	h.history.walk(from, back, visit)
}

// At returns the cursor of the first record from an instant (Unix nanoseconds) on.
func (h *Hub) At(instant int64) uint64 { return h.history.at(instant) }

// Span returns the cursors of the oldest record kept and of the next.
func (h *Hub) Span() (oldest, next uint64) { return h.history.span() }
