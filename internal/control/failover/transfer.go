package failover

import (
	"context"
	"fmt"
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
	if in.Kind == control.KindFailBack {
		if err := checkBack(c.opt.Service.State(), in); err != nil {
			return control.MoveResult{}, "", err
		}
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
	c.life.RLock()
	defer c.life.RUnlock()
	if ctx.Err() != nil { // a watcher's, which a Reset has stopped meanwhile
		return r, "", ctx.Err()
	}
	s := c.opt.Service.State()
	n := s.NetworkInterface(in.Interface)
	if n == nil || !c.lock(in.Interface) {
		if n != nil {
			return r, "", &control.Error{
				Code:    "IncorrectState",
				Message: fmt.Sprintf("Network interface '%s' is being moved by another call.", in.Interface),
			}
		}
		r, err = c.opt.Service.Move(ctx, in) // the Service words the refusal
		return r, "", err
	}
	defer c.unlock(in.Interface)
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
		r, err = c.moveByCalls(ctx, in, m)
	}
	if err != nil && r.Interface == nil {
		return r, "", err
	}
	m.times.accepted, m.times.detached, m.times.attached = r.AcceptedAt, r.DetachedAt, r.AttachedAt
	return r, c.record(ctx, m), nil
}

// moveByCalls moves an ENI for a policy. The move is one transition, which stands
// for the two calls that it is on AWS: what injected faults do to either happens to
// it. An error that follows the effect leaves the result in place.
func (c *Controller) moveByCalls(ctx context.Context, in control.MoveInput, m move) (r control.MoveResult, err error) {
	attach := func(ctx context.Context) error {
		return c.call(ctx, m.calls, "AttachNetworkInterface", func(ctx context.Context) (err error) {
			r, err = c.opt.Service.Move(ctx, in)
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

func (c *Controller) lock(eni string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.moving[eni] {
		return false
	}
	c.moving[eni] = true
	return true
}

func (c *Controller) unlock(eni string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.moving, eni)
}
