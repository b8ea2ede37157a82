package control

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"enilab/internal/control/rows"
	"enilab/internal/dataplane/spec"
	"enilab/internal/dataplane/verdict"
)

func (s *Service) change(ctx context.Context, f func(*tx) error) error {
	_, err := s.do(ctx, f)
	return err
}

// Options of a Service. All but Timing, Quotas and Log are required.
type Options struct {
	Store  Store
	Plane  Plane
	Region string // where what names no region is made
	Now    func() time.Time
	Random func([]byte) // ids, MACs and addresses; crypto/rand or seeded; called by one goroutine at a time
	Timing Timing       // durations of visible transitional states
	Quotas Quotas       // of the account; nil: none
	Log    *slog.Logger // of what guests failed to do; nil: slog.Default
	// Stepped: the Service has no goroutine and no timer. A command is carried
	// out, stored and put into force by the call itself, and what falls due waits
	// for Step. It then belongs to one goroutine, and Run is refused.
	Stepped bool
}

const (
	// queueLength bounds the commands that wait for the commit loop. When it
	// is full, callers wait in line for as long as their context lets them.
	queueLength = 1024
	// batchLength bounds the commands that share a commit, so that the first
	// of them does not wait for too many others.
	batchLength = 256
	// applyLength bounds the batches that are committed but not in force. When
	// it is full, the commit loop waits for the data plane.
	applyLength = 16
	// drainTime is how long the data plane may take to put the last commits
	// into force once Run's context has ended.
	drainTime = 3 * time.Second
	// retryDelay is the wait before a transition that the store refused to
	// finish is finished again.
	retryDelay = time.Second
)

// Service is the only way to change the State.
//
// Every command: validate -> pure transition on the State with one now ->
// store commit (shared by concurrent commands) -> State published ->
// Plane.Follow -> return. Reads use State. A context that ends makes a command
// return at once; if the command had been started, it may take effect. A guest
// that fails to follow the network is logged and fails no command: EC2 does
// not answer for the drivers of an instance either.
//
// A Service is a view: Open returns the one that sees every region and creates
// in Options.Region, In one that sees and creates in a single region. All views
// share one State, one commit loop and one order of events.
type Service struct {
	*core
	region string // where it creates
	scope  string // the region whose resources it sees, "" all

	rehearsing bool     // see Rehearsal
	draft      *draft   // see Draft
	request    *request // see Remembering
}

// core is what the views of a Service share.
type core struct {
	opt   Options
	state atomic.Pointer[State]
	start atomic.Pointer[State] // see KeepStart; nil: nothing at all
	past  history
	subs  watchers

	queue   chan *command
	running atomic.Bool
	closing chan struct{} // closed: no new commands
	ended   chan struct{} // closed: every command taken has been answered

	// Owned by the commit loop.
	last time.Time // instant of the last command
	due  deadlines
	busy bool // a stepped Service is carrying out a command

	// Owned by the apply loop.
	inForce *State
	newest  *State   // of the steps that have come by
	owed    []Change // from inForce to newest, not taken by the Plane
	left    departures
	untold  []spec.Announcement // not taken by the Plane
}

// command is one transition on its way. Its fields belong to the commit loop,
// then to the apply loop, and to the caller once done is closed.
type command struct {
	ctx  context.Context
	view *Service // as which it runs
	run  func(*tx) error
	back func() *State // runs on this in place of the newest State; nil: on that; see goBack
	done chan struct{}
	due  deadline // of the end of a transition; else zero
	// before is what the command made when an earlier try of its request carried
	// it out; nil: it is carried out now.
	before *Made

	at       time.Time
	revision uint64 // that it made; 0: none
	ack      spec.Ack
	err      error
}

// step is a command that has succeeded, with what it committed; no changes if
// there was nothing to do.
type step struct {
	*command
	commit Commit
	after  *State
	// announce is whether guests are told of addresses that have changed their ENI.
	announce bool
}

// Open loads the stored state, puts it into force and resumes the transitions
// that were under way. Commands are taken once Run runs.
func Open(ctx context.Context, opt Options) (*Service, error) {
	if opt.Store == nil || opt.Plane == nil || opt.Now == nil || opt.Random == nil {
		return nil, errors.New("opening the control plane: Store, Plane, Now and Random are required")
	}
	if Zones(opt.Region) == nil {
		return nil, fmt.Errorf("opening the control plane: no region %q, want one such as us-east-1", opt.Region)
	}
	if err := opt.Timing.Check(); err != nil {
		return nil, fmt.Errorf("opening the control plane: %w", err)
	}
	loaded, err := opt.Store.Load(ctx)
	if err != nil {
		return nil, fmt.Errorf("loading the stored state: %w", err)
	}
	s := &Service{region: opt.Region, core: &core{
		opt:     opt,
		queue:   make(chan *command, queueLength),
		closing: make(chan struct{}),
		ended:   make(chan struct{}),
		last:    loaded.At,
	}}
	if s.opt.Log == nil {
		s.opt.Log = slog.Default()
	}
	state := restore(loaded)
	s.due.note(loaded.Changes)
	s.past.note(loaded.Changes)
	if _, err := s.put(ctx, FromNothing(state)); err != nil {
		return nil, fmt.Errorf("putting the stored state into force: %w", err)
	}
	state.timing, state.quotas = opt.Timing, opt.Quotas
	s.inForce, s.newest = state, state
	s.state.Store(state)
	return s, nil
}

// restore builds the State that c describes, derived tables included.
func restore(c Commit) *State {
	t := &tx{Txn: newDB().Begin()}
	for _, row := range c.Changes {
		if n, ok := row.After.(*NetworkInterface); ok {
			t.putInterface(n)
		} else {
			t.put(row.Table, row.After)
		}
	}
	t.sourceEndpoints()
	return &State{db: t.Version(), revision: c.Revision, next: counters{
		group: max(c.NextGroupRef, 1),
		rule:  max(c.NextRuleRef, uint32(verdict.RuleFirst)),
		event: c.EventSeq,
	}}
}

// State is the newest committed State, of the regions that the Service sees.
func (s *Service) State() *State {
	if s.draft != nil {
		return s.draft.state.in(s.scope)
	}
	return s.state.Load().in(s.scope)
}

// Region is where the Service creates what names no other place.
func (s *Service) Region() string { return s.region }

// In is the view of one region, of those that Regions names. It sees nothing of
// the others: what is there does not exist for its commands.
func (s *Service) In(region string) *Service {
	return &Service{core: s.core, region: region, scope: region}
}

// Events reads the log: at most limit events after a sequence number, and the
// oldest number still kept. What it has of a commit, the State has, too: the log
// is written first, and its newest events wait until their State is published.
func (s *Service) Events(ctx context.Context, after uint64, limit int) ([]Event, uint64, error) {
	events, oldest, err := s.opt.Store.Events(ctx, after, limit)
	published := s.state.Load().next.event
	for len(events) > 0 && events[len(events)-1].Seq > published {
		events = events[:len(events)-1]
	}
	return events, oldest, err
}

// do runs f as one command and waits until what it did is in force.
func (s *Service) do(ctx context.Context, f func(*tx) error) (*command, error) {
	if s.draft != nil {
		return &command{}, s.doDraft(f)
	}
	if s.rehearsing {
		return nil, cmp.Or(s.rehearse(f), ErrRehearsed)
	}
	if s.request != nil {
		nth, made := s.request.begun()
		if made != nil {
			return &command{before: made}, nil
		}
		carryOut := f
		f = func(t *tx) error {
			err := carryOut(t)
			if err == nil {
				t.remember(s.request.ClientToken, Made{Command: nth, IDs: t.returned})
			}
			return err
		}
	}
	return s.submit(&command{ctx: ctx, view: s, run: f, done: make(chan struct{})})
}

// submit hands a command to the commit loop and waits for its end.
func (s *Service) submit(c *command) (*command, error) {
	ctx := c.ctx
	if s.opt.Stepped {
		s.carryOut(ctx, []*command{c})
		return c, c.err
	}
	select {
	case s.queue <- c:
	case <-s.closing:
		return nil, errClosing()
	case <-ctx.Done():
		return nil, errCanceled(ctx, "before the command was taken")
	}
	select {
	case <-c.done:
		return c, c.err
	case <-ctx.Done():
		return nil, errCanceled(ctx, "the command may still take effect")
	case <-s.ended:
	}
	select {
	case <-c.done:
		return c, c.err
	default:
		return nil, errClosing()
	}
}

func errClosing() error {
	return refuse(codeUnavailable, "", "The control plane is shutting down.")
}

func errCanceled(ctx context.Context, fate string) error {
	cause := context.Cause(ctx)
	return &Error{Code: "RequestCanceled", Message: fmt.Sprintf("%v (%s)", cause, fate), cause: cause}
}

// result runs f as one command and returns what it returned.
func result[T any](ctx context.Context, s *Service, f func(*tx) (T, error)) (T, error) {
	var out, none T
	c, err := s.do(ctx, func(t *tx) (err error) {
		out, err = f(t)
		if err == nil && s.request != nil {
			t.returned = idsOf(out)
		}
		return err
	})
	if err != nil {
		return none, err
	}
	if c.before != nil {
		return recalled[T](s.State(), c.before)
	}
	return out, nil
}

func (s *Service) begin(db *rows.View, state *State, now time.Time) *tx {
	return &tx{
		Txn: db.Begin(), now: now, random: s.opt.Random, region: s.region, scope: s.scope,
		timing: state.timing, quotas: state.quotas, next: state.next,
	}
}
