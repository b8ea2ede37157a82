// Package stream carries what the data plane and the control plane do to
// browsers: packet records, exact counts, control events and failover records
// over one websocket each. A slow browser is shown less and told so; it slows
// nobody and its connection never grows. The package decides nothing and
// stores nothing.
package stream

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"enilab/internal/control"
	"enilab/internal/dataplane"
	"enilab/internal/dataplane/frame"
	"enilab/internal/dataplane/verdict"
)

// Source is the data plane: *dataplane.Engine.
type Source interface {
	Observe(o dataplane.Observer) (cancel func())
	VNICName(index uint32) (id string, mac frame.MAC)
	RuleName(id verdict.RuleID) string
	Way(id dataplane.WayID) dataplane.Way
}

// Log is the control plane's record of what happened: *control.Service.
type Log interface {
	Watch(buffer int) (<-chan control.Notice, func())
	Events(ctx context.Context, after uint64, limit int) (evs []control.Event, oldest uint64, err error)
}

var (
	_ Source = (*dataplane.Engine)(nil)
	_ Log    = (*control.Service)(nil)
)

// Options of a Hub. All are required.
type Options struct {
	Source Source
	Log    Log
	Epoch  string // of this process; cursors count within it
	// Status is sent to every client four times a second, with its "type" in it.
	Status func() any
	// Failover is how a failover record is shown; nil if it is gone.
	Failover func(id string) any
	// State is whose names records have.
	State func() *control.State
}

const (
	// maxClients bounds the websockets; one more is refused with 503.
	maxClients = 256
	// noticeBuffer commits wait for the hub; if more come, the hub is told and
	// reads the log instead.
	noticeBuffer = 256
)

// timing is when things happen on a connection; tests hurry it.
type timing struct {
	frame     time.Duration // between two packet messages
	hidden    time.Duration // between two bin messages of a client that shows none
	status    time.Duration
	ping      time.Duration
	silence   time.Duration // without a sign of life the connection is given up
	write     time.Duration // a write that takes longer ends the connection
	farewell  time.Duration // for the answer to our close
	unwatched time.Duration // the engine is observed so long after the last client
}

var defaultTiming = timing{
	frame: 50 * time.Millisecond, hidden: time.Second, status: 250 * time.Millisecond,
	ping: 10 * time.Second, silence: 25 * time.Second, write: 2 * time.Second,
	farewell: time.Second, unwatched: 30 * time.Second,
}

// Hub observes the data plane while somebody looks on and serves each client
// from the same history. Run runs it.
type Hub struct {
	opt    Options
	timing timing

	history history
	roster  roster
	events  eventRing
	status  atomic.Pointer[statusMessage]
	slow    atomic.Uint64 // clients closed because they did not read
	skipped atomic.Uint64 // records left out for clients

	notices    <-chan control.Notice // set by Open, as the next
	unwatchLog func()

	closing chan struct{} // closed: no new clients, the present ones leave
	done    chan struct{} // closed: Run has returned
	left    sync.WaitGroup

	// clients is copied on write: the engine's collector, which holds locks
	// that Observe takes, must not wait for mu.
	clients atomic.Pointer[[]*client]

	mu      sync.Mutex
	closed  bool        // guarded by mu
	cancel  func()      // guarded by mu; ends the observation, nil if there is none
	unwatch *time.Timer // guarded by mu
}

// statusMessage is one encoded status; the number tells whether a client has
// had it.
type statusMessage struct {
	number uint64
	text   []byte
}

// New returns a hub without clients.
func New(opt Options) *Hub {
	h := &Hub{opt: opt, timing: defaultTiming, closing: make(chan struct{}), done: make(chan struct{})}
	h.clients.Store(&[]*client{})
	return h
}

// Stats are the hub's own counters.
type Stats struct {
	Clients int
	Skipped uint64 // records left out by sampling or for slow clients
	Slow    uint64 // clients closed because they did not read
}

// Stats returns the counters.
func (h *Hub) Stats() Stats {
	return Stats{Clients: len(*h.clients.Load()), Skipped: h.skipped.Load(), Slow: h.slow.Load()}
}

// EventSeq is the sequence number of the newest event that clients can have
// been told of.
func (h *Hub) EventSeq() uint64 { return h.events.newest() }

// Done is closed when Run has returned and every client has left.
func (h *Hub) Done() <-chan struct{} { return h.done }

// Open finds where the event log ends; it is called once, before Run and
// before the first client.
func (h *Hub) Open(ctx context.Context) error {
	// Watching comes first: what happens meanwhile is known twice, not never.
	h.notices, h.unwatchLog = h.opt.Log.Watch(noticeBuffer)
	last, err := lastEvent(ctx, h.opt.Log)
	if err != nil {
		h.unwatchLog()
		return fmt.Errorf("starting the stream: %w", err)
	}
	h.events.begin(last)
	return nil
}

// Run passes on what the control plane does until ctx ends; then clients are
// told that the server goes away, and it returns when they have gone.
func (h *Hub) Run(ctx context.Context) {
	defer close(h.done)
	defer h.close()
	defer h.unwatchLog()
	notices := h.notices
	tick := time.NewTicker(h.timing.status)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case n, ok := <-notices:
			if !ok {
				notices = nil // the control plane has stopped
				continue
			}
			h.notice(ctx, n)
		case <-tick.C:
			h.tellStatus()
		}
	}
}

// notice passes a commit on. The events go into a short memory from which
// clients read at their own pace.
func (h *Hub) notice(ctx context.Context, n control.Notice) {
	if n.Lost {
		h.readLost(ctx)
		h.roster.missed(h.opt.State(), time.Now().UnixNano())
	}
	h.roster.commit(h.opt.State(), n.Commit)
	h.events.add(n.Commit.Events)
	for _, c := range n.Commit.Changes {
		if c.Table == control.TableFailover && c.After != nil {
			for _, cl := range *h.clients.Load() {
				cl.failoverChanged(c.ID)
			}
		}
	}
	for _, cl := range *h.clients.Load() {
		cl.wakeUp()
	}
}

// readLost fetches the events of commits that the hub was too slow to be told
// of. Failover records that changed unseen are in the topology, which these
// events make the page read. If the log cannot be read, the next notice shows
// the gap, and clients read the log themselves.
func (h *Hub) readLost(ctx context.Context) {
	for {
		events, _, err := h.opt.Log.Events(ctx, h.events.newest(), eventMemory)
		if err != nil || len(events) == 0 {
			return
		}
		h.events.add(events)
	}
}

func (h *Hub) tellStatus() {
	if len(*h.clients.Load()) == 0 {
		return
	}
	text, err := json.Marshal(h.opt.Status())
	if err != nil {
		panic("stream: encoding the status: " + err.Error())
	}
	next := &statusMessage{number: 1, text: text}
	if old := h.status.Load(); old != nil {
		next.number = old.number + 1
	}
	h.status.Store(next)
}

// Bin implements dataplane.Observer.
func (h *Hub) Bin(b dataplane.Bin) {
	for _, c := range *h.clients.Load() {
		c.bins.add(b)
	}
}

// Records implements dataplane.Observer.
func (h *Hub) Records(rs []dataplane.Record, bytes []byte, skipped uint64) {
	h.history.append(rs, bytes, skipped)
}

var _ dataplane.Observer = (*Hub)(nil)

// join adds a client and begins to observe with the first.
func (h *Hub) join(c *client) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	now := *h.clients.Load()
	if h.closed || len(now) >= maxClients {
		return false
	}
	if h.unwatch != nil {
		h.unwatch.Stop()
	}
	if h.cancel == nil {
		h.history.restart()
		h.roster.restart(h.opt.State())
		h.cancel = h.opt.Source.Observe(h)
	}
	now = append(slices.Clone(now), c)
	h.clients.Store(&now)
	h.left.Add(1)
	return true
}

// leave removes a client. Without clients the engine is observed a little
// longer, because a page that is loaded anew comes back at once.
func (h *Hub) leave(c *client) {
	h.mu.Lock()
	defer h.mu.Unlock()
	now := slices.DeleteFunc(slices.Clone(*h.clients.Load()), func(x *client) bool { return x == c })
	h.clients.Store(&now)
	if len(now) == 0 && !h.closed {
		h.unwatch = time.AfterFunc(h.timing.unwatched, h.unobserve)
	}
	h.left.Done()
}

func (h *Hub) unobserve() {
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(*h.clients.Load()) == 0 && h.cancel != nil {
		h.cancel()
		h.cancel = nil
	}
}

// close tells every client and waits for them; each has its own deadlines.
func (h *Hub) close() {
	h.mu.Lock()
	h.closed = true
	close(h.closing)
	if h.unwatch != nil {
		h.unwatch.Stop()
	}
	h.mu.Unlock()
	h.left.Wait()
	h.unobserve()
}

// Recent returns the records kept since an instant (Unix nanoseconds), their cursors, and whether
// any are made: somebody watches.
func (h *Hub) Recent(since int64) (records []dataplane.Record, cursors []uint64, watched bool) {
	h.mu.Lock()
	watched = h.cancel != nil
	h.mu.Unlock()
	records, cursors = h.history.since(since)
	return records, cursors, watched
}

// Record returns the record of a frame by its cursor, and the span of those kept:
// the oldest and the next. False: it is not kept any more, or is yet to come.
func (h *Hub) Record(cursor uint64) (r dataplane.Record, oldest, next uint64, ok bool) {
	r, ok = h.history.record(cursor)
	oldest, next = h.history.span()
	return r, oldest, next, ok
}
