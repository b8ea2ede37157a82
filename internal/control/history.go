package control

import (
	"context"
	"sync"
	"time"
)

const (
	// MaxMetadataLag is how far back an instance's metadata can be.
	MaxMetadataLag = time.Hour
	// maxPast bounds the past States kept. When more commits fall into a lag,
	// those that were the truth for the shortest time are left out, so that
	// what is shown is newer than it should be by that much.
	maxPast = 1024
)

// history keeps the States of the recent past while metadata of an instance
// lags behind, as far back as any of them does. Without lag it keeps nothing.
type history struct {
	mu   sync.Mutex
	lags map[string]time.Duration // of the instances that lag; guarded by mu
	past []pastState              // guarded by mu; oldest first
}

// pastState was the truth until an instant, from the one of the State before it.
type pastState struct {
	until time.Time
	state *State
}

// note follows the lags that changes set and end.
func (h *history) note(changes []Change) {
	for _, c := range changes {
		if c.Table != TableInstance {
			continue
		}
		h.mu.Lock()
		if i, ok := c.After.(*Instance); ok && i.MetadataLag > 0 && i.State != InstanceTerminated {
			if h.lags == nil {
				h.lags = map[string]time.Duration{}
			}
			h.lags[c.ID] = i.MetadataLag
		} else {
			delete(h.lags, c.ID)
		}
		h.mu.Unlock()
	}
}

// supersede remembers that old was the truth until at, and forgets what no
// instance looks back to any more.
func (h *history) supersede(old *State, at time.Time) {
	h.mu.Lock()
	defer h.mu.Unlock()
	var longest time.Duration
	for _, lag := range h.lags {
		longest = max(longest, lag)
	}
	if longest == 0 {
		h.past = nil
		return
	}
	gone := 0
	for gone < len(h.past) && !h.past[gone].until.After(at.Add(-longest)) {
		gone++
	}
	clear(h.past[:gone])
	h.past = append(h.past[gone:], pastState{at, old})
	if len(h.past) > maxPast {
		h.thin()
	}
}

// thin leaves out the State that was the truth for the shortest time. Since
// when the oldest was, nobody knows.
func (h *history) thin() {
	shortest := 1
	for k := 2; k < len(h.past); k++ {
		if h.past[k].until.Sub(h.past[k-1].until) < h.past[shortest].until.Sub(h.past[shortest-1].until) {
			shortest = k
		}
	}
	n := copy(h.past[shortest:], h.past[shortest+1:])
	h.past[shortest+n] = pastState{}
	h.past = h.past[:shortest+n]
}

// at returns the State that was the truth at an instant, or the oldest known
// if that was before; nil: the newest one is.
func (h *history) at(t time.Time) *State {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, p := range h.past {
		if p.until.After(t) {
			return p.state
		}
	}
	return nil
}

// MetadataState is what an instance's metadata shows now: the newest State, or
// the truth of its MetadataLag ago. Of the time before the lag was set, or
// before the process started, nothing is known: the oldest State kept is shown
// until the lag has passed.
func (s *Service) MetadataState(instance string) *State {
	st := s.State()
	i := st.Instance(instance)
	if i == nil || i.MetadataLag <= 0 {
		return st
	}
	if past := s.past.at(s.opt.Now().Add(-i.MetadataLag)); past != nil {
		return past.in(s.scope)
	}
	return s.State()
}

// SetMetadataLag has an instance's metadata show the truth of lag ago from now
// on, at most MaxMetadataLag; 0 ends that at once.
func (s *Service) SetMetadataLag(ctx context.Context, instance string, lag time.Duration) (*Instance, error) {
	return result(ctx, s, func(t *tx) (*Instance, error) { return t.setMetadataLag(instance, lag) })
}

func (t *tx) setMetadataLag(id string, lag time.Duration) (*Instance, error) {
	i, err := t.instance(id)
	switch {
	case err != nil:
		return nil, err
	case lag < 0 || lag > MaxMetadataLag:
		return nil, invalid("lag", "Metadata cannot lag by %v, want 0 to %v.", lag, MaxMetadataLag)
	case i.State == InstanceShuttingDown || i.State == InstanceTerminated:
		return nil, refuse(codeInstanceState, "instanceId", "The instance '%s' is %s and has no metadata any more.", i.ID, i.State)
	case i.MetadataLag == lag:
		return i, nil
	}
	c := *i
	c.MetadataLag = lag
	t.put(TableInstance, &c)
	t.emit("instance.metadata-lag-changed", c.ID, "lag", lag.String())
	return &c, nil
}
