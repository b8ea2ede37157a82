package dataplane

import (
	"enilab/internal/dataplane/conntrack"
	"enilab/internal/dataplane/frame"
	"enilab/internal/dataplane/tap"
	"enilab/internal/dataplane/verdict"
)

// What happens to a frame is told in one place, so that counters, captures,
// records and traces cannot disagree.

// pass notes that b goes on behind point at v.
func (w *worker) pass(v *vnic, b *frame.Buf, rule verdict.RuleID, point verdict.Point) {
	if !w.watched(v) && b.Trace == 0 {
		return
	}
	w.capture(v, b, allowed(rule), point)
	w.hop(v, b, allowed(rule), point)
}

// watched reports whether anybody may capture at v.
func (w *worker) watched(v *vnic) bool { return w.everybody != nil || v.taps.Load() != nil }

// accept notes that b is placed in the queue of v's guest.
func (w *worker) accept(v *vnic, b *frame.Buf, rule verdict.RuleID) {
	w.pass(v, b, rule, verdict.GuestRX)
	if w.observed && w.samples[sampleAccepted].pick(&b.View) {
		w.record(b, b.Src, b.Dst, ruling{step: verdict.StepDelivery, rule: rule})
	}
	if b.Trace != 0 {
		w.expect(v, b, w.e.tracer(b).pursuit)
		w.finishTrace(b, ruling{step: verdict.StepDelivery})
	}
}

// consume notes the end of b at v, which decided it as r has it, and leaves the
// buffer. v is nil if the VNIC is gone; dst is the receiver as far as it is known.
func (w *worker) consume(v *vnic, b *frame.Buf, r ruling, dst uint32) {
	w.total.drop(r.why)
	if v != nil {
		v.pending.drop(r.why)
		if w.watched(v) {
			w.capture(v, b, r, r.step.Point())
		}
	}
	if w.observed {
		w.count(b.Src, dst, r.why.Verdict(), b.Len())
		if !ofService(v, &b.View) && w.samples[sampleOther].pick(&b.View) {
			w.record(b, b.Src, dst, r)
		}
	}
	if b.Trace != 0 {
		w.hop(v, b, r, r.step.Point())
		w.finishTrace(b, r)
	}
}

// refuse is consume, and the buffer goes home.
func (w *worker) refuse(v *vnic, b *frame.Buf, r ruling, dst uint32) {
	w.consume(v, b, r, dst)
	w.release(b)
}

// tapSet is who watches a VNIC, immutable.
type tapSet struct {
	taps   []*tap.Tap
	points verdict.Point // that any of them wants
}

// capture offers b to whoever watches v. The set of a VNIC that somebody
// watches in particular includes those who watch everybody.
func (w *worker) capture(v *vnic, b *frame.Buf, r ruling, point verdict.Point) {
	set := v.taps.Load()
	if set == nil {
		set = w.everybody
	}
	if set == nil || set.points&point == 0 {
		return
	}
	m := tap.Meta{At: w.now, VNIC: v.index, Point: point, Verdict: r.why.Verdict(), Step: r.step, Reason: r.why, Rule: r.rule, Why: w.told}
	for _, t := range set.taps {
		if t.Wants(point) {
			t.Frame(w.id, m, &b.View, b.Bytes())
			w.touch(t)
		}
	}
}

// whyOf is what decided where a frame goes.
func whyOf(h *hop) tap.Why {
	return tap.Why{Route: h.route, Onward: h.onward, Via: h.via, Leaves: h.egress, Enters: h.enters}
}

// touch remembers that t wants a Flush: there are few taps, so a list will do.
func (w *worker) touch(t *tap.Tap) {
	for _, o := range w.touched {
		if o == t {
			return
		}
	}
	w.touched = append(w.touched, t)
}

// traceRoute and traceEntry remember for a traced frame what decided on its way.
func (w *worker) traceRoute(b *frame.Buf, h *hop) {
	if b.Trace != 0 {
		w.e.tracer(b).way = *h
	}
}

// traceBefore remembers for a traced frame its ends before a gateway changes them.
func (w *worker) traceBefore(b *frame.Buf) {
	if b.Trace != 0 {
		w.e.tracer(b).was = endsOf(&b.View)
	}
}

func (w *worker) traceEntry(b *frame.Buf, entry verdict.RuleID) {
	if b.Trace != 0 {
		w.e.tracer(b).entry = entry
	}
}

// traceFlow remembers for a traced frame that it belongs to a known flow.
func (w *worker) traceFlow(b *frame.Buf, e *conntrack.Entry) {
	if b.Trace != 0 {
		t := w.e.tracer(b)
		t.flow, t.established = e.Rule(), true
	}
}
