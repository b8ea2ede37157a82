package dataplane

import (
	"enilab/internal/dataplane/conntrack"
	"enilab/internal/dataplane/frame"
	"enilab/internal/dataplane/verdict"
)

// stages is what a stage of a burst tells the next. Egress is done with it when
// its frames enter ingress.
type stages struct {
	// flows are those that differ, or nearly; runs tells whose is which. By number
	// and not by pointer: the collector would have to be told of each.
	flows [burstFrames]conntrack.Probe
	n     int // of flows
	runs  [burstFrames]uint8
	// odd: some of the flows are not of plain frames.
	odd bool
	// ahead is how many frames have left their sender as it sent them, each of
	// flows, and go on in the same order; 0 if this is not so of all.
	ahead int
	// easy: each of those passed by its flow, stays in the subnet and is asked nothing more.
	easy bool
	// strange: the sender's table does not know where the receiver's has all of the flows.
	strange bool
	hops    [burstFrames]hop // those that differ; ways tells whose is which
	ways    [burstFrames]uint8
	// whys and entries are what ingress knows of a frame before its flow is looked
	// up: why it is refused, if so, and the entry of the network ACL.
	whys    [burstFrames]verdict.Reason
	entries [burstFrames]verdict.RuleID
	// nats are what a NAT gateway knows of where frames' connections are.
	nats [burstFrames]uint32
	// unsettled: the frames' Views are ahead of their bytes (frame.Buf.Settle). Each is of
	// UDP or TCP and not traced, and nobody watches or observes.
	unsettled bool
	// repeated has a bit for each of egress's frames that is like an earlier one, whose
	// number is in alike, in all that decides about it (frame.Buf.ParseLike).
	repeated uint64
	alike    [burstFrames]uint8
	// read is what was loaded early, for nothing but that.
	read uint32
}

// noFlows begins a turn.
func (s *stages) noFlows() { s.n, s.odd = 0, false }

// flowOf notes the flow of frame i of a turn. Of those that the turn has had, the
// last two are known again.
//
// The plain frames of a flow are judged once, by Table.Pass, and not at all
// one by one if it knows the flow.
func (s *stages) flowOf(i int, b *frame.Buf, dir conntrack.Direction) {
	view, n := &b.View, s.n
	if plain(view) {
		const ends = frame.TCPSyn | frame.TCPFin | frame.TCPRst
		k := conntrack.PlainKey(view, dir)
		at := n - 1
		if n == 0 || s.flows[at].Key != k {
			if at--; n < 2 || s.flows[at].Key != k {
				at = n
				s.flows[at] = conntrack.NewProbe(k)
				s.n++
			}
		}
		f := &s.flows[at]
		f.Frames++
		f.Bytes += uint64(view.End - view.L3)
		f.Each = f.Each || view.TCPFlags&ends != 0 || b.Trace != 0
		s.runs[i] = uint8(at)
		return
	}
	s.flows[n] = conntrack.NewProbe(conntrack.KeyOf(view, dir))
	s.flows[n].Each, s.odd = true, true
	s.runs[i] = uint8(n)
	s.n++
}

// again notes that frame i of a turn is of the flow of an earlier one.
func (s *stages) again(i int, earlier uint8, v *frame.View) {
	const ends = frame.TCPSyn | frame.TCPFin | frame.TCPRst
	at := s.runs[earlier&(burstFrames-1)]
	f := &s.flows[at&(burstFrames-1)]
	f.Frames++
	f.Bytes += uint64(v.End - v.L3)
	f.Each = f.Each || v.TCPFlags&ends != 0
	s.runs[i] = at
}

// mirrorFlows makes the flows of a turn's sender those of its receiver.
func (s *stages) mirrorFlows() {
	for i := range s.flows[:s.n] {
		s.flows[i].Mirror()
	}
}

// passFlows looks the turn's flows up in the table of v, and counts the frames of
// those that pass by it. The others are judged one by one; it reports whether there
// are none.
func (s *stages) passFlows(w *worker, v *vnic, c *config, dir conntrack.Direction, generation uint32) bool {
	if s.strange = false; v.flows == nil {
		return s.n == 0
	}
	flows := s.flows[:s.n]
	read, strange := v.flows.Warm(flows)
	s.read += read
	s.strange = strange
	return v.flows.Pass(flows, dir, w.now, &c.timeouts, generation) == len(flows)
}

// owned reports whether the near ends of all of a turn's flows are addresses of c.
func (s *stages) owned(c *config) bool {
	last := c.primary
	for i := range s.flows[:s.n] {
		if ip := s.flows[i].Key.Local(); ip != last {
			if !c.owns(ip) {
				return false
			}
			last = ip
		}
	}
	return true
}

// plain reports whether a frame is of UDP or TCP and no fragment.
func plain(v *frame.View) bool {
	return v.HasL4 && !v.Fragment && (v.Proto == frame.ProtoUDP || v.Proto == frame.ProtoTCP)
}
