package failover

import (
	"context"
	"sync"

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
	lastOwner string
	seq       uint16

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
		<-w.prev.done // two watchers of one ENI would read each other's probes
		w.lastOwner, w.prev = w.prev.lastOwner, nil
	}
	w.set(Watching, nil, "")
	defer w.c.opt.Prober.Forget(w.policy.ID)
	if w.lastOwner == "" {
		w.lastOwner = w.c.lastOwner(ctx, w.policy.NetworkInterface)
	}
	ticks, stop := w.c.opt.Ticks(w.policy.Probe.Interval)
	defer stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticks:
			w.step(ctx)
		}
	}
}

// step is one interval: a probe of the owner, and what follows from it.
func (w *watcher) step(ctx context.Context) {
	s := w.c.opt.Service.State()
	n := s.NetworkInterface(w.policy.NetworkInterface)
	if n == nil {
		return // the policy goes with its ENI
	}
	if n.Attachment == nil || n.Attachment.State == control.Detaching {
		w.orphan(ctx, s, n)
		return
	}
	if owner := n.Attachment.Instance; owner != w.lastOwner {
		w.lastOwner, w.health, w.homeUp = owner, detector{}, 0
	}
	from, why := witness(s, w.policy, candidates(s, w.policy, n), n)
	if from == nil {
		w.blind(s, n, why)
		return
	}
	o := w.probe(ctx, from, n)
	if ctx.Err() != nil {
		return
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
		w.set(Watching, &o, o.Detail)
		w.considerHome(ctx, s, n)
	}
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

// orphan handles an ENI without an owner. Somebody who detached it on purpose
// is left alone; an owner that stopped or was terminated is a failure.
func (w *watcher) orphan(ctx context.Context, s *control.State, n *control.NetworkInterface) {
	if n.Attachment != nil || !deserted(s, w.lastOwner) {
		w.health = detector{}
		w.set(Unattached, nil, "the interface is attached to no instance")
		return
	}
	o := Outcome{Result: Missed, At: w.c.opt.Now(), Detail: "the owner is gone"}
	if w.health.observe(o, w.policy.Probe.Misses) {
		w.failOver(ctx, n, o)
		return
	}
	w.set(Suspecting, &o, o.Detail)
}

// probe sends one probe from one ENI to another.
func (w *watcher) probe(ctx context.Context, from, to *control.NetworkInterface) Outcome {
	w.seq++
	pctx, cancel := context.WithTimeout(ctx, w.policy.Probe.Timeout)
	defer cancel()
	o := w.c.opt.Prober.Probe(pctx, Target{
		Policy: w.policy.ID, Probe: w.policy.Probe, From: from, To: to, ToAddr: to.PrimaryAddress(), Sequence: w.seq,
	})
	o.From = from.ID
	return o
}

// failOver moves n to the first standby that can take it, and waits for the
// record: until it is complete no second failover of the ENI starts.
func (w *watcher) failOver(ctx context.Context, n *control.NetworkInterface, o Outcome) {
	s := w.c.opt.Service.State()
	to, why := choose(s, candidates(s, w.policy, n))
	if to == nil {
		w.set(NoStandby, &o, why)
		return
	}
	w.set(FailingOver, &o, "moving to "+to.ID)
	m := move{
		kind: control.KindFailover, policy: w.policy.ID, cause: o.cause(w.health.misses),
		times: instants{fault: brokenAt(s, w.lastOwner), firstMiss: w.health.firstMiss, detected: o.At},
	}
	in := control.MoveInput{
		Interface: n.ID, Instance: to.ID, DeviceIndex: -1, Force: true, Kind: control.KindFailover,
	}
	_, _, done, err := w.c.transfer(ctx, in, m)
	if ctx.Err() != nil {
		return
	}
	if err != nil {
		w.c.opt.Log.Warn("failing over", "policy", w.policy.ID, "interface", n.ID, "to", to.ID, "error", err)
		w.set(NoStandby, &o, err.Error())
		return
	}
	w.health = detector{}
	await(ctx, done)
}

// considerHome fails back once the first owner has answered as often in a row
// as misses mean failure.
func (w *watcher) considerHome(ctx context.Context, s *control.State, n *control.NetworkInterface) {
	if !w.policy.FailBack {
		return
	}
	i := home(s, w.policy, n)
	if i == nil {
		w.homeUp = 0
		return
	}
	if why, _ := eligible(s, n, i); why != Fit {
		w.homeUp = 0
		return
	}
	nics := s.InterfacesOf(i.ID)
	if len(nics) == 0 {
		return
	}
	from, _ := witness(s, w.policy, candidates(s, w.policy, n), nics[0])
	if from == nil {
		return
	}
	if o := w.probe(ctx, from, nics[0]); o.Result != Answered {
		w.homeUp = 0
		return
	}
	if w.homeUp++; w.homeUp < w.policy.Probe.Misses {
		return
	}
	w.homeUp = 0
	in := control.MoveInput{Interface: n.ID, Instance: i.ID, DeviceIndex: -1, Kind: control.KindFailBack}
	_, _, done, err := w.c.transfer(ctx, in, move{kind: control.KindFailBack, policy: w.policy.ID})
	if ctx.Err() != nil {
		return
	}
	if err != nil {
		w.c.opt.Log.Warn("failing back", "policy", w.policy.ID, "interface", n.ID, "to", i.ID, "error", err)
		return
	}
	w.set(FailingOver, nil, "moving back to "+i.ID)
	await(ctx, done)
}

func await(ctx context.Context, done <-chan struct{}) {
	select {
	case <-ctx.Done():
	case <-done:
	}
}
