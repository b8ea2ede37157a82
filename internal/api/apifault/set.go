package apifault

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"enilab/internal/control"
)

// Options of a Set. The zero value is valid.
type Options struct {
	Now   func() time.Time                       // nil: time.Now
	After func(d time.Duration) <-chan time.Time // nil: time.After
	// Hold returns nil when d has passed, or the cause of ctx's end; nil waits for
	// After, which nobody can who owns time himself.
	Hold func(ctx context.Context, d time.Duration) error
	Seed uint64                                   // of shares whose fault has none
	Note func(typ, id string, kv ...string) error // writes an event; nil: none
	Log  *slog.Logger                             // nil: slog.Default
}

// Set holds the faults in force. Nothing of it is stored: a restart ends the
// bad day. Safe for concurrent use; a nil Set has no faults.
type Set struct {
	opt  Options
	live atomic.Int32 // faults that are not spent: a good day costs this one load

	mu         sync.Mutex
	faults     []*Fault // in the order of their making; guarded by mu
	made       uint64   // guarded by mu
	operations map[API]operations
}

// operations are what an API has declared; guarded by Set.mu.
type operations struct {
	names  []string // sorted
	status func(code string) int
}

// New returns a Set without faults.
func New(opt Options) *Set {
	if opt.Now == nil {
		opt.Now = time.Now
	}
	if opt.After == nil {
		opt.After = time.After
	}
	if opt.Hold == nil {
		after := opt.After
		opt.Hold = func(ctx context.Context, d time.Duration) error {
			select {
			case <-after(d):
				return nil
			case <-ctx.Done():
				return context.Cause(ctx)
			}
		}
	}
	if opt.Note == nil {
		opt.Note = func(string, string, ...string) error { return nil }
	}
	if opt.Log == nil {
		opt.Log = slog.Default()
	}
	opt.Seed &= MaxSeed
	return &Set{opt: opt, operations: make(map[API]operations)}
}

// Declare tells which operations an API has, and the HTTP status of its error
// codes. An API that has declared none takes no faults.
func (s *Set) Declare(api API, names []string, status func(code string) int) {
	if s == nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.operations[api] = operations{slices.Sorted(slices.Values(names)), status}
}

// Add puts a fault into force and returns it as it is then.
func (s *Set) Add(f Fault) (Fault, error) {
	if err := f.complete(); err != nil {
		return Fault{}, err
	}
	s.mu.Lock()
	api, ok := s.operations[f.API]
	err := error(nil)
	if !ok {
		err = wrong("api", "The API is ec2 or admin, not '%s'.", clip(string(f.API)))
	} else if _, known := slices.BinarySearch(api.names, f.Operation); !known && f.Operation != Every {
		err = wrong("operation", "The %s API has no operation '%s'; %s is for all.", f.API, clip(f.Operation), Every)
	} else if s.live.Load() >= MaxFaults {
		err = &control.Error{Code: "APIFaultLimitExceeded", Message: fmt.Sprintf("There are %d faults in force, the most there can be: delete one.", MaxFaults)}
	}
	if err != nil {
		s.mu.Unlock()
		return Fault{}, err
	}
	if f.Status == 0 && f.Kind == Fail {
		f.Status = api.status(f.Code)
	}
	if f.Seed == 0 {
		f.Seed = s.opt.Seed
	}
	s.made++
	f.ID, f.CreatedAt, f.Seen, f.Injected = "af-"+strconv.FormatUint(s.made, 10), s.opt.Now().UTC(), 0, 0
	s.forgetSpent()
	s.faults = append(s.faults, &f)
	s.live.Add(1)
	made := f
	s.mu.Unlock()
	s.note("api-fault.created", made.ID, "api", string(made.API), "operation", made.Operation, "kind", string(made.Kind), "when", string(made.When))
	return made, nil
}

// forgetSpent keeps the newest of what is spent for people to look at.
func (s *Set) forgetSpent() {
	spent := len(s.faults) - int(s.live.Load())
	s.faults = slices.DeleteFunc(s.faults, func(f *Fault) bool {
		if spent >= MaxFaults && f.Spent() {
			spent--
			return true
		}
		return false
	})
}

// List returns every fault, spent ones too, oldest first.
func (s *Set) List() []Fault {
	s.mu.Lock()
	defer s.mu.Unlock()
	list := make([]Fault, len(s.faults))
	for k, f := range s.faults {
		list[k] = *f
	}
	return list
}

// Remove takes a fault out of force. Calls that it holds stay held.
func (s *Set) Remove(id string) bool {
	s.mu.Lock()
	k := slices.IndexFunc(s.faults, func(f *Fault) bool { return f.ID == id })
	if k >= 0 {
		if !s.faults[k].Spent() {
			s.live.Add(-1)
		}
		s.faults = slices.Delete(s.faults, k, k+1)
	}
	s.mu.Unlock()
	if k >= 0 {
		s.note("api-fault.removed", id)
	}
	return k >= 0
}

// Clear takes every fault out of force.
func (s *Set) Clear() {
	for _, f := range s.List() {
		s.Remove(f.ID)
	}
}

// Forget takes every fault out of force and leaves none to look at, as in a new
// Set, without an event for each.
func (s *Set) Forget() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults = nil
	s.live.Store(0)
}

// note writes an event. The server may be ending; then only the log is told.
func (s *Set) note(typ, id string, kv ...string) {
	if err := s.opt.Note(typ, id, kv...); err != nil {
		s.opt.Log.Warn("noting an API fault", "event", typ, "fault", id, "error", err)
	}
}

// Call is what the faults in force have decided for one call; nil: nothing.
type Call struct {
	set       *Set
	operation string
	requestID string
	hits      []Fault
}

// Begin decides for one call, which role signed, "" if none did. It waits for
// nothing.
func (s *Set) Begin(api API, operation, role, requestID string) *Call {
	if s == nil || s.live.Load() == 0 {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	var hits []Fault
	for _, side := range []When{Before, After} {
		for _, f := range s.faults {
			if f.When != side || f.API != api || f.Operation != operation && f.Operation != Every || f.Spent() || !f.concerns(role) {
				continue
			}
			f.Seen++
			if !f.hits(f.Seen) {
				continue
			}
			f.Injected++
			if f.Spent() {
				s.live.Add(-1)
			}
			if hits = append(hits, *f); f.Kind != Hang {
				// Answered: no later fault comes to the call.
				return &Call{s, operation, requestID, hits}
			}
		}
	}
	if hits == nil {
		return nil
	}
	return &Call{s, operation, requestID, hits}
}

// Inject lets one side's faults happen. ctx ends when the client goes away or
// the server stops; a hang that this cuts short is an error too.
func (c *Call) Inject(ctx context.Context, side When) error {
	if c == nil {
		return nil
	}
	for i := range c.hits {
		f := &c.hits[i]
		if f.When != side {
			continue
		}
		c.tell(f)
		if f.Kind != Hang {
			return &Answer{f.Code, f.Message, f.Status}
		}
		if err := c.set.opt.Hold(ctx, f.Hang); err != nil {
			return &Answer{"Unavailable", "The call was given up while it was held: " + err.Error() + ".", 503}
		}
	}
	return nil
}

// Hangs reports whether the call is held on either side, so that it needs
// more time than others.
func (c *Call) Hangs() bool {
	return c != nil && slices.ContainsFunc(c.hits, func(f Fault) bool { return f.Kind == Hang })
}

// tell makes an injection visible to people; the answer itself has no mark.
func (c *Call) tell(f *Fault) {
	held := ""
	if f.Kind == Hang {
		held = f.Hang.String()
	}
	c.set.opt.Log.Info("API fault injected", "fault", f.ID, "api", f.API, "operation", c.operation,
		"requestId", c.requestID, "kind", f.Kind, "when", f.When)
	c.set.note("api-fault.injected", f.ID, "api", string(f.API), "operation", c.operation, "requestId", c.requestID,
		"kind", string(f.Kind), "when", string(f.When), "code", f.Code, "held", held)
}

func clip(s string) string {
	if r := []rune(s); len(r) > 100 {
		return string(r[:100]) + "..."
	}
	return s
}

type serverKey struct{}

// WithServer returns a context from which Fresh finds the server's own, which
// ends with the server alone.
func WithServer(ctx, server context.Context) context.Context {
	return context.WithValue(ctx, serverKey{}, server)
}

// Fresh is the context that WithServer was given, else ctx: the time that a
// call was held does not count as its own.
func Fresh(ctx context.Context) context.Context {
	if server, ok := ctx.Value(serverKey{}).(context.Context); ok {
		return server
	}
	return ctx
}

// Around lets what is in force for an operation happen around a call that is made
// inside the process, as it happens around one that arrives over HTTP. ctx bounds
// how long it is held.
func (s *Set) Around(ctx context.Context, api API, operation, requestID string, call func(context.Context) error) error {
	hit := s.Begin(api, operation, "", requestID)
	if err := hit.Inject(ctx, Before); err != nil {
		return err
	}
	err := call(ctx)
	if fault := hit.Inject(ctx, After); fault != nil {
		return fault
	}
	return err
}
