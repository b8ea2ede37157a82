package failover

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"enilab/internal/control"
)

// fenceTime bounds the wait for a fence: stopping an instance takes AWS minutes at
// worst.
const fenceTime = 10 * time.Minute

// Events by which a take-over of several calls is known after a death of the server:
// the State has the effect of those that were made, and not whose they are.
const (
	eventTakingOver = "failover-policy.taking-over"
	eventTakenOver  = "failover-policy.take-over-ended"
)

// fencing is a former owner that is being kept off.
type fencing struct {
	control.Fencing
	eni     string  // that has what moves; "": none has
	asked   int64   // when its call was made, Unix nanoseconds; 0: it was not, or has failed
	outcome Outcome // for which it is done
}

// fenceDeed is what a fence needs next.
type fenceDeed int

const (
	isFenced   fenceDeed = iota // go on: the former owner is kept off
	askFence                    // make its call
	awaitFence                  // the call was made, and has no effect yet
	lateFence                   // and takes too long
)

// nextOfFence says what a fence of p needs, which was asked for at an instant (0: not
// yet). n has what moves.
func nextOfFence(s *control.State, p *control.FailoverPolicy, owner string, n *control.NetworkInterface, asked, now int64) fenceDeed {
	switch {
	case !unfenced(s, p, owner, n):
		return isFenced
	case asked == 0:
		return askFence
	case now-asked > int64(fenceTime):
		return lateFence
	}
	return awaitFence
}

// underWay reports whether a take-over of p from an owner has begun and is not done:
// what one that was cut short looks like. n has what moves.
func underWay(s *control.State, p *control.FailoverPolicy, owner string, n *control.NetworkInterface) bool {
	at := ""
	if n != nil && n.Attachment != nil {
		at = n.Attachment.Instance
	}
	if n != nil && at == owner && len(s.Elsewhere(p, n.ID)) > 0 {
		return true // the first route is replaced last
	}
	switch p.Fence {
	case control.FenceDetach:
		return at == "" || at == owner && n.Attachment.State == control.Detaching
	case control.FenceStop:
		i := s.Instance(owner)
		return at == owner && i != nil && (i.State == control.InstanceStopping || i.State == control.InstanceStopped)
	}
	return false
}

// fence keeps the former owner from answering, if the policy asks for that, and
// reports whether to go on: not before the State says that it is done.
func (w *watcher) fence(ctx context.Context, n *control.NetworkInterface, o Outcome, m *move) (goOn bool) {
	if w.policy.Fence == control.FenceNone || w.policy.Fence == "" {
		return true
	}
	if w.fencing == nil {
		w.fencing = &fencing{Fencing: control.Fencing{Fence: w.policy.Fence, Instance: w.lastOwner, Start: w.c.opt.Now()}, outcome: o}
		if n != nil {
			w.fencing.eni = n.ID
		}
	}
	f := w.fencing
	w.set(Fencing, &o, fmt.Sprintf("fencing %s by %s", f.Instance, f.Fence))
	done, err := w.keepOff(ctx, m)
	switch {
	case ctx.Err() != nil || err == nil && !done:
		return false
	case err != nil && !w.policy.FenceOptional:
		w.c.opt.Log.Warn("fencing", "policy", w.policy.ID, "instance", f.Instance, "error", err)
		w.set(Fencing, &o, fmt.Sprintf("nothing moves until %s is fenced, which failed and is tried again: %v", f.Instance, err))
		return false
	}
	told := f.Fencing
	if told.End == 0 {
		told.End = w.c.opt.Now()
	}
	if err != nil {
		told.Error = err.Error()
		m.notes = append(m.notes, "moved without a fence, which failed: "+told.Error)
	} else {
		f.End = told.End
	}
	m.fencing, m.times.fenced = &told, [2]int64{told.Start, told.End}
	if m.from == "" {
		m.from = f.Instance
	}
	return true
}

// keepOff brings the fence as far as it goes now.
func (w *watcher) keepOff(ctx context.Context, m *move) (done bool, err error) {
	f := w.fencing
	for {
		s := w.c.opt.Service.State()
		n := s.NetworkInterface(f.eni)
		switch nextOfFence(s, w.policy, f.Instance, n, f.asked, w.c.opt.Now()) {
		case isFenced:
			w.unfollow()
			return true, nil
		case awaitFence:
			return false, nil
		case lateFence:
			f.asked = 0
			w.unfollow()
			return false, fmt.Errorf("not done within %v", fenceTime)
		}
		if err := w.intend(ctx, f.Instance); err != nil {
			return false, err
		}
		w.follow()
		if err := w.askToFence(ctx, n, m); err != nil {
			w.unfollow()
			return false, err
		}
		f.asked = w.c.opt.Now()
	}
}

// askToFence makes the fence's call.
func (w *watcher) askToFence(ctx context.Context, n *control.NetworkInterface, m *move) error {
	svc := w.c.opt.Service
	if w.policy.Fence == control.FenceStop {
		return w.c.call(ctx, m.calls, "StopInstances", func(ctx context.Context) error {
			_, err := svc.StopInstance(ctx, w.fencing.Instance, true)
			return err
		})
	}
	if n.Attachment.State == control.Detaching {
		return nil
	}
	return w.c.call(ctx, m.calls, "DetachNetworkInterface", func(ctx context.Context) error {
		_, err := svc.Detach(ctx, control.DetachInput{Attachment: n.Attachment.ID, Force: true})
		return err
	})
}

// follow has every commit wake the watcher, until unfollow.
func (w *watcher) follow() {
	if w.notices == nil {
		w.notices, w.unwatch = w.c.opt.Service.Watch(1)
	}
}

func (w *watcher) unfollow() {
	if w.notices != nil {
		w.unwatch()
		w.notices, w.unwatch = nil, nil
	}
}

// intend notes, before the first of several calls, of what they are parts: should the
// server end between them, the next one does the rest.
func (w *watcher) intend(ctx context.Context, owner string) error {
	if w.intended {
		return nil
	}
	err := w.c.opt.Service.Note(ctx, eventTakingOver, w.policy.ID, "instance", owner, "misses", strconv.Itoa(w.health.misses))
	w.intended = err == nil
	return err
}

// endTakeOver forgets a take-over: it has come about, or nobody needs it.
func (w *watcher) endTakeOver(ctx context.Context) {
	w.unfollow()
	w.calls, w.fencing = nil, nil
	if !w.intended {
		return
	}
	w.intended = false
	if err := w.c.opt.Service.Note(context.WithoutCancel(ctx), eventTakenOver, w.policy.ID); err != nil {
		w.c.opt.Log.Error("noting the end of a take-over", "policy", w.policy.ID, "error", err)
	}
}

// resume goes on with a take-over that was cut short between its calls: the former
// owner has been kept off, or some of the routes lead to the next.
func (w *watcher) resume(ctx context.Context) {
	if (w.policy.Fence == control.FenceNone || w.policy.Fence == "") && len(w.policy.Routes) < 2 {
		return // its take-over is one call
	}
	var begun *control.Event
	for after := uint64(0); ; {
		evs, _, err := w.c.opt.Service.Events(ctx, after, eventPage)
		if err != nil {
			w.c.opt.Log.Error("reading the event log for a take-over", "policy", w.policy.ID, "error", err)
			return
		}
		if len(evs) == 0 {
			break
		}
		for k := range evs {
			switch e := &evs[k]; {
			case e.Type == control.EventReset, e.Type == eventTakenOver && e.Resource == w.policy.ID:
				begun = nil
			case e.Type == eventTakingOver && e.Resource == w.policy.ID:
				begun = e
			}
			after = evs[k].Seq
		}
	}
	if begun == nil {
		return
	}
	s := w.c.opt.Service.State()
	n, owner := s.Holder(w.policy), begun.Detail["instance"]
	w.intended = true
	if !underWay(s, w.policy, owner, n) {
		w.endTakeOver(ctx)
		return
	}
	at := begun.At.UnixNano()
	w.lastOwner, w.calls, w.detected = owner, &callLog{}, at
	w.health.misses, _ = strconv.Atoi(begun.Detail["misses"]) // this one's own word
	w.fencing = &fencing{
		Fencing: control.Fencing{Fence: w.policy.Fence, Instance: owner, Start: at}, asked: w.c.opt.Now(),
		outcome: Outcome{Result: Missed, At: at, Detail: "a take-over that a restart cut short goes on"},
	}
	if n != nil {
		w.fencing.eni = n.ID
	}
	w.follow()
}
