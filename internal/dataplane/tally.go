package dataplane

import (
	"slices"
	"sync"

	"enilab/internal/dataplane/frame"
	"enilab/internal/dataplane/verdict"
)

const (
	// maxEdges bounds the pairs of VNICs counted apart in one bin of a worker;
	// frames of further pairs are counted together.
	maxEdges = 4096
	// maxRecords of a worker wait for the collector; more are skipped and
	// counted, which takes a collector that is late.
	maxRecords = 4096
	// maxBins waits for the collector; should it be late by more, the newest
	// bin takes the counts of the following ones, so that none is lost.
	maxBins = 64
	// spareBins are kept for reuse: one fills while another is told.
	spareBins = 2
)

// tally accumulates a share of what observers are told: a worker has one of
// its own and one for its guests' goroutines, so that it never waits for them.
// One lock a burst, call or interval, held for counting only.
type tally struct {
	mu      sync.Mutex
	bins    []*openBin // by when they were opened
	spare   []*openBin // empty
	records []Record
	bytes   []byte // of their frames
	skipped uint64
}

// openBin counts by edge. index is open addressing over edges: place+1, 0 free.
type openBin struct {
	start int64
	edges []Edge
	home  *tally
	index [2 * maxEdges]uint16
}

// run is consecutive frames of one edge and fate. Frames come in bursts from a
// guest and to a guest, so that counting by run looks up few edges.
type run struct {
	src, dst uint32
	frames   uint32
	verdict  verdict.Verdict
	bytes    uint64
}

func edgeSlot(src, dst uint32) uint64 {
	return (uint64(src)<<32 | uint64(dst)) * 0x9e3779b97f4a7c15 >> 51 % (2 * maxEdges)
}

// edge returns the counts of a pair, and those of "others" when there are too many.
func (b *openBin) edge(src, dst uint32) *Edge {
	for i := edgeSlot(src, dst); ; i = (i + 1) % (2 * maxEdges) {
		at := b.index[i]
		if at == 0 {
			if len(b.edges) >= maxEdges && (src != 0 || dst != 0) {
				return b.edge(0, 0)
			}
			b.edges = append(b.edges, Edge{SrcVNIC: src, DstVNIC: dst})
			b.index[i] = uint16(len(b.edges))
			return &b.edges[len(b.edges)-1]
		}
		if e := &b.edges[at-1]; e.SrcVNIC == src && e.DstVNIC == dst {
			return e
		}
	}
}

func (b *openBin) add(o Edge) {
	e := b.edge(o.SrcVNIC, o.DstVNIC)
	for v, n := range o.Frames {
		e.Frames[v] += n
	}
	e.Bytes += o.Bytes
}

// binLocked returns the bin of time at.
func (t *tally) binLocked(at int64) *openBin {
	start := at - at%binWidth
	for i := len(t.bins) - 1; i >= 0; i-- {
		if t.bins[i].start == start {
			return t.bins[i]
		}
	}
	if len(t.bins) == maxBins {
		return t.bins[maxBins-1]
	}
	var b *openBin
	if n := len(t.spare); n > 0 {
		b, t.spare = t.spare[n-1], t.spare[:n-1]
	} else {
		b = &openBin{home: t}
	}
	b.start = start
	t.bins = append(t.bins, b)
	return b
}

func (t *tally) countLocked(at int64, runs []run) {
	if len(runs) == 0 {
		return
	}
	bin := t.binLocked(at)
	for i := range runs {
		r := &runs[i]
		e := bin.edge(r.src, r.dst)
		e.Frames[r.verdict] += uint64(r.frames)
		e.Bytes += r.bytes
	}
}

// add takes what a worker tells of a burst at time at. bytes are of the frames of rs,
// in their order.
func (t *tally) add(at int64, runs []run, rs []Record, bytes []byte, skipped uint64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.countLocked(at, runs)
	fits := min(len(rs), maxRecords-len(t.records))
	if fits < len(rs) {
		bytes = bytes[:rs[fits].Off]
	}
	t.records, t.bytes = appendRecords(t.records, t.bytes, rs[:fits], bytes)
	t.skipped += skipped + uint64(len(rs)-fits)
}

// appendRecords appends records and the bytes of their frames.
func appendRecords(records []Record, bytes []byte, rs []Record, bs []byte) ([]Record, []byte) {
	first, off := len(records), uint32(len(bytes))
	records = append(records, rs...)
	for i := range records[first:] {
		records[first+i].Off += off
	}
	return records, append(bytes, bs...)
}

// accepted counts the frames of a list as taken by their guest at time at and
// returns their bytes. The list is walked before the lock is held, as its
// buffers may be in the cache of another core.
func (t *tally) accepted(at int64, frames []*frame.Buf) (bytes uint64) {
	var (
		runs [8]run
		n    int
	)
	for len(frames) > 0 {
		if n == len(runs) {
			t.count(at, runs[:])
			n = 0
		}
		r := run{src: frames[0].Src, dst: frames[0].Dst, verdict: verdict.Accept}
		for len(frames) > 0 && frames[0].Src == r.src && frames[0].Dst == r.dst {
			r.frames++
			r.bytes += uint64(frames[0].Len())
			frames = frames[1:]
		}
		bytes += r.bytes
		runs[n] = r
		n++
	}
	t.count(at, runs[:n])
	return bytes
}

func (t *tally) count(at int64, runs []run) {
	t.mu.Lock()
	t.countLocked(at, runs)
	t.mu.Unlock()
}

// refused counts what a guest's Send call did not take. There is no View of
// these frames, so they have no records.
func (t *tally) refused(at int64, src uint32, r *refusals) {
	t.mu.Lock()
	defer t.mu.Unlock()
	e := t.binLocked(at).edge(src, 0)
	for why, n := range r.reasons {
		if n > 0 {
			e.Frames[verdict.Reason(why).Verdict()] += uint64(n)
			e.Bytes += r.bytes[why]
		}
	}
	t.skipped += uint64(r.n)
}

func (t *tally) takeRecords(into []Record, bytes []byte) ([]Record, []byte, uint64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	into, bytes = appendRecords(into, bytes, t.records, t.bytes)
	skipped := t.skipped
	t.records, t.bytes, t.skipped = t.records[:0], t.bytes[:0], 0
	return into, bytes, skipped
}

// takeBins moves the bins that ended before now to into.
func (t *tally) takeBins(now int64, into []*openBin) []*openBin {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.bins = slices.DeleteFunc(t.bins, func(b *openBin) bool {
		if b.start+binWidth+binGrace > now {
			return false
		}
		into = append(into, b)
		return true
	})
	return into
}

// giveBack empties a bin that takeBins gave and keeps it for reuse.
func (b *openBin) giveBack() {
	b.edges = b.edges[:0]
	clear(b.index[:])
	t := b.home
	t.mu.Lock()
	if len(t.spare) < spareBins {
		t.spare = append(t.spare, b)
	}
	t.mu.Unlock()
}

func (t *tally) reset() {
	t.mu.Lock()
	t.bins, t.spare, t.records, t.bytes, t.skipped = nil, nil, nil, nil, 0
	t.mu.Unlock()
}
