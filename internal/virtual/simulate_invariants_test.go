package virtual

import (
	"context"
	"net/netip"
	"reflect"
	"slices"
	"time"

	"enilab/internal/control"
	"enilab/internal/control/failover"
	"enilab/internal/dataplane/frame"
	"enilab/internal/dataplane/spec"
	"enilab/internal/dataplane/tap"
	"enilab/internal/dataplane/verdict"
	"enilab/internal/plan"
	"enilab/internal/scenario"
)

// mostHeld is for how long an impairment of a simulation holds a frame at most.
const mostHeld = 400 * time.Millisecond

// judge is what a simulation knows beside the laboratory: what is in force, every
// frame that is delivered, and every probe.
type judge struct {
	crowded    bool // frames wait for their receivers in inboxes
	forwarders bool // guests may send for others
	impaired   bool
	heldUntil  int64 // frames may still be held that were sent before now
	refuse     int   // so many Turns the data plane refuses

	tap    *tap.Tap
	force  *control.State // nil: none yet
	since  int64          // when that came into force
	owners map[netip.Addr]*control.NetworkInterface
	names  map[uint32]string
	misses map[string]*misses // by policy
}

// misses are those in a row that a policy has seen of one owner.
type misses struct {
	owner string
	n     int
	last  int // those before what is probed was moved or taken away, which the policy may not have seen
}

// begin forgets what a laboratory had that is no more.
func (j *judge) begin() {
	j.tap, j.force, j.names, j.misses = nil, nil, map[uint32]string{}, map[string]*misses{}
}

func (w *world) watch() {
	w.judge.tap = tap.New(tap.Config{Points: verdict.GuestRX, Workers: 1, Slots: 1 << 9, Snaplen: 64})
	w.lab.Sim.Engine().AddTap(w.judge.tap, nil)
}

// plane is the data plane between control and the judge, which refuses now and then.
type plane struct {
	control.Plane
	w *world
}

func (w *world) follow(p control.Plane) control.Plane { return plane{p, w} }

// Follow implements control.Plane. What has been delivered before it is judged by
// what was in force then, and what is delivered meanwhile by nobody.
func (p plane) Follow(ctx context.Context, t control.Turn) (spec.Ack, error) {
	w := p.w
	w.frames(true)
	if w.judge.refuse > 0 && w.lab != nil && !w.store.dead {
		w.judge.refuse--
		w.Unfollowed++
		return spec.Ack{}, errPlane
	}
	ack, err := p.Plane.Follow(ctx, t)
	w.frames(false)
	if err != nil {
		return ack, err
	}
	w.judge.force = t.After
	if w.lab != nil {
		w.judge.since = w.lab.Now()
	}
	w.judge.owners = map[netip.Addr]*control.NetworkInterface{}
	for _, n := range t.After.NetworkInterfaces() {
		for _, a := range n.Addresses {
			w.judge.owners[a.Addr] = n
		}
	}
	if w.lab != nil {
		w.checkFlushed(t)
	}
	return ack, nil
}

// off reports whether nothing leaves or reaches the guest of an interface, and why.
func (j *judge) off(n *control.NetworkInterface) string {
	switch i := j.force.Instance(instanceOf(n)); {
	case n.Attachment == nil || n.Attachment.State == control.Detaching:
		return "attached to nothing"
	case i.State != control.InstancePending && i.State != control.InstanceRunning:
		return string(i.State)
	}
	return ""
}

func instanceOf(n *control.NetworkInterface) string {
	if n.Attachment == nil {
		return ""
	}
	return n.Attachment.Instance
}

// frames takes what has been delivered since it was asked last, and holds each
// frame to what is in force: it is in the hands of whoever owns its destination,
// and its sender could send it.
func (w *world) frames(judged bool) {
	j := &w.judge
	if j.tap == nil {
		return
	}
	if j.impaired {
		j.heldUntil = w.lab.Now() + int64(mostHeld)
	}
	_, lost := j.tap.Read(func(p tap.Packet) {
		if !judged || j.force == nil || w.failed != nil || p.Verdict != verdict.Accept {
			return
		}
		w.Frames++
		var v frame.View
		if v.Parse(p.Data) != frame.KindIPv4 {
			return
		}
		id := j.names[p.VNIC]
		if id == "" {
			id, _ = w.lab.Sim.Engine().VNICName(p.VNIC)
			j.names[p.VNIC] = id
		}
		src, dst := v.SrcIP.Addr(), v.DstIP.Addr()
		held := w.lab.Now() < j.heldUntil
		at := j.force.NetworkInterface(id)
		if at == nil {
			if why := j.cutOff(src, w.loaded); why != "" && !held {
				w.fail("a frame from %s has reached %s on the internet, although %s", src, dst, why)
			}
			return
		}
		if why := j.off(at); why != "" {
			w.fail("a frame from %s to %s has reached %s, which is %s", src, dst, id, why)
		}
		if owner := j.owners[dst]; owner != nil && owner.ID != id && at.SourceDestCheck {
			w.fail("a frame from %s to %s has reached %s, and %s has that address", src, dst, id, owner.ID)
		}
		if src == customer && at.SourceDestCheck && !held && !slices.ContainsFunc(j.force.AddressesOf(id), func(a *control.Address) bool { return a.PrivateIP == dst }) {
			w.fail("a frame from the internet has reached %s at %s, which has no public address", dst, id)
		}
		from := j.owners[src]
		// What had left before its sender broke may arrive in the same instant.
		if from == nil || j.forwarders || held || p.At <= j.since {
			return
		}
		why := j.off(from)
		if i := j.force.Instance(instanceOf(from)); why == "" && i.Fault != "" {
			why = "broken by " + string(i.Fault)
		}
		if why != "" {
			w.fail("a frame from %s to %s has arrived although its sender is %s", src, dst, why)
		}
	})
	if lost > 0 {
		w.fail("%d frames were not seen: the ring is too small", lost)
	}
}

var customer = netip.MustParseAddr("198.51.100.10")

// cutOff says why nothing from a public address reaches the internet, "" if it may.
func (j *judge) cutOff(from netip.Addr, loaded *scenario.Loaded) string {
	if loaded == nil {
		return ""
	}
	for _, a := range j.force.Addresses() {
		if a.PublicIP != from {
			continue
		}
		if a.AssociationID == "" {
			return "the address is nobody's"
		}
		if !routed(j.force, loaded.RouteTables["out"]) {
			return "no route leads there"
		}
	}
	return ""
}

// checkFlushed: an interface that has left its instance, or whose instance has no
// power, has no connections any more.
func (w *world) checkFlushed(t control.Turn) {
	for _, c := range t.Changes {
		var gone []*control.NetworkInterface
		switch row := c.After.(type) {
		case *control.NetworkInterface:
			gone = append(gone, row)
		case *control.Instance:
			gone = t.After.InterfacesOf(row.ID)
		}
		for _, n := range gone {
			if w.judge.off(n) == "" {
				continue
			}
			if _, total, err := w.lab.Sim.Engine().Flows(n.ID, 1); err == nil && total > 0 {
				w.fail("%s keeps %d connections, and is %s", n.ID, total, w.judge.off(n))
			}
		}
	}
}

// checkNetwork: the data plane has exactly the interfaces of the State, whatever
// came in between.
func (w *world) checkNetwork() {
	s := w.lab.State()
	for _, n := range plan.Compile(control.FromNothing(s)).VNICs {
		p := w.lab.Sim.Engine().Port(n.Host, n.DeviceIndex)
		switch {
		case n.Host == "":
		case p == nil:
			w.fail("%s is attached to %s, and the network has nothing there", n.ID, n.Host)
		case !reflect.DeepEqual(p.VNIC(), n):
			w.fail("the network has %+v where the State has %+v", p.VNIC(), n)
		}
	}
}

// prober counts what policies' probes have seen, beside the policies.
type prober struct {
	failover.Prober
	w *world
}

func (w *world) probe(p failover.Prober) failover.Prober { return prober{p, w} }

// Probe implements failover.Prober.
func (p prober) Probe(ctx context.Context, t failover.Target) failover.Outcome {
	o := p.Prober.Probe(ctx, t)
	w := p.w
	w.Probes++
	owner := instanceOf(t.To)
	policy := w.lab.State().Policy(t.Policy)
	if policy == nil || ctx.Err() != nil {
		return o
	}
	if n := w.lab.State().Holder(policy); n == nil || n.ID != t.To.ID {
		return o // of an instance to which it may go back
	}
	m := w.judge.misses[t.Policy]
	if m == nil || m.owner != owner {
		m = &misses{owner: owner}
		w.judge.misses[t.Policy] = m
	}
	switch o.Result {
	case failover.Answered:
		m.n, m.last = 0, 0
	case failover.Missed:
		m.n++
	}
	return o
}

// checkProbes: a policy acts when as many probes in a row were missed as it says.
func (w *world) checkProbes() {
	s := w.lab.State()
	for id, m := range w.judge.misses {
		p := s.Policy(id)
		if p == nil || m.n == 0 {
			continue
		}
		if n := s.Holder(p); n == nil || n.Attachment == nil || n.Attachment.State == control.Detaching || instanceOf(n) != m.owner {
			m.last, m.n = m.last+m.n, 0 // moved, taken away on purpose, or the owner is gone
		}
		if m.n < p.Probe.Misses {
			continue
		}
		if st, _ := w.lab.Failover.PolicyStatus(id); st.State == failover.Suspecting || st.State == failover.Watching {
			w.fail("%s is %s after %d probes in a row were missed, and %d are enough", id, st.State, m.n, p.Probe.Misses)
		}
	}
}

// checkRecords holds each new record to what led to it: probes, a fence that was up,
// and a receiver that could take over.
func (w *world) checkRecords(s *control.State) {
	for _, f := range s.Failovers() {
		if w.recorded[f.ID] {
			continue
		}
		w.recorded[f.ID] = true
		p := s.Policy(f.Policy)
		if f.Kind == control.KindMove || p == nil || f.State != control.FailoverRunning {
			continue
		}
		w.Failovers++
		if to := s.Instance(f.To); f.Control.AttachedAt == w.lab.Now() && (to.State != control.InstanceRunning || to.Fault != "") {
			w.fail("%s moved %s to %s, which is %s %s", p.ID, f.NetworkInterface, f.To, to.State, to.Fault)
		}
		if g := f.Fencing; g != nil && g.Error == "" && g.End == w.lab.Now() && g.Fence == control.FenceStop {
			if i := s.Instance(g.Instance); i.State != control.InstanceStopped && i.State != control.InstanceTerminated {
				w.fail("%s took over from %s, which it had fenced, and which is %s", p.ID, i.ID, i.State)
			}
		}
		m := w.judge.misses[f.Policy]
		if f.Kind != control.KindFailover || f.Cause == nil || f.Cause.From == "" || m == nil || m.owner != f.From {
			continue
		}
		if n := m.n + m.last; n < p.Probe.Misses {
			w.fail("%s moved %s after %d probes in a row were missed, and %d are asked for", p.ID, f.NetworkInterface, n, p.Probe.Misses)
		}
	}
}
