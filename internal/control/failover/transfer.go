package failover

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"

	"enilab/internal/control"
)

// moveTime bounds one move: far more than any takes.
const moveTime = 30 * time.Second

// Move moves an ENI as control.Service.Move does, and records it. The id is
// that of the record, "" for a dry run.
func (c *Controller) Move(ctx context.Context, in control.MoveInput) (control.MoveResult, string, error) {
	if in.DryRun {
		r, err := c.opt.Service.Move(ctx, in)
		return r, "", err
	}
	if in.Kind == "" {
		in.Kind = control.KindMove
	}
	return c.transfer(ctx, in, move{kind: in.Kind})
}

// checkBack refuses a fail-back to anywhere but the owner before.
func checkBack(s *control.State, in control.MoveInput) error {
	n := s.NetworkInterface(in.Interface)
	if n == nil || n.Attachment == nil {
		return nil // the Service words the refusal; from nowhere, back is as good as any way
	}
	for _, p := range s.Policies() {
		if p.NetworkInterface == n.ID && p.Strategy == control.StrategyENI && p.Enabled && p.NeverBack {
			return &control.Error{
				Code: "IncorrectState", Field: "failBack",
				Message: fmt.Sprintf("Network interface '%s' never fails back: its failover policy '%s' says so.", n.ID, p.ID),
			}
		}
	}
	for _, f := range s.Failovers() {
		if f.NetworkInterface != n.ID || f.Moved.Kind != control.MovedInterface || f.Control.AttachedAt == 0 {
			continue
		}
		if f.To == n.Attachment.Instance && f.From == in.Instance {
			return nil
		}
		return &control.Error{
			Code: "IncorrectState", Field: "failBack",
			Message: fmt.Sprintf("Network interface '%s' cannot fail back to '%s': the newest record, '%s', moved it from '%s' to '%s'.",
				n.ID, in.Instance, f.ID, f.From, f.To),
		}
	}
	return &control.Error{
		Code: "IncorrectState", Field: "failBack",
		Message: fmt.Sprintf("Network interface '%s' has no record of a move that could be taken back.", n.ID),
	}
}

// transfer moves an ENI and starts the record of it.
func (c *Controller) transfer(ctx context.Context, in control.MoveInput, m move) (r control.MoveResult, id string, err error) {
	own, err := c.take(ctx, in.Interface, in.Instance)
	if err != nil {
		return r, "", err
	}
	defer c.life.RUnlock()
	defer c.leave(in.Interface, own)
	s := c.opt.Service.State()
	n := s.NetworkInterface(in.Interface)
	if n == nil {
		r, err = c.opt.Service.Move(ctx, in) // the Service words the refusal
		return r, "", err
	}
	if m.kind == control.KindFailBack && m.calls == nil { // a policy knows where to
		if err := checkBack(s, in); err != nil {
			return r, "", err
		}
	}
	m.moved, m.to, m.before = wholly(n.ID), in.Instance, identify(s, n)
	m.private, m.public = addresses(n), publicAddresses(s, n)
	if n.Attachment != nil {
		m.from = n.Attachment.Instance
	}
	if m.times.detected == 0 && m.kind != control.KindFailBack { // else its policy knows
		m.times.fault = brokenAt(s, m.from)
	}
	// Whoever asked may go away; a move that has begun takes effect all the
	// same, and what takes effect is recorded.
	mctx, cancel := c.within(context.WithoutCancel(ctx), moveTime)
	defer cancel()
	if m.calls == nil {
		r, err = c.opt.Service.Move(mctx, in)
	} else {
		r, err = c.moveByCalls(ctx, in, m, own)
	}
	if err != nil && r.Interface == nil {
		return r, "", err
	}
	own.done.Store(true)
	m.times.accepted, m.times.detached, m.times.attached = r.AcceptedAt, r.DetachedAt, r.AttachedAt
	return r, c.record(ctx, m), nil
}

// moveByCalls moves an ENI for a policy. The move is one transition, which stands
// for the two calls that it is on AWS: what injected faults do to either happens to
// it. An error that follows the effect leaves the result in place.
func (c *Controller) moveByCalls(ctx context.Context, in control.MoveInput, m move, own *transfer) (r control.MoveResult, err error) {
	attach := func(ctx context.Context) error {
		return c.call(ctx, m.calls, "AttachNetworkInterface", func(ctx context.Context) (err error) {
			r, err = c.opt.Service.Move(ctx, in)
			own.done.Store(r.Interface != nil)
			return err
		})
	}
	if n := c.opt.Service.State().NetworkInterface(in.Interface); n == nil || n.Attachment == nil {
		err = attach(ctx)
		return r, err
	}
	err = c.call(ctx, m.calls, "DetachNetworkInterface", attach)
	return r, err
}

// transfer is one Move of an ENI, from its beginning until it is recorded.
type transfer struct {
	left string        // the attachment at its beginning, "" if none
	to   string        // instance
	done atomic.Bool   // the call that moves has returned; what is left is to end and to record it
	over chan struct{} // closed when nothing is left
}

// moved reports whether what is left of t changes nothing any more: the State that n
// is of has it moved, though the call may not have returned.
func (t *transfer) moved(n *control.NetworkInterface) bool {
	return t.done.Load() || n != nil && n.Attachment != nil && n.Attachment.ID != t.left && n.Attachment.Instance == t.to
}

// take waits for whoever has moved an ENI and is only recording that. Its caller
// then holds the ENI, if there is such a one, and c.life for reading, until it leaves
// the one and unlocks the other. While a move is under way a second one is refused,
// as EC2 refuses it.
func (c *Controller) take(ctx context.Context, eni, to string) (*transfer, error) {
	own := &transfer{to: to, over: make(chan struct{})}
	for {
		c.life.RLock()
		if err := ctx.Err(); err != nil { // a watcher's, which a Reset has stopped meanwhile
			c.life.RUnlock()
			return nil, err
		}
		c.mu.Lock()
		n, other := c.opt.Service.State().NetworkInterface(eni), c.moving[eni]
		if other == nil && n != nil {
			if n.Attachment != nil {
				own.left = n.Attachment.ID
			}
			c.moving[eni] = own
		}
		c.mu.Unlock()
		if other == nil {
			return own, nil
		}
		c.life.RUnlock() // a Reset must not wait for who waits
		if !other.moved(n) {
			return nil, &control.Error{
				Code:    "IncorrectState",
				Message: fmt.Sprintf("Network interface '%s' is being moved by another call.", eni),
			}
		}
		c.await(ctx, other.over)
	}
}

// leave lets others move the ENI.
func (c *Controller) leave(eni string, own *transfer) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.moving[eni] == own {
		delete(c.moving, eni)
	}
	close(own.over)
}
