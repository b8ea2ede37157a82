package failover

import (
	"context"
	"fmt"
	"sync"
	"time"

	"enilab/internal/control"
)

// watcher runs one policy: it probes, decides and moves. Its fields but st
// belong to its goroutine.
type watcher struct {
	c      *Controller
	policy *control.FailoverPolicy
	stop   context.CancelFunc
	done   chan struct{} // closed when run has returned
	prev   *watcher      // the one it replaces; nil: none

	health    detector // of the owner
	homeUp    int      // consecutive answers of the instance to fail back to
	homeSince int64    // when the first of them was known
	calls     *callLog // of the take-over that is being tried; nil: none
	detected  int64    // when the failure was known for which calls are made
	fencing   *fencing // nil: no take-over has been decided
	intended  bool     // it is noted that one of several calls has begun
	lastOwner string
	seq       uint16
	notices   <-chan control.Notice // while a fence is waited for; nil else
	unwatch   func()                // ends notices

	mu sync.Mutex
	st Status // guarded by mu
}

func (w *watcher) status() Status {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.st
}

func (w *watcher) set(state PolicyState, o *Outcome, detail string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.st.State, w.st.Misses, w.st.Detail = state, w.health.misses, detail
	if o != nil {
		w.st.Last = o
	}
}

func (w *watcher) run(ctx context.Context) {
	defer close(w.done)
	if w.prev != nil {
		w.c.await(context.WithoutCancel(ctx), w.prev.done) // two watchers of one ENI would read each other's probes
		w.lastOwner, w.prev = w.prev.lastOwner, nil
	}
	w.set(Watching, nil, "")
	defer w.c.opt.Prober.Forget(w.policy.ID)
	if w.lastOwner == "" {
		w.lastOwner = w.c.lastOwner(ctx, w.policy)
	}
	w.resume(ctx)
	defer w.unfollow()
	ticks, stop := w.c.opt.Ticks(w.policy.Probe.Interval)
	defer stop()
	for {
		w.c.park(func() bool { return len(ticks) > 0 || len(w.notices) > 0 || ctx.Err() != nil })
		select {
		case <-ctx.Done():
			return
		case _, ok := <-w.notices:
			if !ok {
				w.unfollow() // the control plane has ended
				continue
			}
		case <-ticks:
		}
		w.step(ctx)
	}
}

// step is one interval: a probe of the owner, and what follows from it.
func (w *watcher) step(ctx context.Context) {
	s := w.c.opt.Service.State()
	n := s.Holder(w.policy)
	if n == nil && w.policy.Strategy == control.StrategyENI {
		return // the policy goes with its ENI
	}
	if w.fencing != nil && w.fencing.asked != 0 {
		w.failOver(ctx, n, w.fencing.outcome) // it has been decided
		return
	}
	if n == nil || n.Attachment == nil || n.Attachment.State == control.Detaching {
		w.orphan(ctx, s, n)
		return
	}
	if owner := n.Attachment.Instance; owner != w.lastOwner {
		w.lastOwner, w.health, w.homeUp = owner, detector{}, 0
		w.endTakeOver(ctx)
	}
	from, why, ok := witness(s, w.policy, candidates(s, w.policy, n), n)
	if !ok {
		w.blind(s, n, why)
		return
	}
	o := w.probe(ctx, s, from, n)
	if ctx.Err() != nil {
		return
	}
	if h := w.c.opt.Service.State().Holder(w.policy); h == nil || h.ID != n.ID || h.Attachment == nil || h.Attachment.Instance != n.Attachment.Instance {
		return // what is probed has moved meanwhile, and the answer is of its former owner
	}
	failed := w.health.observe(o, w.policy.Probe.Misses)
	if o.Result == Missed && o.Seen == (Fate{}) {
		// A frame of this one may still be on its way.
		o.Seen = w.health.seen
	}
	switch {
	case failed:
		w.failOver(ctx, n, o)
	case o.Result == Blocked:
		w.set(StateBlocked, &o, o.Detail)
	case o.Result == ProberDown:
		w.set(StateProberDown, &o, o.Detail)
	case o.Result == Missed:
		w.set(Suspecting, &o, o.Detail)
	default:
		w.endTakeOver(ctx) // what was tried before is of no failover
		w.set(Watching, &o, w.split(s, n, o.Detail))
		w.considerHome(ctx, s, n)
	}
}

// split says which routes do not lead where the first one does: a take-over that
// failed halfway, or somebody's decision. detail else.
func (w *watcher) split(s *control.State, n *control.NetworkInterface, detail string) string {
	for _, r := range s.Elsewhere(w.policy, n.ID) {
		return fmt.Sprintf("the route for %s in %s does not lead to %s as that for %s does",
			r.Destination, r.Table, n.ID, w.policy.Routes[0].Destination)
	}
	return detail
}

// blind handles an interval in which nobody can probe. Who could take over
// could also have probed, unless the policy's prober is on none of them: so it
// mostly means that nobody can take over either, which matters more.
func (w *watcher) blind(s *control.State, n *control.NetworkInterface, why string) {
	o := Outcome{Result: ProberDown, At: w.c.opt.Now(), Detail: why}
	if to, none := choose(s, candidates(s, w.policy, n)); to == nil {
		w.set(NoStandby, &o, none)
		return
	}
	w.set(StateProberDown, &o, why)
}

// orphan handles what has no owner: an ENI that is attached to no instance, or
// an address, an Elastic IP or a route that is nobody's (n is nil) or such an
// ENI's. Somebody who took it away on purpose is left alone; an owner that stopped or was terminated is a failure.
func (w *watcher) orphan(ctx context.Context, s *control.State, n *control.NetworkInterface) {
	if w.fencing == nil && (n != nil && n.Attachment != nil || !deserted(s, w.lastOwner)) {
		w.health = detector{}
		detail := "the interface is attached to no instance"
		if n == nil {
			detail = "nobody has what the policy moves"
		}
		w.set(Unattached, nil, detail)
		return
	}
	o := Outcome{Result: Missed, At: w.c.opt.Now(), Detail: "the owner is gone"}
	if w.health.observe(o, w.policy.Probe.Misses) {
		w.failOver(ctx, n, o)
		return
	}
	w.set(Suspecting, &o, o.Detail)
}

// probe sends one probe to an ENI.
func (w *watcher) probe(ctx context.Context, s *control.State, from Source, to *control.NetworkInterface) Outcome {
	w.seq++
	pctx, cancel := w.c.within(ctx, w.policy.Probe.Timeout)
	defer cancel()
	o := w.c.opt.Prober.Probe(pctx, Target{
		Policy: w.policy.ID, Probe: w.policy.Probe, From: from, To: to, ToAddr: probed(s, w.policy, from, to), Sequence: w.seq,
	})
	o.From = from.ID
	return o
}

// failOver gives what the policy moves to the first standby that can take it. What
// fails is tried again at the next interval. The move is measured while the new
// owner is watched; another failover ends that.
func (w *watcher) failOver(ctx context.Context, n *control.NetworkInterface, o Outcome) {
	s := w.c.opt.Service.State()
	if until := heldUntil(s, w.policy); w.c.opt.Now() < until {
		left := time.Duration(until - w.c.opt.Now()).Round(time.Millisecond)
		w.set(Holding, &o, fmt.Sprintf("held down for another %v after the last failover; %s", left, o.Detail))
		return
	}
	to, why := choose(s, candidates(s, w.policy, n))
	if to == nil {
		w.set(NoStandby, &o, why)
		return
	}
	if w.calls == nil { // else it is tried again
		w.calls, w.detected = &callLog{}, o.At
	}
	m := move{
		kind: control.KindFailover, policy: w.policy.ID, cause: o.cause(w.health.misses), calls: w.calls,
		times: instants{fault: brokenAt(s, w.lastOwner), firstMiss: w.health.firstMiss, detected: w.detected},
	}
	if m.times.fault > w.detected {
		m.times.fault = 0 // a fence has stopped the owner since, which is no fault
	}
	if !w.fence(ctx, n, o, &m) {
		return
	}
	w.set(FailingOver, &o, "moving to "+to.ID)
	err := w.carry(ctx, to, m)
	if ctx.Err() != nil {
		return
	}
	if err != nil {
		w.c.opt.Log.Warn("failing over", "policy", w.policy.ID, "strategy", w.policy.Strategy, "to", to.ID, "error", err)
		w.set(FailingOver, &o, "moving to "+to.ID+" is tried again: "+err.Error())
		return
	}
	w.health = detector{}
	w.endTakeOver(ctx)
	w.set(FailingOver, &o, "moved to "+to.ID)
}

// carry makes the calls that bring what the policy moves to an instance.
func (w *watcher) carry(ctx context.Context, to *control.Instance, m move) error {
	s := w.c.opt.Service.State()
	n := s.Holder(w.policy)
	if w.policy.Strategy == control.StrategyENI {
		in := control.MoveInput{
			Interface: w.policy.NetworkInterface, Instance: to.ID, DeviceIndex: -1,
			Force: m.kind == control.KindFailover, Kind: m.kind,
		}
		_, _, err := w.c.transfer(ctx, in, m)
		return err
	}
	at := s.Receiver(w.policy, to)
	if at == nil {
		return fmt.Errorf("instance '%s' has no network interface that could receive it", to.ID)
	}
	m.to, m.from = to.ID, w.lastOwner
	if n != nil && n.Attachment != nil {
		m.from = n.Attachment.Instance
	}
	all := actions(s, w.policy, n, at)
	if len(all) > 1 && m.kind == control.KindFailover {
		if err := w.intend(ctx, m.from); err != nil {
			return err
		}
	}
	for _, a := range all {
		if err := w.c.perform(ctx, a, m); err != nil {
			return err
		}
	}
	return nil
}

// considerHome probes the owner before the newest failover and moves what it had
// back there once that has answered as often in a row as misses mean failure, and
// for the hold-down.
func (w *watcher) considerHome(ctx context.Context, s *control.State, n *control.NetworkInterface) {
	if !w.policy.FailBack {
		return
	}
	i := home(s, w.policy, n)
	if i == nil {
		w.homeUp = 0
		return
	}
	if why, _ := eligible(s, w.policy, n, i); why != Fit {
		w.homeUp = 0
		return
	}
	nics := s.InterfacesOf(i.ID)
	if len(nics) == 0 {
		return
	}
	from, _, ok := witness(s, w.policy, candidates(s, w.policy, n), nics[0])
	if !ok {
		return
	}
	o := w.probe(ctx, s, from, nics[0])
	if o.Result != Answered {
		w.homeUp = 0
		return
	}
	if w.homeUp++; w.homeUp == 1 {
		w.homeSince = w.c.opt.Now()
	}
	if w.homeUp < w.policy.Probe.Misses || w.c.opt.Now()-w.homeSince < int64(w.policy.HoldDown) {
		return
	}
	w.homeUp = 0
	err := w.carry(ctx, i, move{kind: control.KindFailBack, policy: w.policy.ID, calls: &callLog{}})
	if ctx.Err() != nil {
		return
	}
	if err != nil {
		w.c.opt.Log.Warn("failing back", "policy", w.policy.ID, "strategy", w.policy.Strategy, "to", i.ID, "error", err)
		return
	}
	w.set(FailingOver, nil, "moved back to "+i.ID)
}
