package dataplane

import (
	"math"
	"sync/atomic"
)

const (
	// recordRate is how many frames a second have a record, of each kind and
	// of all workers together: what nobody can read is not worth writing. As
	// long as fewer frames come, each has one.
	recordRate = 20_000
	recordCost = int64(1e9) / recordRate
	// recordBurst frames at once have a record each, after a pause.
	recordBurst = 2048
)

// Refused and answered frames are sampled apart from accepted ones, which are
// many and alike and would otherwise take all records.
const (
	sampleAccepted = iota
	sampleOther
	numSamples
)

// budget is a bucket of records that the workers share: the event time up to
// which they are paid for, one word, so that looking costs a load a burst and
// spending one addition for every burst that made any.
type budget struct{ paid atomic.Int64 }

// left returns how many records may be made at now. Workers that ask at the
// same time are told the same, and pay back what they made too many by getting
// none for a while.
func (b *budget) left(now int64) int {
	return max(0, int((now-b.floor(now, b.paid.Load()))/recordCost))
}

func (b *budget) floor(now, paid int64) int64 {
	return max(paid, now-recordBurst*recordCost)
}

func (b *budget) spend(now int64, n int) {
	for {
		paid := b.paid.Load()
		if b.paid.CompareAndSwap(paid, b.floor(now, paid)+int64(n)*recordCost) {
			return
		}
	}
}

// sampler picks the frames of one worker and kind that get a record: all while
// the budget lasts, else single ones with random gaps (as RFC 3176 wants them)
// whose mean follows the last burst. A fixed gap would fall in step with
// guests that send bursts of equal length and never show some of them.
type sampler struct {
	seen  uint64 // frames so far
	next  uint64 // the frame that gets a record
	start uint64 // seen at the beginning of the burst
	left  int    // records that this burst may still make
	made  int    // records of this burst

	stride uint64 // mean gap
	random uint64
}

// never is a frame that does not come.
const never = math.MaxUint64

// begin starts a burst that may make up to left records.
func (s *sampler) begin(left int) {
	burst := s.seen - s.start
	s.start, s.left, s.made = s.seen, left, 0
	if left == 0 {
		s.next = never
		return
	}
	s.stride = max(1, (burst+uint64(left)-1)/uint64(left))
	if s.next-s.seen > 2*s.stride-1 { // else the gap goes on from the last burst
		s.draw()
	}
}

// pick reports whether the frame at hand gets a record.
func (s *sampler) pick() bool {
	s.seen++
	return s.seen >= s.next && s.take()
}

func (s *sampler) take() bool {
	s.made++
	if s.left--; s.left == 0 {
		s.next = never
		return true
	}
	s.draw()
	return true
}

// draw chooses a gap of 1 to 2*stride-1 frames. The generator (Knuth's MMIX)
// starts alike in every engine: a simulation can be repeated.
func (s *sampler) draw() {
	s.random = s.random*6364136223846793005 + 1442695040888963407
	s.next = s.seen + 1 + (s.random>>32)%(2*s.stride-1)
}

// skipped returns how many frames of the burst got no record.
func (s *sampler) skipped() uint64 { return s.seen - s.start - uint64(s.made) }
