package stream

import (
	"slices"
	"sort"
	"sync"

	"enilab/internal/dataplane"
)

const (
	// historyLength is how many records are kept for clients that come late or
	// come back: 7 MiB, taken when the first client comes.
	historyLength = 1 << 17
	// frameBytes bounds what is kept of their frames, the newest. The system gives
	// memory for as much of it as has been written.
	frameBytes = 32 << 20
)

// history is a ring of the newest records. Cursors number records from 1 and
// are never given twice, so that a client can tell what it has not seen.
type history struct {
	mu      sync.RWMutex
	ring    []dataplane.Record // guarded by mu, as all below
	oldest  uint64             // cursor of the oldest record
	next    uint64             // cursor of the next record
	skipped uint64             // records the engine left out so far

	// bytes is a ring of the beginnings of the records' frames. A record's Off is the
	// low half of how many bytes were written before its own.
	bytes   []byte
	written uint64
}

// restart forgets everything. One cursor stays unused, so that a client which
// had seen all learns that time has passed unobserved.
func (h *history) restart() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.next++
	h.oldest = h.next
}

// append adds a batch; older records go when the ring is full.
func (h *history) append(rs []dataplane.Record, bytes []byte, skipped uint64) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.ring == nil {
		h.ring, h.bytes = make([]dataplane.Record, historyLength), make([]byte, frameBytes)
	}
	h.skipped += skipped
	for i := range rs {
		r := &h.ring[h.next%historyLength]
		*r = rs[i]
		r.Off = uint32(h.written)
		h.write(bytes[rs[i].Off:][:int(r.Kept)+int(r.Sent)])
		h.next++
	}
	if h.next > h.oldest+historyLength {
		h.oldest = h.next - historyLength
	}
}

func (h *history) write(b []byte) {
	for len(b) > 0 {
		n := copy(h.bytes[h.written%frameBytes:], b)
		b, h.written = b[n:], h.written+uint64(n)
	}
}

// bytesOf returns what is kept of a record's frame, valid while the lock is held; nil if
// it is overwritten.
func (h *history) bytesOf(r *dataplane.Record) []byte {
	n := int(r.Kept) + int(r.Sent)
	ago := uint64(uint32(h.written) - r.Off) // below 2^32: no more is written while a record is kept
	if ago > frameBytes || uint64(n) > ago || n == 0 {
		return nil
	}
	at := int((h.written - ago) % frameBytes)
	if at+n <= frameBytes {
		return h.bytes[at : at+n : at+n]
	}
	return slices.Concat(h.bytes[at:], h.bytes[:at+n-frameBytes])
}

// span returns the cursors of the oldest record and of the next.
func (h *history) span() (oldest, next uint64) {
	h.mu.RLock()
	defer h.mu.RUnlock()
	return h.oldest, h.next
}

// visit calls f for at most limit records from a cursor on, which are f's for the
// time of the call; it returns how many there were, where to go on, and how many
// were overwritten before.
func (h *history) visit(from, limit uint64, f func(cursor uint64, r *dataplane.Record)) (n, next, gone uint64) {
	h.mu.RLock()
	defer h.mu.RUnlock()
	if from < h.oldest {
		gone, from = h.oldest-from, h.oldest
	}
	for ; from < h.next && n < limit; from++ {
		f(from, &h.ring[from%historyLength])
		n++
	}
	return n, from, gone
}

// skippedSoFar is how many records the engine has left out.
func (h *history) skippedSoFar() uint64 {
	h.mu.RLock()
	defer h.mu.RUnlock()
	return h.skipped
}

// take is one read of a client.
type take struct {
	records []numbered
	next    uint64 // where to go on
	waiting uint64 // records there were
	factor  uint64 // one of factor flows was taken
	gone    uint64 // records that were overwritten before they were read
	skipped uint64 // records the engine has left out so far
}

// sliceShift is how long a flow is shown or not: 2^27 ns, 134 ms, so that a
// request has its reply beside it and every flow comes up soon.
const sliceShift = 27

// read takes what there is from a cursor on, at most limit records: if there
// are more, or the client asked for less, those of one in factor flows for a
// slice of time, of other flows in the next. That is even, has both
// directions, and is the same for every client. It appends to buf.
func (h *history) read(from uint64, limit int, least uint64, buf []numbered) take {
	h.mu.RLock()
	defer h.mu.RUnlock()
	t := take{records: buf, next: h.next, factor: least, skipped: h.skipped}
	if from < h.oldest {
		t.gone, from = h.oldest-from, h.oldest
	}
	if from >= h.next {
		return t
	}
	t.waiting = h.next - from
	for n := h.count(from, least); n > limit && t.factor < historyLength; t.factor *= reduction {
		if n = h.count(from, t.factor*reduction); n == 0 {
			break // flows differ: one alone is too many, and is cut
		}
	}
	share := t.factor
	for c := from; c < h.next; c++ {
		r := &h.ring[c%historyLength]
		if !r.InShare(share, sliceShift) {
			continue
		}
		if len(t.records) == len(buf)+limit {
			for t.waiting/t.factor > uint64(limit) {
				t.factor *= reduction
			}
			break
		}
		t.records = append(t.records, numbered{c, *r})
	}
	return t
}

// count returns how many records from a cursor on are in the share of factor.
func (h *history) count(from, factor uint64) (n int) {
	if factor == 1 {
		return int(h.next - from)
	}
	for c := from; c < h.next; c++ {
		if h.ring[c%historyLength].InShare(factor, sliceShift) {
			n++
		}
	}
	return n
}

// since returns the records from an instant on, and the cursor of each.
func (h *history) since(at int64) (all []dataplane.Record, cursors []uint64) {
	h.mu.RLock()
	defer h.mu.RUnlock()
	if h.ring == nil {
		return nil, nil
	}
	// Batches come a little out of order: the oldest are looked at too.
	for c := h.oldest; c < h.next; c++ {
		if r := h.ring[c%historyLength]; r.At >= at {
			all, cursors = append(all, r), append(cursors, c)
		}
	}
	return all, cursors
}

// record returns the record of a cursor; false if it is gone or has not been.
func (h *history) record(cursor uint64) (dataplane.Record, bool) {
	h.mu.RLock()
	defer h.mu.RUnlock()
	if h.ring == nil || cursor < h.oldest || cursor >= h.next {
		return dataplane.Record{}, false
	}
	return h.ring[cursor%historyLength], true
}

// frame returns the frame of a cursor, and false if it is gone.
func (h *history) frame(cursor uint64) (f Frame, ok bool) {
	h.mu.RLock()
	defer h.mu.RUnlock()
	if h.ring == nil || cursor < h.oldest || cursor >= h.next {
		return Frame{Cursor: cursor}, false
	}
	f = Frame{Cursor: cursor, Record: h.ring[cursor%historyLength]}
	f.take(slices.Clone(h.bytesOf(&f.Record)))
	return f, true
}

// walk calls visit with frames from a cursor on, or back from it, until visit says
// enough.
func (h *history) walk(from uint64, back bool, visit func(f *Frame) (more bool)) {
	h.mu.RLock()
	defer h.mu.RUnlock()
	if h.ring == nil {
		return
	}
	step := uint64(1)
	if back {
		from, step = min(from, h.next-1), ^uint64(0)
	} else {
		from = max(from, h.oldest)
	}
	for c := from; c >= h.oldest && c < h.next; c += step {
		f := Frame{Cursor: c, Record: h.ring[c%historyLength]}
		f.take(h.bytesOf(&f.Record))
		if !visit(&f) {
			return
		}
	}
}

// at returns the cursor of the first record that is not before an instant: records are
// in the order of their instants but for what workers told late, by some milliseconds.
func (h *history) at(instant int64) uint64 {
	h.mu.RLock()
	defer h.mu.RUnlock()
	if h.ring == nil {
		return h.next
	}
	n := sort.Search(int(h.next-h.oldest), func(i int) bool { return h.ring[(h.oldest+uint64(i))%historyLength].At >= instant })
	return h.oldest + uint64(n)
}
