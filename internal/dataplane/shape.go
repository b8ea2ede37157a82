package dataplane

import "sync/atomic"

// shape is what an instance may send and receive, by all its ENIs together: on
// AWS bandwidth belongs to the instance, whatever the number of its interfaces
// (EC2 User Guide, "Amazon EC2 instance network bandwidth"). The ENIs' workers
// share it.
type shape struct{ out, in bucket }

// shapeDepth is how long, in nanoseconds, an instance may have been silent for
// what it then sends at once. AWS publishes no figure.
const shapeDepth = int64(100e6)

func newShape(bitsPerSecond int64) *shape {
	return &shape{out: bucket{rate: bitsPerSecond}, in: bucket{rate: bitsPerSecond}}
}

// bucket is a token bucket, kept as the event time up to which what has passed is
// paid for. It starts full. Safe for concurrent use.
type bucket struct {
	rate int64 // bits per second; immutable
	paid atomic.Int64
}

// take lets n bytes pass at now (Unix nanoseconds), or reports that there is no
// room for them.
func (b *bucket) take(now int64, n int) bool {
	const second = int64(1e9)
	cost := int64(n) * 8 * second / b.rate
	for {
		old := b.paid.Load()
		next := max(old, now-shapeDepth) + cost
		if next > now {
			return false
		}
		if b.paid.CompareAndSwap(old, next) {
			return true
		}
	}
}

// reshape gives a host the bandwidth that its spec says, if anybody minds it.
func (h *hostState) reshape(on bool) {
	if h.shape = nil; on && h.spec.Bandwidth > 0 {
		h.shape = newShape(h.spec.Bandwidth)
	}
}
