// Package tap observes frames: filters in a documented subset of pcap-filter,
// bounded capture rings that workers write without waiting, and pcap and
// pcapng streams that Wireshark and tshark read, with every frame's verdict.
//
// It decides nothing about a frame and never slows the worker that offers one:
// what does not fit is counted as lost.
package tap

import (
	"sync"
	"sync/atomic"

	"enilab/internal/dataplane/frame"
	"enilab/internal/dataplane/verdict"
)

// Meta is what is known of a frame at a tap point.
type Meta struct {
	At      int64 // Unix nanoseconds
	VNIC    uint32
	Point   verdict.Point
	Verdict verdict.Verdict // fate at this station; Accept: passed on or delivered
	Step    verdict.Step    // where its path ended; none of a frame that was passed on or delivered
	Reason  verdict.Reason
	Rule    verdict.RuleID
	Why     Why
}

// Packet is one captured frame.
type Packet struct {
	Meta
	Length int    // on the wire
	Data   []byte // up to snaplen; valid until the next Read or Release call
}

// Config of a Tap.
type Config struct {
	Filter  *Filter       // nil: every frame
	Points  verdict.Point // mask
	Snaplen int           // bytes kept of a frame; 0: all
	Slots   int           // frames a worker may queue before the reader takes them; 0: 4096
	Workers int           // how many workers may call Frame; 0: 1
}

// Tap is where workers leave copies of frames. Each worker has a ring of its
// own; a full ring counts a loss and never waits for the reader to make room.
type Tap struct {
	points  atomic.Uint32 // verdict.Point mask; 0 once closed
	filter  *Filter       // immutable
	snaplen int           // immutable
	rings   []ring        // the slice is immutable, see ring for its parts
	ready   chan struct{} // capacity 1: one signal stands for any number of flushes

	// publishing is held, for a few stores or loads, by Flush and by Read as it
	// looks how far each ring goes: whoever sees a frame sees those published before
	// it, in other rings too. One VNIC's frames come through many workers in turn.
	publishing sync.Mutex

	// Owned by the reader.
	lost uint64 // of the rings' losses, those already reported by Read
}

const defaultSlots = 4096

// New makes a Tap whose rings are allocated at once, so that offering a frame
// never allocates.
func New(cfg Config) *Tap {
	t := &Tap{
		filter:  cfg.Filter,
		snaplen: cfg.Snaplen,
		rings:   make([]ring, max(cfg.Workers, 1)),
		ready:   make(chan struct{}, 1),
	}
	t.points.Store(uint32(cfg.Points))
	slots := cfg.Slots
	if slots <= 0 {
		slots = defaultSlots
	}
	for i := range t.rings {
		t.rings[i].init(slots, cfg.Snaplen)
	}
	return t
}

// Wants reports whether any frame at p can be of interest (cheap).
func (t *Tap) Wants(p verdict.Point) bool { return t.points.Load()&uint32(p) != 0 }

// Close makes the tap refuse further frames; what was published can still be
// read. Workers may go on calling Frame and Flush.
func (t *Tap) Close() { t.points.Store(0) }

// Frame offers one frame; called by one goroutine at a time for a worker w. No
// allocation; the bytes are copied (up to the snap length) if the filter matches.
func (t *Tap) Frame(w int, m Meta, v *frame.View, b []byte) {
	if !t.Wants(m.Point) || t.filter != nil && !t.filter.Match(v, b) {
		return
	}
	kept := b
	if t.snaplen > 0 && len(kept) > t.snaplen {
		kept = kept[:t.snaplen]
	}
	t.rings[w].push(m, len(b), kept)
}

// Flush publishes worker w's pending frames to the reader; the engine calls it
// once a turn at a VNIC. It costs a short lock, two atomic stores and, if the reader has not
// been signalled yet, one channel send that never waits.
func (t *Tap) Flush(w int) {
	t.publishing.Lock()
	news := t.rings[w].publish()
	t.publishing.Unlock()
	if !news {
		return
	}
	select {
	case t.ready <- struct{}{}:
	default: // the reader has a signal pending and will find these frames too
	}
}

// Ready is signalled (capacity 1) after Flush published something.
func (t *Tap) Ready() <-chan struct{} { return t.ready }

// Read calls fn for every frame published so far and returns how many, and how
// many were lost since the last call. Only one goroutine may read.
//
// The workers' frames are merged by time; equal times go to the lower worker,
// and the frames of one worker keep their order. Frames published after Read
// began wait for the next call, so two calls may overlap in time by a burst.
func (t *Tap) Read(fn func(p Packet)) (n int, lost uint64) {
	t.Release()
	var dropped uint64
	t.publishing.Lock()
	for i := range t.rings {
		dropped += t.rings[i].load()
	}
	t.publishing.Unlock()
	for {
		var first *ring
		for i := range t.rings {
			r := &t.rings[i]
			if r.next < r.limit && (first == nil || r.peek().At < first.peek().At) {
				first = r
			}
		}
		if first == nil {
			break
		}
		fn(first.take())
		n++
	}
	lost, t.lost = dropped-t.lost, dropped
	return n, lost
}

// Release gives the slots of the last Read back to the workers and so ends the
// validity of its Packets' Data. Read does it itself; a reader that pauses
// between reads calls Release first so that the workers have all their slots.
func (t *Tap) Release() {
	for i := range t.rings {
		t.rings[i].release()
	}
}
