package stream

import (
	"sync"

	"enilab/internal/dataplane"
)

// historyLength is how many records are kept for clients that come late or
// come back: 6 MiB, taken when the first client comes.
const historyLength = 1 << 17

// history is a ring of the newest records. Cursors number records from 1 and
// are never given twice, so that a client can tell what it has not seen.
type history struct {
	mu      sync.RWMutex
	ring    []dataplane.Record // guarded by mu, as all below
	oldest  uint64             // cursor of the oldest record
	next    uint64             // cursor of the next record
	skipped uint64             // records the engine left out so far
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
func (h *history) append(rs []dataplane.Record, skipped uint64) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.ring == nil {
		h.ring = make([]dataplane.Record, historyLength)
	}
	h.skipped += skipped
	for len(rs) > 0 {
		n := copy(h.ring[h.next%historyLength:], rs)
		rs, h.next = rs[n:], h.next+uint64(n)
	}
	if h.next > h.oldest+historyLength {
		h.oldest = h.next - historyLength
	}
}

// span returns the cursors of the oldest record and of the next.
func (h *history) span() (oldest, next uint64) {
	h.mu.RLock()
	defer h.mu.RUnlock()
	return h.oldest, h.next
}

// take is one read of a client.
type take struct {
	records []numbered
	next    uint64 // where to go on
	waiting uint64 // records there were
	factor  uint64 // every factor-th of them was taken
	gone    uint64 // records that were overwritten before they were read
	skipped uint64 // records the engine has left out so far
}

// read takes what there is from a cursor on, at most limit records: if there
// are more, or the client asked for less, every factor-th by number, which is
// even and the same for every client. It appends to buf.
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
	for t.waiting/t.factor >= uint64(limit) {
		t.factor *= reduction
	}
	for c := (from + t.factor - 1) / t.factor * t.factor; c < h.next; c += t.factor {
		t.records = append(t.records, numbered{c, h.ring[c%historyLength]})
	}
	return t
}
