package dataplane

import "enilab/internal/dataplane/frame"

// queue is a first-in first-out list of frames, linked through the buffers:
// an empty one costs three words, however many it may hold.
type queue struct {
	head, tail *frame.Buf
	n          int
}

func (q *queue) push(b *frame.Buf) {
	b.Next = nil
	if q.tail == nil {
		q.head = b
	} else {
		q.tail.Next = b
	}
	q.tail = b
	q.n++
}

// pop returns the oldest frame, nil if there is none.
func (q *queue) pop() *frame.Buf {
	b := q.head
	if b == nil {
		return nil
	}
	if q.head = b.Next; q.head == nil {
		q.tail = nil
	}
	b.Next = nil
	q.n--
	return b
}

// splice moves all of o to the end of q.
func (q *queue) splice(o *queue) {
	if o.n == 0 {
		return
	}
	if q.tail == nil {
		q.head = o.head
	} else {
		q.tail.Next = o.head
	}
	q.tail = o.tail
	q.n += o.n
	*o = queue{}
}

// take moves up to max frames (0: all) from the front of q to a queue of their own.
func (q *queue) take(max int) queue {
	if max <= 0 || max >= q.n {
		out := *q
		*q = queue{}
		return out
	}
	last := q.head
	for range max - 1 {
		last = last.Next
	}
	out := queue{q.head, last, max}
	q.head = last.Next
	q.n -= max
	last.Next = nil
	return out
}

// giveBack returns every buffer of q to its home, in batches.
func (q *queue) giveBack() {
	var batch [burstFrames]*frame.Buf
	n := 0
	for b := q.pop(); b != nil; b = q.pop() {
		if batch[n] = b; n == len(batch)-1 {
			frame.Return(batch[:])
			n = 0
			continue
		}
		n++
	}
	frame.Return(batch[:n])
}
