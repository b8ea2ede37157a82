package dataplane

import (
	"context"
	"fmt"
	"net/netip"
	"slices"

	"enilab/internal/dataplane/frame"
	"enilab/internal/dataplane/verdict"
)

// Hop is one station of a traced frame.
type Hop struct {
	Station string          // "egress", "fabric", "ingress", "delivery"
	VNIC    string          // eni id
	Verdict verdict.Verdict // None: passed on
	Reason  verdict.Reason
	// Step is where it ended; none at a station that it passed.
	Step     verdict.Step
	Rule     string           // sgr id, "implicit deny", "established" with the admitting rule, or ""
	RuleKind verdict.RuleKind // of Rule, if there is one
	Detail   string           // one plain sentence
	// Established: the connection table knew the flow, so that no rule was asked.
	Established bool

	// Route is the route that decided where the frame goes, its table's id and
	// destination, and ACLEntry the entry of the network ACL that let it out of
	// the subnet or in, its ACL's id, direction and number; "" where none was asked.
	Route, ACLEntry string
	// Onward is the route of the table of a gateway on the way, and Via what the
	// routes lead through: a gateway, a peering connection, an ENI.
	Onward, Via string
	// Gateways are the internet gateways that translate on the way, or the gateway
	// endpoint by which it leaves. Was are the addresses before, Now is what they
	// have become.
	Gateways []string
	Was, Now Ends
}

// endsOf are the ends of an IPv4 frame.
func endsOf(v *frame.View) Ends {
	return Ends{netip.AddrPortFrom(v.SrcIP.Addr(), v.SrcPort), netip.AddrPortFrom(v.DstIP.Addr(), v.DstPort)}
}

// Ends are the addresses of a frame's two ends; ports are 0 where there are none.
type Ends struct{ Source, Destination netip.AddrPort }

// Trace is the fate of one injected frame.
type Trace struct {
	Verdict verdict.Verdict
	// Step is where it ended, and Reason why it was not delivered.
	Step     verdict.Step
	Reason   verdict.Reason
	Rule     string           // what decided, "" if no rule did
	RuleKind verdict.RuleKind // of Rule, if there is one
	Hops     []Hop
	// LeftBy is the internet gateway or gateway endpoint by which it left its VPC
	// last, "" if by none: the VPC has let it go, whatever the internet did with it.
	LeftBy string
	// Arrived is the frame as its receiver gets it; nil if nobody does.
	Arrived []byte
	// Sent is the frame as a guest has sent it on, and Passed how: see Follow.
	Sent   []byte
	Passed Pass
}

// tracer travels with a frame whose path somebody asked to see. It belongs to
// whoever holds the frame.
type tracer struct {
	trace       Trace
	established bool
	flow        verdict.RuleID
	way         hop            // that the route look-up gave
	was         Ends           // before a gateway translated
	entry       verdict.RuleID // of the network ACL asked last
	done        chan struct{}
	pursuit     *Pursuit // nil: nobody follows the frame
}

// tracer finds the tracer of a frame that has one.
func (e *Engine) tracer(b *frame.Buf) *tracer {
	t, _ := e.traces.Load(b.Trace)
	return t.(*tracer)
}

var stations = map[verdict.Point]string{
	verdict.GuestTX:    "egress",
	verdict.EgressPost: "fabric",
	verdict.IngressPre: "ingress",
	verdict.GuestRX:    "delivery",
}

func (w *worker) hop(v *vnic, b *frame.Buf, r ruling, point verdict.Point) {
	if b.Trace == 0 {
		return
	}
	t := w.e.tracer(b)
	why, rule := r.why, r.rule
	h := Hop{Station: stations[point], Step: r.step, Reason: why, Rule: w.e.RuleName(rule), RuleKind: rule.Kind()}
	if v != nil {
		h.VNIC = v.id
	}
	judged := point == verdict.GuestTX || point == verdict.IngressPre
	switch {
	case why != verdict.Delivered:
		h.Verdict = why.Verdict()
		h.Detail = why.Text()
	case judged && t.established:
		h.Established = true
		h.Rule = fmt.Sprintf("established (%s)", w.e.RuleName(t.flow))
		h.Detail = "belongs to a flow that the connection table knows"
	case judged && rule != verdict.RuleNone:
		h.Detail = "allowed by " + h.Rule
	case judged && t.was != (Ends{}) && v != nil && v.nat != nil:
		h.Detail = "translated by the NAT gateway"
		if c := v.config.Load(); c != nil && c.inside != nil {
			h.Detail = "translated by the gateway endpoint"
		}
	case judged:
		h.Detail = "no security group judges here"
	case point == verdict.EgressPost:
		to, mac := w.e.VNICName(b.Dst)
		h.Rule = ""
		h.Detail = fmt.Sprintf("goes to %s, at %s", to, mac)
	default:
		h.Verdict, h.Step = verdict.Accept, verdict.StepDelivery
		h.Rule = ""
		h.Detail = "placed in the guest's receive queue"
	}
	if judged {
		t.established = false
		h.ACLEntry = w.e.RuleName(t.entry)
		t.entry = verdict.RuleNone
	}
	if point == verdict.GuestTX || point == verdict.EgressPost {
		h.Route, h.Onward = w.e.RuleName(t.way.route), w.e.RuleName(t.way.onward)
		h.Via = w.e.RuleName(t.way.via)
	}
	if point == verdict.EgressPost || point == verdict.GuestTX && why != verdict.Delivered {
		for _, g := range []verdict.RuleID{t.way.egress, t.way.enters} {
			if g != verdict.RuleNone {
				h.Gateways = append(h.Gateways, w.e.RuleName(g))
			}
		}
	}
	if t.was != (Ends{}) && t.was != endsOf(&b.View) {
		if t.way.egress != verdict.RuleNone {
			t.trace.LeftBy = w.e.RuleName(t.way.egress)
		}
		h.Was, h.Now = t.was, endsOf(&b.View)
	}
	t.was = Ends{}
	if h.Rule != "" {
		t.trace.Rule, t.trace.RuleKind = h.Rule, h.RuleKind
	}
	t.trace.Hops = append(t.trace.Hops, h)
}

// finishTrace tells who asked what became of the frame.
func (w *worker) finishTrace(b *frame.Buf, r ruling) {
	t := w.e.tracer(b)
	w.e.traces.Delete(b.Trace)
	b.Trace = 0
	t.trace.Verdict, t.trace.Step, t.trace.Reason = r.why.Verdict(), r.step, r.why
	if r.why == verdict.Delivered {
		t.trace.Arrived = slices.Clone(b.Bytes())
	} else if !r.why.ByRule() {
		t.trace.Rule, t.trace.RuleKind = "", 0 // rules passed it; something else decided
	}
	close(t.done)
}

// Inject sends b from VNIC id exactly as if its guest had sent it and reports
// its fate. The frame is counted in Originated. It returns an error only if
// the VNIC is unknown, or ctx or the engine ends before the frame does.
func (e *Engine) Inject(ctx context.Context, id string, b []byte) (Trace, error) {
	return e.inject(ctx, id, b, nil)
}

func (e *Engine) inject(ctx context.Context, id string, b []byte, p *Pursuit) (Trace, error) {
	v := e.vnicByID(id)
	if v == nil {
		return Trace{}, fmt.Errorf("injecting a frame: unknown network interface %q", id)
	}
	if err := ctx.Err(); err != nil {
		return Trace{}, fmt.Errorf("injecting a frame at %s: %w", id, err)
	}
	t := &tracer{done: make(chan struct{}), pursuit: p}
	w := v.home
	w.visit(func() { w.inject(v, b, t) })
	if !e.started.Load() {
		for e.Step() {
		}
	}
	select {
	case <-t.done:
		return t.trace, nil
	case <-e.stop:
		return Trace{}, fmt.Errorf("injecting a frame at %s: the engine has stopped", id)
	case <-ctx.Done():
		return Trace{}, fmt.Errorf("injecting a frame at %s: %w", id, ctx.Err())
	}
}

// trace gives b a number, by which t is found.
func (e *Engine) trace(b *frame.Buf, t *tracer) {
	for b.Trace == 0 { // the count may come round
		b.Trace = e.traced.Add(1)
	}
	e.traces.Store(b.Trace, t)
}

// inject runs a burst of one frame. A pool of its own each time: injections
// are rare, and none may hold up another.
func (w *worker) inject(v *vnic, b []byte, t *tracer) {
	w.begin(w.e.opt.Now())
	defer w.end()
	pool := frame.NewPool(1, 1)
	buf := pool.Get(min(len(b), frame.LargeSize))
	copy(buf.Bytes(), b)
	w.e.trace(buf, t)
	w.hold(v)
	w.originate(v)
	var onward []*frame.Buf
	switch c := v.config.Load(); {
	case c == nil:
		w.refuse(v, buf, ended(verdict.StepSender, verdict.Removed), 0)
	case len(b) > frame.LargeSize:
		w.refuse(v, buf, ended(verdict.StepSender, verdict.Oversize), 0)
	default:
		onward = w.egress(v, c, []*frame.Buf{buf})
	}
	w.leave(v)
	w.arrive(onward, false)
}
