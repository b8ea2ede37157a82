package dataplane

import "enilab/internal/dataplane/frame"

// minRing is the first size of a queue's ring.
const minRing = 16

// queue is a first-in first-out ring of frames. It holds pointers side by side,
// so that going through it does not wait for the memory of one frame to learn
// where the next is. One that was never used, or was trimmed, has no ring:
// however many frames it may hold, an idle port's costs nothing.
type queue struct {
	ring []*frame.Buf // a power of two long; slots that hold no frame are nil
	head int          // the oldest frame's slot
	n    int
}

// push adds b at the end. The bound is the caller's: a ring grows.
func (q *queue) push(b *frame.Buf) {
	if q.n == len(q.ring) {
		q.grow(q.n + 1)
	}
	q.ring[(q.head+q.n)&(len(q.ring)-1)] = b
	q.n++
}

// add adds frames at the end.
func (q *queue) add(frames []*frame.Buf) {
	if q.n+len(frames) > len(q.ring) {
		q.grow(q.n + len(frames))
	}
	for len(frames) > 0 {
		at := (q.head + q.n) & (len(q.ring) - 1)
		end := len(q.ring)
		if at < q.head {
			end = q.head
		}
		k := copy(q.ring[at:end], frames)
		q.n += k
		frames = frames[k:]
	}
}

// grow makes room for n frames in all.
func (q *queue) grow(n int) {
	size := max(minRing, len(q.ring))
	for size < n {
		size *= 2
	}
	ring := make([]*frame.Buf, size)
	front, back := q.spans(q.n)
	copy(ring[copy(ring, front):], back)
	q.ring, q.head = ring, 0
}

// spans are the slots of the n oldest frames, in order.
func (q *queue) spans(n int) (front, back []*frame.Buf) {
	if end := q.head + n; end > len(q.ring) {
		return q.ring[q.head:], q.ring[:end-len(q.ring)]
	}
	return q.ring[q.head : q.head+n], nil
}

// pop returns the oldest frame, nil if there is none.
func (q *queue) pop() *frame.Buf {
	if q.n == 0 {
		return nil
	}
	b := q.ring[q.head]
	q.ring[q.head] = nil
	q.head = (q.head + 1) & (len(q.ring) - 1)
	q.n--
	return b
}

// take moves the oldest frames to out, as many as fit there, and returns how
// many there were.
func (q *queue) take(out []*frame.Buf) int {
	n := min(q.n, len(out))
	if n == 0 {
		return 0
	}
	front, back := q.spans(n)
	copy(out[copy(out, front):], back)
	// A slot that kept its frame would keep its pool's memory.
	clear(front)
	clear(back)
	q.head = (q.head + n) & (len(q.ring) - 1)
	q.n -= n
	return n
}

// move appends up to max of the oldest frames of o. An empty queue takes over
// the ring of one that is moved whole.
func (q *queue) move(o *queue, max int) {
	n := min(o.n, max)
	if n <= 0 {
		return
	}
	if q.n == 0 && n == o.n {
		*q, *o = *o, queue{ring: q.ring}
		return
	}
	if q.n+n > len(q.ring) {
		q.grow(q.n + n)
	}
	front, back := o.spans(n)
	for _, span := range [][]*frame.Buf{front, back} {
		for len(span) > 0 {
			k := copy(q.ring[(q.head+q.n)&(len(q.ring)-1):], span)
			q.n += k
			span = span[k:]
		}
	}
	clear(front)
	clear(back)
	o.head = (o.head + n) & (len(o.ring) - 1)
	o.n -= n
}

// trim lets go of the ring of an empty queue.
func (q *queue) trim() {
	if q.n == 0 {
		*q = queue{}
	}
}

// giveBack returns every buffer of q to its home, in batches.
func (q *queue) giveBack() {
	var batch [burstFrames]*frame.Buf
	for n := q.take(batch[:]); n > 0; n = q.take(batch[:]) {
		frame.Return(batch[:n])
	}
}
