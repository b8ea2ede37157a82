package tap

import (
	"math/bits"
	"sync/atomic"
)

const (
	// slotBytes is the share of a ring's bytes that one slot stands for when
	// whole frames are kept: most are shorter, so a ring of 4096 slots costs
	// 8 MiB and not the 40 MiB that room for as many jumbo frames would take.
	slotBytes = 2048
	// minRingBytes holds the longest frame that any tap is offered, twice.
	minRingBytes = 128 << 10
)

// ring carries frames from one worker to the reader: a queue of records and a
// queue of their bytes, both bounded. Positions grow forever and are masked on
// use. The worker owns the tail and the reader owns the head; each sees the
// other's position through one atomic word, so neither ever waits.
//
// A frame for which there is no record or no room is counted as lost: the
// newest goes, because the older ones are already promised to the reader.
type ring struct {
	slots []record // length is a power of two
	bytes []byte   // length is a power of two

	// Owned by the worker.
	tail, tailByte uint64 // where the next frame goes
	freed          uint64 // head as last seen
	freedByte      uint64
	losses         uint64
	shown          uint64 // tail as last published
	shownLosses    uint64

	_ [64]byte // the words below change from the other goroutine: a cache line of their own

	published       atomic.Uint64 // tail, by the worker
	publishedLosses atomic.Uint64
	_               [64]byte
	head, headByte  atomic.Uint64 // by the reader

	// Owned by the reader.
	next, limit uint64
	nextByte    uint64 // headByte once everything before next is released
	_           [64]byte
}

// record describes one frame in a ring.
type record struct {
	Meta
	length int
	start  uint32 // of the kept bytes in ring.bytes
	kept   uint32
	end    uint64 // byte position behind the frame
}

func (r *ring) init(slots, snaplen int) {
	share := slotBytes
	if snaplen > 0 {
		share = min(share, snaplen)
	}
	r.slots = make([]record, ceilPow2(slots))
	r.bytes = make([]byte, max(ceilPow2(slots*share), minRingBytes))
}

func ceilPow2(n int) int { return 1 << bits.Len(uint(max(n, 1)-1)) }

// push copies one frame into the ring, unseen by the reader until publish.
func (r *ring) push(m Meta, length int, kept []byte) {
	if r.tail-r.freed == uint64(len(r.slots)) {
		r.freed = r.head.Load()
		if r.tail-r.freed == uint64(len(r.slots)) {
			r.losses++
			return
		}
	}
	// A frame lies in one piece so that the reader can hand out a slice of it:
	// where it would wrap, the rest of the buffer is left empty.
	size, at := uint64(len(r.bytes)), r.tailByte
	if off := at & (size - 1); off+uint64(len(kept)) > size {
		at += size - off
	}
	end := at + uint64(len(kept))
	if end-r.freedByte > size {
		r.freedByte = r.headByte.Load()
		if end-r.freedByte > size {
			r.losses++
			return
		}
	}
	start := at & (size - 1)
	copy(r.bytes[start:], kept)
	r.slots[r.tail&uint64(len(r.slots)-1)] = record{Meta: m, length: length, start: uint32(start), kept: uint32(len(kept)), end: end}
	r.tail++
	r.tailByte = end
}

// publish shows the reader what was pushed and reports whether that is news.
func (r *ring) publish() bool {
	if r.tail == r.shown && r.losses == r.shownLosses {
		return false
	}
	r.shown, r.shownLosses = r.tail, r.losses
	r.publishedLosses.Store(r.losses)
	r.published.Store(r.tail)
	return true
}

// load fixes how far the reader may go and returns the losses so far.
func (r *ring) load() uint64 {
	r.limit = r.published.Load()
	return r.publishedLosses.Load()
}

func (r *ring) peek() *record { return &r.slots[r.next&uint64(len(r.slots)-1)] }

func (r *ring) take() Packet {
	s := r.peek()
	r.next++
	r.nextByte = s.end
	end := s.start + s.kept
	return Packet{Meta: s.Meta, Length: s.length, Data: r.bytes[s.start:end:end]}
}

func (r *ring) release() {
	if r.next == r.head.Load() {
		return
	}
	r.headByte.Store(r.nextByte)
	r.head.Store(r.next)
}
