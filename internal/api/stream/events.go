package stream

import (
	"context"
	"sync"

	"enilab/internal/control"
)

// eventMemory is how many events clients find without reading the log.
const eventMemory = 1024

// eventRing holds the newest events, without gaps between them.
type eventRing struct {
	mu     sync.RWMutex
	last   uint64          // sequence number of the newest event; guarded by mu
	events []control.Event // up to last; guarded by mu
}

// begin sets where the log ends; add may have been there already.
func (r *eventRing) begin(last uint64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.last = max(r.last, last)
}

func (r *eventRing) newest() uint64 {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return r.last
}

// add appends events that are new. If some are missing in between, the older
// ones are forgotten: clients that want them read the log.
func (r *eventRing) add(evs []control.Event) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, e := range evs {
		if e.Seq <= r.last {
			continue
		}
		if e.Seq != r.last+1 {
			r.events = r.events[:0]
		}
		if len(r.events) >= 2*eventMemory {
			r.events = append(r.events[:0], r.events[eventMemory:]...)
		}
		r.events = append(r.events, e)
		r.last = e.Seq
	}
}

// after returns at most limit events after seq; ok is false if the memory does
// not reach back so far.
func (r *eventRing) after(seq uint64, limit int) (evs []control.Event, ok bool) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	if seq >= r.last {
		return nil, true
	}
	from := len(r.events) - int(min(r.last-seq, uint64(len(r.events)+1)))
	if from < 0 {
		return nil, false
	}
	return append(evs, r.events[from:min(from+limit, len(r.events))]...), true
}

// lastEvent finds where the log ends. The log can only be asked what comes
// after a number, so the end is searched by doubling and halving: 2 log2(n)
// reads of one row.
func lastEvent(ctx context.Context, log Log) (uint64, error) {
	known := uint64(0) // an event's, or 0
	probe := func(after uint64) (bool, error) {
		evs, _, err := log.Events(ctx, after, 1)
		if err != nil || len(evs) == 0 {
			return false, err
		}
		known = evs[0].Seq
		return true, nil
	}
	if some, err := probe(0); err != nil || !some {
		return 0, err
	}
	step := uint64(1)
	for {
		some, err := probe(known + step - 1)
		if err != nil {
			return 0, err
		}
		if !some {
			break
		}
		step *= 2
	}
	// Nothing comes after known+step-1.
	for beyond := known + step - 1; known < beyond; {
		middle := known + (beyond-known)/2
		some, err := probe(middle)
		if err != nil {
			return 0, err
		}
		if !some {
			beyond = middle
		}
	}
	return known, nil
}
