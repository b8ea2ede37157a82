package dataplane

import (
	"enilab/internal/dataplane/frame"
	"enilab/internal/dataplane/verdict"
)

// Who may take frames through a VNIC, and in what order they do: see worker.

// takePlace returns a worker that has nothing to do, locked, the given one if it
// can; nil if there is none.
func (e *Engine) takePlace(first int) *worker {
	for i := range e.workers {
		w := e.workers[(first+i)%len(e.workers)]
		if w.busy.Load() != 0 || !w.run.TryLock() {
			continue
		}
		if w.busy.Load() == 0 {
			return w
		}
		w.run.Unlock()
	}
	return nil
}

// lock waits for the token of v. Those who do not wait let it pass first.
func (v *vnic) lock() {
	v.line.Add(1)
	v.token.Lock()
	v.line.Add(-1)
}

// hold waits for the token of v; w holds no other.
func (w *worker) hold(v *vnic) {
	v.lock()
	w.enter(v)
}

// tryHold takes the token of v if it is free and nobody is in line.
func (w *worker) tryHold(v *vnic) bool {
	if v.line.Load() != 0 || !v.token.TryLock() {
		return false
	}
	w.enter(v)
	return true
}

// enter sees to it that time does not go back at v, whoever holds it, and that
// workers' captures of v can be told apart by time.
func (w *worker) enter(v *vnic) {
	if v.by == w {
		w.now = max(w.now, v.at)
	} else {
		w.now = max(w.now, v.at+1)
	}
}

// leave tells what happened at v, and lets others have it.
func (w *worker) leave(v *vnic) {
	w.show()
	if !v.pending.empty() {
		v.pending.publish(&v.counts)
	}
	v.at, v.by = w.now, w
	v.token.Unlock()
}

// post sends b to the inbox of v's home, at the end of the burst. Until it has
// arrived from there, frames to v that come later queue up behind it.
func (w *worker) post(v *vnic, b *frame.Buf) {
	v.line.Add(1)
	w.relayed = w.relayed || b.Hops > 1
	w.out[v.home.id].push(b)
}

// landing is frames that came from an inbox to a VNIC.
type landing struct {
	v *vnic
	n int
}

// arrive takes frames that have left their sender to whom b.Dst names, those of
// one receiver together, and further if that is a NAT gateway. They come from an
// inbox if they waited; else those whose receiver somebody else holds, or for whom
// others are in line, go to one. w holds no VNIC.
func (w *worker) arrive(frames []*frame.Buf, waited bool) {
	ahead := w.staged.ahead
	w.staged.ahead = 0
	for len(frames) > 0 {
		n := w.gather(frames)
		group := frames[:n]
		frames = frames[n:]
		dst := group[0].Dst
		v := w.e.directory.vnic(dst)
		switch {
		case v == nil:
			w.dropRemoved(nil, group, dst)
			continue
		case waited:
			w.hold(v)
			w.landed = append(w.landed, landing{v, n})
		case !w.tryHold(v):
			for _, b := range group {
				w.post(v, b)
			}
			continue
		}
		from := group[0].Src
		var onward []*frame.Buf // what a NAT gateway sends on
		if c := v.config.Load(); c == nil {
			w.dropRemoved(v, group, dst)
		} else {
			onward = w.ingress(v, c, group, ahead)
		}
		w.leave(v)
		if w.staged.strange {
			w.teach(w.e.directory.vnic(from))
		}
		w.arrive(onward, false)
	}
}

// teach has the table of the turn's sender remember where the receiver's has its flows,
// if nobody else holds it. Nothing happens at the sender meanwhile, so its time stays.
func (w *worker) teach(from *vnic) {
	s := &w.staged
	s.strange = false
	if from == nil || from.line.Load() != 0 || !from.token.TryLock() {
		return
	}
	if from.flows != nil {
		from.flows.Learn(s.flows[:s.n])
	}
	from.token.Unlock()
}

func (w *worker) dropRemoved(v *vnic, frames []*frame.Buf, dst uint32) {
	for _, b := range frames {
		w.refuse(v, b, ended(verdict.StepReceiver, verdict.Removed), dst)
	}
}

// gather brings the frames of the first one's receiver to the front, in order, and
// returns how many there are. The others stay in order too.
func (w *worker) gather(frames []*frame.Buf) int {
	dst, n := frames[0].Dst, 1
	for n < len(frames) && frames[n].Dst == dst {
		n++
	}
	others := w.others[:0]
	for _, b := range frames[n:] {
		if b.Dst != dst {
			others = append(others, b)
			continue
		}
		frames[n] = b
		n++
	}
	copy(frames[n:], others)
	clear(others)
	return n
}

// handOver moves q to the inbox of o. What does not fit is dropped here, at
// the sender: the receiving worker has no time left for it.
func (w *worker) handOver(o *worker, q *queue) {
	o.mu.Lock()
	if room := w.e.opt.Inbox - o.inbox.n; room > 0 {
		o.inbox.move(q, room)
		o.wakeLocked()
	}
	o.mu.Unlock()
	for b := q.pop(); b != nil; b = q.pop() {
		if to := w.e.directory.vnic(b.Dst); to != nil {
			to.line.Add(-1)
		}
		from := w.e.directory.vnic(b.Src)
		if from != nil {
			w.hold(from)
		}
		w.refuse(from, b, ended(verdict.StepHandOver, verdict.WorkerQueueFull), b.Dst)
		if from != nil {
			w.leave(from)
		}
	}
}
