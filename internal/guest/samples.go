package guest

import (
	"slices"
	"time"
)

// Sample is one request of a measured client, taken from frames at the
// client's vNIC. Times are Unix nanoseconds of the engine's clock.
type Sample struct {
	Seq       uint64
	SentAt    int64  // guest_tx
	RepliedAt int64  // guest_rx; 0: none (yet)
	Responder string // instance id in the reply, "" for ping
}

const (
	// maxSamples of a flow are kept; a newer one takes the place of the oldest.
	maxSamples = 1 << 16
	// minSamples is where the ring starts: most clients are slow or paused.
	minSamples = 1 << 10
	// maxGap bounds how many requests in a row the tap can have missed. A
	// number beyond it is not the client's: a replayed or forged frame.
	maxGap = 1 << 24
)

// ReplyTimeout is how long a reply may take; later, its request counts as lost.
const ReplyTimeout = time.Second

// samples is a ring of a flow's newest requests, indexed by sequence number.
type samples struct {
	slots []Sample // len: a power of two
	first uint64   // lowest sequence number seen
	next  uint64   // highest seen, plus one

	judged uint64 // requests below it are in lost, or were answered in time
	sent   uint64
	got    uint64 // requests answered, in time or not
	lost   uint64 // requests not answered within ReplyTimeout
	lastAt int64  // of the newest reply

	lastSeq uint64 // the request that the newest reply answered
	waiting int64  // when the oldest request since the newest reply left; 0: none
	silence Silence
}

// Silence is a time in which a client that asked got no reply: from its last
// one to its next. Unix nanoseconds.
type Silence struct{ From, To int64 }

// minSilence is from where on a time without a reply is a silence; a client's
// own pauses are none.
const minSilence = int64(200 * time.Millisecond)

func (s *samples) slot(seq uint64) *Sample { return &s.slots[seq&uint64(len(s.slots)-1)] }

// request notes that request seq left at a time. Sequence numbers rise; one
// seen before is a repetition and not counted again.
func (s *samples) request(seq uint64, at int64) {
	if s.slots == nil {
		s.slots = make([]Sample, minSamples)
		s.first, s.next, s.judged = seq, seq, seq
	}
	if seq < s.next || seq-s.next > maxGap {
		return
	}
	for seq-s.first >= uint64(len(s.slots)) && len(s.slots) < maxSamples {
		s.grow()
	}
	s.judge(at)
	// A ring that is lapped within ReplyTimeout takes its oldest requests as
	// they stand: they will not be found again.
	if size := uint64(len(s.slots)); seq-s.judged >= size {
		for q := s.judged; q < s.next && seq-q >= size; q++ {
			s.judgeOne(q)
		}
		s.judged = seq - size + 1
	}
	if seq-s.first >= uint64(len(s.slots)) {
		s.first = seq - uint64(len(s.slots)) + 1
	}
	*s.slot(seq) = Sample{Seq: seq, SentAt: at}
	s.next = seq + 1
	s.sent++
	if s.waiting == 0 {
		s.waiting = at
	}
}

func (s *samples) grow() {
	old := s.slots
	s.slots = make([]Sample, 2*len(old))
	for _, x := range old {
		if x.SentAt != 0 {
			*s.slot(x.Seq) = x
		}
	}
}

// find returns the sample of a sequence number, nil if it is not in the ring.
func (s *samples) find(seq uint64) *Sample {
	if seq < s.first || seq >= s.next {
		return nil
	}
	if x := s.slot(seq); x.Seq == seq && x.SentAt != 0 {
		return x
	}
	return nil // a request that the tap did not see
}

// reply notes the first reply to request seq and reports whether it was one.
func (s *samples) reply(seq uint64, at int64, responder string) bool {
	x := s.find(seq)
	if x == nil || x.RepliedAt != 0 {
		return false
	}
	x.RepliedAt, x.Responder = at, responder
	s.got++
	if s.lastAt != 0 && at-s.lastAt >= minSilence && (seq > s.lastSeq+1 || at-x.SentAt >= minSilence) {
		s.silence = Silence{s.lastAt, at}
	}
	s.lastAt, s.lastSeq, s.waiting = at, seq, 0
	return true
}

// judge counts the requests that have had their time by now.
func (s *samples) judge(now int64) {
	for s.judged < s.next {
		if x := s.find(s.judged); x != nil && now-x.SentAt <= int64(ReplyTimeout) {
			return
		}
		s.judgeOne(s.judged)
		s.judged++
	}
}

func (s *samples) judgeOne(seq uint64) {
	if x := s.find(seq); x != nil && (x.RepliedAt == 0 || x.RepliedAt-x.SentAt > int64(ReplyTimeout)) {
		s.lost++
	}
}

// since returns copies of the samples sent at or after a time, oldest first.
func (s *samples) since(at int64) []Sample {
	from := s.next
	for from > s.first {
		if x := s.find(from - 1); x != nil && x.SentAt < at {
			break
		}
		from--
	}
	if from == s.next {
		return nil
	}
	out := make([]Sample, 0, s.next-from)
	for q := from; q < s.next; q++ {
		if x := s.find(q); x != nil {
			out = append(out, *x)
		}
	}
	return out
}

// rtt returns the median and the 99th percentile of the round trips whose
// request left within the last second; 0 if there were none.
func (s *samples) rtt(now int64) (p50, p99 int64) {
	var ds []int64
	for q := s.next; q > s.first; q-- {
		x := s.find(q - 1)
		if x == nil {
			continue
		}
		if now-x.SentAt > int64(time.Second) {
			break
		}
		if x.RepliedAt != 0 {
			ds = append(ds, x.RepliedAt-x.SentAt)
		}
	}
	if len(ds) == 0 {
		return 0, 0
	}
	slices.Sort(ds)
	return ds[(len(ds)-1)/2], ds[(len(ds)-1)*99/100]
}
