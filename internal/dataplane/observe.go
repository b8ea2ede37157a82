package dataplane

import (
	"context"
	"slices"
	"sync"
	"time"

	"enilab/internal/dataplane/frame"
	"enilab/internal/dataplane/verdict"
)

// Record is one frame's summary for the live table: fixed size, no pointers.
type Record struct {
	At               int64  // Unix nanoseconds of the worker's burst
	SrcVNIC, DstVNIC uint32 // 0: none
	SrcIP, DstIP     frame.IPv4
	SrcPort, DstPort uint16 // ICMP: type<<8|code in SrcPort, identifier in DstPort
	EtherType        uint16
	Length           uint16
	Rule             verdict.RuleID // the rule that decided (ingress if both passed)
	Proto            uint8
	TCPFlags         uint8
	Verdict          verdict.Verdict
	Reason           verdict.Reason
	Step             verdict.Step // where the fate was decided
	// Sent and Kept are how many bytes come with the record from Off on: first Kept
	// bytes of the frame as it was at its end, the first recordSnap of a longer one,
	// then the Sent first ones as they were sent, if the network has rewritten them.
	Sent uint8
	Kept uint16
	// Way names what else decided, by Engine.Way: routes, gateways, ACL entries.
	Way WayID
	// Off is where, in what Observer.Records is given.
	Off uint32
}

// Edge counts the frames of one (source VNIC, destination VNIC) pair by verdict.
type Edge struct {
	SrcVNIC, DstVNIC uint32
	Frames           [verdict.NumVerdicts]uint64
	Bytes            uint64
}

// Bin holds exact counts of one interval of event time. Frames that were told
// late come as a further Bin of the same Start: add them.
type Bin struct {
	Start int64  // Unix nanoseconds, multiple of the bin width
	Width int64  // 100 ms
	Edges []Edge // edges beyond the engine's bound are summed into Edge{0,0}
}

// Observer receives what the data plane saw. Methods are called by one
// collector goroutine, never where frames move, and must not block for long: while
// they do, records are skipped and counted, bins grow no further than their bound.
type Observer interface {
	// Bins are exact: every frame with a final verdict is in exactly one. A
	// frame is accepted when the guest takes it from its queue.
	Bin(b Bin)
	// Records may be a sample under load; skipped says how many were left out
	// since the last call. An accepted frame's record is made when it is
	// queued; should the guest leave without it, a second one says rx_flushed.
	// bytes are of their frames; both slices are valid during the call.
	Records(rs []Record, bytes []byte, skipped uint64)
}

const (
	binWidth = int64(100 * time.Millisecond)
	// binGrace is how long after its end a bin is kept open for late comers.
	binGrace = int64(20 * time.Millisecond)
	// collectInterval is how often observers are told.
	collectInterval = 25 * time.Millisecond
	// tellBatch records or runs of a worker are handed over under one lock.
	tellBatch = 256
	// recordSnap is how many bytes of a frame come with its record.
	recordSnap = 1522
)

type observers struct {
	mu   sync.Mutex // held while observers are called; lock order: before tally.mu
	list []*Observer
	kick chan struct{} // capacity 1: the first observer has come

	// Reused by collect; guarded by mu.
	records []Record
	bytes   []byte
}

// Observe adds an observer and returns the function that removes it; after
// that returns, the observer is not called any more. Without observers the
// workers do not record. cancel must not be called from the observer's methods.
func (e *Engine) Observe(o Observer) (cancel func()) {
	entry := &o
	e.observers.mu.Lock()
	if len(e.observers.list) == 0 {
		e.forgetTold() // a burst may have ended after the last observer left
	}
	e.observers.list = append(e.observers.list, entry)
	e.observed.Store(true)
	e.observers.mu.Unlock()
	select {
	case e.observers.kick <- struct{}{}:
	default:
	}
	return func() {
		e.observers.mu.Lock()
		defer e.observers.mu.Unlock()
		e.observers.list = slices.DeleteFunc(e.observers.list, func(x *Observer) bool { return x == entry })
		if len(e.observers.list) == 0 {
			e.observed.Store(false)
			e.forgetTold()
		}
	}
}

func (e *Engine) forgetTold() {
	for _, w := range e.workers {
		w.tally.reset()
		w.guests.reset()
	}
}

// collectLoop tells observers at intervals, while there are any.
func (e *Engine) collectLoop(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-e.observers.kick:
		}
		tick := time.NewTicker(collectInterval)
		for e.observed.Load() && ctx.Err() == nil {
			select {
			case <-ctx.Done():
			case <-tick.C:
				e.collect(e.opt.Now())
			}
		}
		tick.Stop()
		if ctx.Err() != nil {
			e.moving.Wait() // for what their last bursts have to tell
			e.collect(e.opt.Now() + 2*binWidth)
		}
	}
}

// collect tells the observers what has accumulated: all records, and the bins
// that ended before now.
func (e *Engine) collect(now int64) {
	e.observers.mu.Lock()
	defer e.observers.mu.Unlock()
	if len(e.observers.list) == 0 {
		return
	}
	var (
		bins    []*openBin
		skipped uint64
	)
	e.observers.records, e.observers.bytes = e.observers.records[:0], e.observers.bytes[:0]
	for _, w := range e.workers {
		for _, t := range []*tally{&w.tally, &w.guests} {
			var n uint64
			e.observers.records, e.observers.bytes, n = t.takeRecords(e.observers.records, e.observers.bytes)
			skipped += n
			bins = t.takeBins(now, bins)
		}
	}
	slices.SortStableFunc(e.observers.records, func(a, b Record) int { return int(a.At - b.At) })
	for len(bins) > 0 {
		first := slices.MinFunc(bins, func(a, b *openBin) int { return int(a.start - b.start) })
		bins = slices.DeleteFunc(bins, func(b *openBin) bool {
			if b == first || b.start != first.start {
				return b == first
			}
			for _, edge := range b.edges {
				first.add(edge)
			}
			b.giveBack()
			return true
		})
		for _, o := range e.observers.list {
			(*o).Bin(Bin{Start: first.start, Width: binWidth, Edges: slices.Clone(first.edges)})
		}
		first.giveBack()
	}
	if len(e.observers.records) > 0 || skipped > 0 {
		for _, o := range e.observers.list {
			(*o).Records(e.observers.records, e.observers.bytes, skipped)
		}
	}
}

// count adds a frame that no guest will take to the bin of the burst, by way
// of a run. Accepted frames are counted when their guest takes them.
func (w *worker) count(src, dst uint32, v verdict.Verdict, length int) {
	if n := len(w.runs); n > 0 {
		r := &w.runs[n-1]
		if r.src == src && r.dst == dst && r.verdict == v {
			r.frames++
			r.bytes += uint64(length)
			return
		}
		if n == tellBatch {
			w.handToTally(0)
		}
	}
	w.runs = append(w.runs, run{src: src, dst: dst, frames: 1, verdict: v, bytes: uint64(length)})
}

// record summarises one frame for observers.
func (w *worker) record(b *frame.Buf, src, dst uint32, end ruling) {
	v := &b.View
	r := Record{
		At: w.now, SrcVNIC: src, DstVNIC: dst,
		Length: uint16(b.Len()), Rule: end.rule,
		Verdict: end.why.Verdict(), Reason: end.why, Step: end.step,
		Way: w.goOn(WayID(b.Way), Way{ACLIn: w.entered}),
	}
	if v.Kind != frame.KindInvalid {
		r.EtherType = v.EtherType
	}
	switch v.Kind {
	case frame.KindIPv4:
		r.SrcIP, r.DstIP, r.Proto = v.SrcIP, v.DstIP, v.Proto
		switch {
		case !v.HasL4:
		case v.Proto == frame.ProtoICMP:
			r.SrcPort, r.DstPort = uint16(v.ICMPType)<<8|uint16(v.ICMPCode), v.ICMPID
		case v.Proto == frame.ProtoTCP:
			r.SrcPort, r.DstPort, r.TCPFlags = v.SrcPort, v.DstPort, v.TCPFlags
		case v.Proto == frame.ProtoUDP:
			r.SrcPort, r.DstPort = v.SrcPort, v.DstPort
		}
	case frame.KindARP:
		r.SrcIP, r.DstIP = v.SrcIP, v.DstIP
	case frame.KindIPv6:
		r.Proto = v.Proto
	}
	r.Off, r.Kept = uint32(len(w.bytes)), uint16(min(b.Len(), recordSnap))
	w.bytes = append(w.bytes, b.Bytes()[:r.Kept]...)
	r.Sent = w.appendSent(b)
	if w.records = append(w.records, r); len(w.records) == tellBatch {
		w.handToTally(0)
	}
}

// appendSent appends the beginning of a frame as its guest sent it to the bytes of
// records, if the network has rewritten it, and returns its length.
//
// Of frames that gateways translate it was kept then; what the router rewrites of all
// that it passes on is known without that, since the sender's checks let no other
// source through, and the router takes what is for its own address.
func (w *worker) appendSent(b *frame.Buf) uint8 {
	sent := b.Sent()
	from := w.e.directory.vnic(b.Src)
	if from == nil || sent == nil && WayID(b.Way).Translated() {
		return 0 // a gateway of the network's made it
	}
	c := from.config.Load()
	if v := &b.View; c == nil || v.Kind == frame.KindInvalid || v.Src == c.mac && sent == nil {
		return 0
	}
	if sent == nil {
		sent = b.Bytes()[:frame.EthernetLen]
	}
	at := len(w.bytes)
	w.bytes = append(w.bytes, sent...)
	frame.RewriteMACs(w.bytes[at:], c.subnet.current.Load().routerMAC, c.mac)
	return uint8(len(sent))
}

// beginTelling looks up, once a burst, how many records it may make.
func (w *worker) beginTelling() {
	for i := range w.samples {
		w.samples[i].begin(w.now, w.e.budgets[i].left(w.now), &w.e.chances[i])
	}
}

// endTelling pays for the records of the burst and hands over what there is.
func (w *worker) endTelling() {
	var skipped uint64
	for i := range w.samples {
		s := &w.samples[i]
		if n := s.frames(); n > 0 {
			w.e.chances[i].seen.Add(n)
		}
		if s.made > 0 {
			w.e.budgets[i].spend(w.now, s.made)
		}
		skipped += s.skipped()
	}
	if skipped > 0 || len(w.records) > 0 || len(w.runs) > 0 {
		w.handToTally(skipped)
	}
}

func (w *worker) handToTally(skipped uint64) {
	w.tally.add(w.now, w.runs, w.records, w.bytes, skipped)
	w.runs, w.records, w.bytes = w.runs[:0], w.records[:0], w.bytes[:0]
}
