package frame

import (
	"slices"
	"sync"
)

// Class sizes of buffers: TinySize holds what most requests, replies and
// acknowledgements are, SmallSize every frame of a 1500-byte MTU, LargeSize
// every frame of AWS's 9001-byte MTU. Get refuses longer ones.
const (
	TinySize  = 192
	SmallSize = 2 << 10
	LargeSize = 10 << 10
)

// Buf is one frame in a slot of a Pool. It has one owner at a time: whoever
// holds the pointer, until it is handed on or put back. Buffers move, frames
// are never shared, so nothing in it needs a lock or a reference count.
//
// It is two cache lines, what policy reads and the rest: a size that
// TestBufIsTwoLines holds.
type Buf struct {
	View View // filled by Parse; Get leaves only View.Kind valid (KindInvalid)

	data []byte // length: the frame's; capacity: the class's
	At   int64  // Unix nanoseconds of the burst that took the frame, set by the engine
	home *Pool

	Src, Dst uint32 // VNIC indices by the engine's numbering, 0: none
	// Trace is the number, by the engine's count, of a frame whose path somebody
	// asked to see; 0 of all others.
	Trace uint32
	// VPC is the engine's number of the VPC in which the source address has its
	// holder; 0: the receiver cannot tell.
	VPC uint32
	// Crossed: the frame leaves its sender's subnet, and enters another.
	Crossed bool
	Hops    uint8 // how often it was sent on
	class   uint8
	state   state
	// Way is the engine's number of what has decided where the frame goes, noted
	// while somebody observes; 0: nothing, or not noted.
	Way uint32
}

// state is flags of a Buf.
type state uint8

const (
	stateOut  state = 1 << iota // the pool does not hold it: catches a second return
	stateKept                   // KeepSent has kept its beginning
	stateLong                   // of sentLong bytes, not sentMost
)

// Bytes returns the frame. The slice is valid until the buffer is put back.
func (b *Buf) Bytes() []byte { return b.data }

// Touch loads the frame's first line of memory, so that it is on its way when
// the frame is parsed. What it returns means nothing; see conntrack.Table.Warm.
func (b *Buf) Touch() uint8 {
	if len(b.data) > 0 {
		return b.data[0]
	}
	return 0
}

// Len returns the length of the frame in bytes.
func (b *Buf) Len() int { return len(b.data) }

// Cap returns the longest frame that this buffer can hold.
func (b *Buf) Cap() int { return cap(b.data) }

// SetLen changes the frame's length to n bytes, 0 <= n <= Cap.
func (b *Buf) SetLen(n int) { b.data = b.data[:n] }

// Parse fills b.View from the frame and returns what was found.
func (b *Buf) Parse() Kind { return b.View.Parse(b.data) }

// Home returns the pool that b has to go back to.
func (b *Buf) Home() *Pool { return b.home }

const (
	classTiny = iota
	classSmall
	classLarge
	numClasses
)

// tinySlot is header and bytes in one object: a frame of 64 bytes touches lines
// that lie together, on one page.
type tinySlot struct {
	Buf
	bytes [TinySize]byte
}

// Slots are laid out at an odd number of cache lines, not at a power of two:
// with a stride of 2048 the headers of all frames would compete for two of the
// 64 sets of an L1 cache.
var classes = [numClasses]struct{ size, stride, firstSlab, maxSlab int }{
	classTiny:  {TinySize, 0, 4, 128}, // its stride is tinySlot's size: 5 lines
	classSmall: {SmallSize, SmallSize + 64, 4, 64},
	classLarge: {LargeSize, LargeSize + 64, 1, 8},
}

// Pool hands out buffers, at most a fixed number of each class. Memory is
// taken in slabs that grow (1 to 10 KiB first) as more buffers are out at once, so a
// pool that was never used, or was trimmed, holds none.
//
// Get, PutLocal and Trim belong to the pool's owner: one goroutine, or whoever
// holds the lock that guards the pool. Return may be called by anyone.
//
// Free buffers are known by pointers that lie side by side: were they linked, who
// takes them would wait for the memory of one to learn where the next is.
type Pool struct {
	free  [numClasses][]*Buf // owned by the owner
	grown [numClasses]int    // slots that exist; owned by the owner
	max   [numClasses]int    // immutable
	taken uint64             // gets minus local puts; owned by the owner

	// Shared with returning goroutines, on a cache line of its own.
	_        [64]byte
	mu       sync.Mutex
	returned [numClasses][]*Buf // guarded by mu; each has room for all of its class
	given    uint64             // guarded by mu: buffers ever added to returned
}

// NewPool returns an empty pool of at most small buffers of TinySize, as many of
// SmallSize, and large buffers of LargeSize.
func NewPool(small, large int) *Pool {
	p := &Pool{}
	p.max = [numClasses]int{small, small, large}
	return p
}

// Get returns a buffer whose frame is n bytes of unspecified content, or nil
// when n is negative or longer than LargeSize, or when every buffer of the
// class is in flight. A frame never takes a buffer of a larger class: a burst of
// small frames must not starve jumbo ones. The tiny ones have room for KeepSent.
func (p *Pool) Get(n int) *Buf {
	class := classTiny
	if uint(n) > TinySize-sentMost {
		switch {
		case uint(n) <= SmallSize:
			class = classSmall
		case uint(n) <= LargeSize:
			class = classLarge
		default:
			return nil
		}
	}
	last := len(p.free[class]) - 1
	if last < 0 {
		if last = p.refill(class) - 1; last < 0 {
			return nil
		}
	}
	b := p.free[class][last]
	p.free[class] = p.free[class][:last]
	p.taken++
	b.state = stateOut
	b.View.Kind = KindInvalid
	b.data = b.data[:n]
	return b
}

// refill fills the empty free list of a class with what others returned, else with
// a new slab, and returns how many it then has.
func (p *Pool) refill(class int) int {
	p.mu.Lock()
	if len(p.returned[class]) > 0 {
		p.free[class], p.returned[class] = p.returned[class], p.free[class]
		p.mu.Unlock()
		return len(p.free[class])
	}
	p.mu.Unlock()
	c := &classes[class]
	n := min(max(p.grown[class], c.firstSlab), c.maxSlab, p.max[class]-p.grown[class])
	if n <= 0 {
		return 0
	}
	p.grown[class] += n
	free := slices.Grow(p.free[class], p.grown[class])
	mem := make([]byte, n*c.stride)
	for i := range n {
		// Headers are allocated one by one: a slab of them would begin behind a
		// word of the allocator's, and each would be on a line more.
		var b *Buf
		if class == classTiny {
			slot := new(tinySlot)
			b = &slot.Buf
			b.data = slot.bytes[:0]
		} else {
			b = new(Buf)
			b.data = mem[i*c.stride:][:0:c.size]
		}
		b.home, b.class = p, uint8(class)
		free = append(free, b)
	}
	p.free[class] = free
	p.mu.Lock()
	p.returned[class] = slices.Grow(p.returned[class], p.grown[class]-len(p.returned[class]))
	p.mu.Unlock()
	return n
}

// PutLocal takes back a buffer of this pool from the pool's owner. The most
// recently returned buffer is handed out first: its lines are still cached.
func (p *Pool) PutLocal(b *Buf) {
	b.retire(p)
	p.free[b.class] = append(p.free[b.class], b)
	p.taken--
}

// Return takes back buffers of this pool from any goroutine; the caller keeps
// the slice but not its buffers. It costs one lock a batch, held while their
// pointers are copied.
func (p *Pool) Return(batch []*Buf) {
	for _, b := range batch {
		b.retire(p)
	}
	p.mu.Lock()
	for len(batch) > 0 {
		class, n := batch[0].class, 1
		for n < len(batch) && batch[n].class == class {
			n++
		}
		p.returned[class] = append(p.returned[class], batch[:n]...)
		p.given += uint64(n)
		batch = batch[n:]
	}
	p.mu.Unlock()
}

// Return gives every buffer of the batch back to its home pool; runs of one
// pool cost one lock. Any goroutine may call it.
func Return(batch []*Buf) {
	for len(batch) > 0 {
		home, n := batch[0].home, 1
		for n < len(batch) && batch[n].home == home {
			n++
		}
		home.Return(batch[:n])
		batch = batch[n:]
	}
}

// InFlight returns how many buffers are out now.
// The owner asks.
func (p *Pool) InFlight() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return int(p.taken - p.given)
}

// Trim lets go of all memory if nothing is in flight, and reports whether it
// did. The owner calls it when its queues have been idle for a while.
func (p *Pool) Trim() bool {
	if p.InFlight() != 0 {
		return false
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	clear(p.free[:])
	clear(p.returned[:])
	clear(p.grown[:])
	return true
}

// retire checks that b may go back to p. Both faults are bugs that would give
// one slot to two frames: better to stop than to deliver the wrong bytes.
func (b *Buf) retire(p *Pool) {
	if b.home != p {
		panic("frame: buffer returned to a pool that is not its home")
	}
	if b.state&stateOut == 0 {
		panic("frame: buffer returned twice")
	}
	b.state = 0
	b.Src, b.Dst, b.Trace, b.VPC, b.Crossed, b.Hops, b.Way = 0, 0, 0, 0, false, 0, 0
}
