package dataplane

import (
	"enilab/internal/dataplane/conntrack"
	"enilab/internal/dataplane/frame"
	"enilab/internal/dataplane/verdict"
)

// stages is what a stage of a burst tells the next. Egress is done with it when
// its frames enter ingress.
type stages struct {
	flows [burstFrames]flow // those that differ, or nearly; runs tells whose is which
	n     int               // of flows
	// probes are their look-ups in the VNIC's table, by number of the flow.
	probes [burstFrames]conntrack.Probe
	runs   [burstFrames]*flow
	hops   [burstFrames]hop // those that differ; ways tells whose is which
	ways   [burstFrames]*hop
	// read is what was loaded early, for nothing but that.
	read uint32
}

// flow is what the frames of one flow in a turn have in common. The first is
// judged; those that can only be judged alike are counted together at the end.
type flow struct {
	ends   uint64 // addresses, source first
	rest   uint64 // ports and protocol of plain UDP and TCP, 0 of all else
	probe  *conntrack.Probe
	rule   verdict.RuleID
	steady bool
	frames uint32 // to be counted
	bytes  uint64
}

// flowOf notes the flow of frame i of a turn. Of the plain ones that the turn has
// had, the last two are known again.
func (s *stages) flowOf(i int, view *frame.View, dir conntrack.Direction) {
	ends, rest, n := uint64(view.SrcIP)<<32|uint64(view.DstIP), plain(view), s.n
	if rest != 0 && n > 0 {
		if f := &s.flows[n-1]; f.ends == ends && f.rest == rest {
			s.runs[i] = f
			return
		}
		if f := &s.flows[max(0, n-2)]; f.ends == ends && f.rest == rest {
			s.runs[i] = f
			return
		}
	}
	f := &s.flows[n]
	s.n++
	f.ends, f.rest, f.probe = ends, rest, &s.probes[n]
	*f.probe = conntrack.NewProbe(conntrack.KeyOf(view, dir))
	f.steady, f.frames, f.bytes = false, 0, 0
	s.runs[i] = f
}

// findFlows begins to load what the table of v knows of the turn's flows.
func (s *stages) findFlows(v *vnic) {
	if v.flows != nil {
		s.read += v.flows.Warm(s.probes[:s.n])
	}
}

// plain returns the ports and protocol of a UDP or TCP frame that is no fragment,
// for others 0.
func plain(v *frame.View) uint64 {
	if !v.HasL4 || v.Fragment || v.Proto != frame.ProtoUDP && v.Proto != frame.ProtoTCP {
		return 0
	}
	return uint64(v.Proto)<<32 | uint64(v.SrcPort)<<16 | uint64(v.DstPort)
}

// repeats reports whether a frame passes as those of its flow before it did, and
// counts it.
func (f *flow) repeats(b *frame.Buf) bool {
	const ends = frame.TCPSyn | frame.TCPFin | frame.TCPRst
	view := &b.View
	if !f.steady || view.TCPFlags&ends != 0 || b.Trace != 0 {
		return false
	}
	f.frames++
	f.bytes += uint64(view.End - view.L3)
	return true
}

// countFlows adds to the table of v what its flows of the turn have repeated.
func (w *worker) countFlows(v *vnic, c *config, dir conntrack.Direction) {
	s := &w.staged
	for i := range s.flows[:s.n] {
		if f := &s.flows[i]; f.frames > 0 {
			v.flows.Count(f.probe, dir, f.frames, f.bytes, w.now, &c.timeouts)
		}
	}
	s.n = 0
}
