package dataplane

import (
	"math"
	"math/bits"
	"sync/atomic"

	"enilab/internal/dataplane/frame"
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

// chance is what the workers share of one kind's sampling: which flows have
// records now. It changes once an epoch, from what the last one brought.
type chance struct {
	// state: threshold in the high half, then 24 bits of the epoch's number and
	// 8 of the slices' length.
	state atomic.Uint64
	seen  atomic.Uint64 // frames of this epoch, told so far
}

const (
	epochShift = 24 // an epoch is 2^24 ns, 17 ms
	epochMask  = 1<<24 - 1
	// wanted is how many records an epoch's budget is good for.
	wanted = uint64(1<<epochShift) / uint64(recordCost)
	// sliceShift bounds the length of a slice from below, 2^16 ns: a burst
	// has one instant.
	sliceShift = 16
	// everyFlow as threshold leaves nobody out.
	everyFlow = math.MaxUint32
)

// at returns the threshold and the length of slices that hold at now, with
// left records in the budget. The first to ask in an epoch sets them.
func (c *chance) at(now int64, left int) (threshold uint32, shift uint8) {
	epoch := uint64(now>>epochShift) & epochMask
	old := c.state.Load()
	if old>>8&epochMask == epoch && old != 0 {
		return uint32(old >> 32), uint8(old)
	}
	seen := c.seen.Swap(0)
	if passed := (epoch - old>>8) & epochMask; passed > 1 && passed < epochMask/2 {
		seen /= passed
	}
	threshold, shift = share(seen, left)
	c.state.CompareAndSwap(old, uint64(threshold)<<32|epoch<<8|uint64(shift))
	return threshold, shift
}

// share returns which part of flows and slices gets records, when an epoch
// brings seen frames: as many as the budget is good for, some more when it
// is full, fewer when it is empty. A part of a flow's life is cut the shorter the
// smaller it is, so that a single heavy flow is seen often too.
func share(seen uint64, left int) (threshold uint32, shift uint8) {
	if seen <= wanted || seen <= 2*wanted && left >= recordBurst/2 {
		return everyFlow, epochShift
	}
	part := float64(wanted) / float64(seen) * min(4, max(0.25, 2*float64(left)/recordBurst))
	if part >= 1 {
		return everyFlow, epochShift
	}
	threshold = uint32(part * everyFlow)
	shift = uint8(max(sliceShift, epochShift-bits.Len32(everyFlow/max(1, threshold))))
	return threshold, shift
}

// sampler picks the frames of one worker and kind that get a record: all while
// the budget lasts, else those of some flows for a slice of time, others in
// the next. A flow's two directions, which different workers see, are picked
// alike, so that a request has its reply beside it.
type sampler struct {
	seen  uint64 // frames so far
	start uint64 // seen at the beginning of the burst
	left  int    // records that this burst may still make
	made  int    // records of this burst

	threshold uint32
	slice     uint64
}

// begin starts a burst at now that may make up to left records.
func (s *sampler) begin(now int64, left int, c *chance) {
	s.start, s.left, s.made = s.seen, left, 0
	var shift uint8
	s.threshold, shift = c.at(now, left)
	s.slice = uint64(now >> shift)
}

// pick reports whether the frame at hand gets a record.
func (s *sampler) pick(v *frame.View) bool {
	s.seen++
	return s.left > 0 && s.take(v)
}

func (s *sampler) take(v *frame.View) bool {
	if s.threshold != everyFlow && mix(viewFlow(v), s.slice) > s.threshold {
		return false
	}
	s.left--
	s.made++
	return true
}

// frames returns how many frames the burst had.
func (s *sampler) frames() uint64 { return s.seen - s.start }

// skipped returns how many frames of the burst got no record.
func (s *sampler) skipped() uint64 { return s.frames() - uint64(s.made) }

// viewFlow and Record.flow name a flow, the same in both directions.
func viewFlow(v *frame.View) uint64 {
	ports := v.SrcPort ^ v.DstPort
	if v.Proto == frame.ProtoICMP {
		ports = v.ICMPID
	}
	return flowName(v.SrcIP, v.DstIP, ports, v.Proto)
}

func (r *Record) flow() uint64 {
	ports := r.SrcPort ^ r.DstPort
	if r.Proto == frame.ProtoICMP {
		ports = r.DstPort // SrcPort tells a request from its reply
	}
	return flowName(r.SrcIP, r.DstIP, ports, r.Proto)
}

func flowName(a, b frame.IPv4, ports uint16, proto uint8) uint64 {
	return uint64(a^b)<<32 | uint64(ports)<<8 | uint64(proto)
}

// InShare reports whether r belongs to the one of n parts that is shown of
// flows for a slice of 1<<shift nanoseconds. Both directions of a flow do, or
// neither; in the next slice other flows do.
func (r *Record) InShare(n uint64, shift uint8) bool {
	return n <= 1 || uint64(mix(r.flow(), uint64(r.At>>shift)))*n>>32 == 0
}

// mix spreads a flow in a slice over 32 bits (Stafford's variant of the
// MurmurHash3 finalizer). It is the same in every engine: a simulation
// can be repeated.
func mix(flow, slice uint64) uint32 {
	x := flow + (slice+1)*0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return uint32(x >> 32)
}
