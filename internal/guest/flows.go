package guest

import (
	"cmp"
	"slices"
	"sync"

	"enilab/internal/dataplane/tap"
	"enilab/internal/dataplane/verdict"
)

// FlowStats is a measured client's live summary.
type FlowStats struct {
	Flow
	Sent        uint64 // requests at guest_tx, whatever became of them
	Received    uint64 // requests answered
	Lost        uint64 // requests not answered within ReplyTimeout
	RTTp50      int64  // nanoseconds, of requests of the last second; 0: no reply
	RTTp99      int64
	LastReplyAt int64  // Unix nanoseconds; 0: never
	Missed      uint64 // frames that the measurement itself lost

	WaitingSince int64   // when the oldest request after the last reply left; 0: none waits
	Silence      Silence // the newest that has ended; zero: none
}

// Meters are the measured clients of a laboratory.
type Meters struct {
	fabric fabric
	clock  func() int64
	// stepped: nobody waits for frames in the background; CatchUp reads them.
	stepped bool

	mu     sync.RWMutex
	meters map[Flow]*meter // guarded by mu
}

func newMeters(f fabric, now func() int64) *Meters {
	return &Meters{fabric: f, clock: now, meters: map[Flow]*meter{}}
}

// CatchUp has every meter take in the frames that have passed, before its tap's
// ring is full. Whoever asks for numbers need not call it.
func (l *Meters) CatchUp() {
	for _, f := range l.Flows() {
		if m := l.meter(f); m != nil {
			m.catchUp()
		}
	}
}

// measure taps the flow's VNIC until stop is called.
func (l *Meters) measure(f Flow, m measure) (stop func()) {
	filter, err := tap.CompileFilter(m.filter())
	if err != nil {
		panic("guest: own filter does not compile: " + err.Error())
	}
	t := newMeter(f, m)
	t.tap = tap.New(tap.Config{
		Filter: filter, Points: verdict.GuestTX | verdict.GuestRX,
		Snaplen: meterSnaplen, Slots: m.slots(), Workers: l.fabric.workers(),
	})
	l.fabric.addTap(t.tap, f.VNIC)
	if l.stepped {
		close(t.done)
	} else {
		go t.follow()
	}
	l.mu.Lock()
	l.meters[f] = t
	l.mu.Unlock()
	return func() {
		l.fabric.removeTap(t.tap)
		close(t.stop)
		<-t.done
		l.mu.Lock()
		defer l.mu.Unlock()
		if l.meters[f] == t {
			delete(l.meters, f)
		}
	}
}

func (l *Meters) meter(f Flow) *meter {
	l.mu.RLock()
	defer l.mu.RUnlock()
	return l.meters[f]
}

// Flows lists the measured clients running now (paused ones too), by host,
// workload and VNIC.
func (l *Meters) Flows() []Flow {
	l.mu.RLock()
	fs := make([]Flow, 0, len(l.meters))
	for f := range l.meters {
		fs = append(fs, f)
	}
	l.mu.RUnlock()
	slices.SortFunc(fs, func(a, b Flow) int {
		return cmp.Or(cmp.Compare(a.Host, b.Host), cmp.Compare(a.Workload, b.Workload), cmp.Compare(a.VNIC, b.VNIC))
	})
	return fs
}

// Samples returns the samples of a flow sent at or after since (Unix
// nanoseconds; of the newest 65,536), oldest first. lost counts frames that
// the measurement itself may have missed since then.
func (l *Meters) Samples(f Flow, since int64) (s []Sample, lost uint64) {
	m := l.meter(f)
	if m == nil {
		return nil, 0
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.readLocked()
	return m.samples.since(since), m.missed.since(since)
}

// Conns returns the connections of an http flow that were open at or after
// since, in the order in which the client opened them.
func (l *Meters) Conns(f Flow, since int64) []Conn {
	m := l.meter(f)
	if m == nil {
		return nil
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.readLocked()
	return m.conns.since(since, l.clock())
}

// Stats summarises every measured client, in the order of Flows.
func (l *Meters) Stats() []FlowStats {
	now := l.clock()
	var out []FlowStats
	for _, f := range l.Flows() {
		if m := l.meter(f); m != nil {
			out = append(out, m.stats(now))
		}
	}
	return out
}

func (m *meter) stats(now int64) FlowStats {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.readLocked()
	s := &m.samples
	s.judge(now)
	st := FlowStats{Flow: m.flow, Sent: s.sent, Received: s.got, Lost: s.lost, LastReplyAt: s.lastAt, Missed: m.missed.total,
		WaitingSince: s.waiting, Silence: s.silence}
	st.RTTp50, st.RTTp99 = s.rtt(now)
	return st
}
