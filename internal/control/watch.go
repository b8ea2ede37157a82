package control

import (
	"sync"

	"enilab/internal/dataplane/spec"
)

// Notice tells a subscriber of one commit.
type Notice struct {
	Commit Commit
	// Lost: commits were left out before the next Notice; read State again.
	// Nothing else is set then.
	Lost bool
	Ack  spec.Ack // zero if the data plane failed to take the commit
	// Announced are the addresses whose new ENI the guests of their subnet were told.
	Announced []spec.Announcement
}

type watchers struct {
	mu     sync.Mutex
	subs   map[*subscriber]struct{} // guarded by mu
	closed bool                     // guarded by mu
}

type subscriber struct {
	ch   chan Notice
	lost bool // a Lost notice is the last one in ch; guarded by watchers.mu
}

// Watch delivers every commit after it is in force (published and applied), in
// order, on a channel of the given length. A subscriber that falls behind gets
// a Notice with Lost set and, once it has emptied the channel, what follows.
// The channel is closed by cancel or when Run has returned.
func (s *Service) Watch(buffer int) (ch <-chan Notice, cancel func()) {
	return s.subs.add(max(buffer, 1))
}

func (w *watchers) add(buffer int) (<-chan Notice, func()) {
	// One more than asked for: the last place is for Lost.
	sub := &subscriber{ch: make(chan Notice, buffer+1)}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.closed {
		close(sub.ch)
		return sub.ch, func() {}
	}
	if w.subs == nil {
		w.subs = make(map[*subscriber]struct{})
	}
	w.subs[sub] = struct{}{}
	return sub.ch, func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		if _, ok := w.subs[sub]; ok {
			delete(w.subs, sub)
			close(sub.ch)
		}
	}
}

// notify never waits. It is the only sender, so that what it sees free stays
// free. While Lost has not been received nothing more is sent: the State that
// the subscriber then reads holds all of it.
func (w *watchers) notify(n Notice) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for sub := range w.subs {
		switch waiting := len(sub.ch); {
		case sub.lost && waiting > 0:
		case waiting < cap(sub.ch)-1:
			sub.lost = false
			sub.ch <- n
		default:
			sub.lost = true
			sub.ch <- Notice{Lost: true}
		}
	}
}

func (w *watchers) close() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.closed = true
	for sub := range w.subs {
		close(sub.ch)
	}
	w.subs = nil
}
