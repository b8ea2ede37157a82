package rest

import (
	"net/netip"
	"time"

	"enilab/internal/api/stream"
	"enilab/internal/dataplane/conntrack"
	"enilab/internal/dataplane/frame"
	"enilab/internal/dataplane/nat"
)

// FrameFlow is what the tables along a frame's way know of its connection, now.
type FrameFlow struct {
	Sides  []FlowSide `json:"sides" doc:"The sender's interface, then the receiver's; hosts of the internet keep no table"`
	NAT    []FlowNAT  `json:"nat" doc:"The NAT gateways that translate it"`
	Frames uint64     `json:"frames" doc:"Frames of the flow among the newest 20,000 on record"`
	Bytes  uint64     `json:"bytes" doc:"Of them"`
	Ended  uint64     `json:"ended" doc:"Of them, those that were not delivered"`
	First  *time.Time `json:"first,omitempty" doc:"When the first of them was"`
	Last   *time.Time `json:"last,omitempty"`
}

// FlowSide is one end's connection table.
type FlowSide struct {
	NetworkInterfaceID string `json:"networkInterfaceId"`
	Flow               *Flow  `json:"flow,omitempty" doc:"Its entry; absent: the table has none, or the frame's end keeps no table"`
	Entries            int    `json:"entries" doc:"Connections in the table"`
}

// FlowNAT is a NAT gateway's entry.
type FlowNAT struct {
	NATGatewayID string  `json:"natGatewayId"`
	Flow         NATFlow `json:"flow"`
}

// infoEnds are the ends of a table's entry.
func infoEnds(i *conntrack.FlowInfo) flowEnds {
	local, remote := i.LocalPort, i.RemotePort
	if i.Proto == frame.ProtoICMP {
		local, remote = i.ICMPID, i.ICMPID
	}
	return tableEnds(i.Local, i.Remote, local, remote, i.Proto)
}

// tableEnds is endsOf for a table's addresses. Records are of IPv4 alone: what is of
// IPv6 has ends that no record has.
func tableEnds(local, remote netip.Addr, localPort, remotePort uint16, proto uint8) flowEnds {
	a, ok := frame.IPv4From(local)
	b, ok2 := frame.IPv4From(remote)
	if !ok || !ok2 {
		const reserved = 255 // RFC 5237
		return flowEnds{proto: reserved}
	}
	return endsOf(a, b, localPort, remotePort, proto)
}

func natEnds(f *nat.Flow) (inside, outside flowEnds) {
	in, out, remote := f.InsidePort, f.OutsidePort, f.RemotePort
	if f.Proto == frame.ProtoICMP {
		return tableEnds(f.Inside, f.Remote.Addr(), in, in, f.Proto), endsOf(f.Outside, f.Remote, out, out, f.Proto)
	}
	return tableEnds(f.Inside, f.Remote.Addr(), in, remote, f.Proto), endsOf(f.Outside, f.Remote, out, remote, f.Proto)
}

// frameFlow asks the tables of both ends, and NAT gateways, for the connection of f.
func (s *Server) frameFlow(f *stream.Frame) (FrameFlow, error) {
	e, names := s.opt.Engine, flowOf(f)
	out := FrameFlow{Sides: []FlowSide{}, NAT: []FlowNAT{}}
	for _, g := range s.state().NATGateways() {
		flows, _, err := e.NATFlows(g.Interface, 0)
		if err != nil {
			continue // committed, but not in force yet: it translates nothing
		}
		for _, n := range flows {
			inside, outside := natEnds(&n)
			if inside == names[0] || inside == names[1] || outside == names[0] || outside == names[1] {
				out.NAT = append(out.NAT, FlowNAT{g.ID, natFlowView(n)})
				// The other side of a gateway knows it by these.
				names = flowNames{inside, outside}
			}
		}
	}
	for _, index := range []uint32{f.SrcVNIC, f.DstVNIC} {
		id, _ := e.VNICName(index)
		if id == "" {
			continue
		}
		side := FlowSide{NetworkInterfaceID: id}
		flows, total, err := e.Flows(id, 0)
		if err == nil { // else it is gone
			side.Entries = total
		}
		for i := range flows {
			if ends := infoEnds(&flows[i]); ends == names[0] || ends == names[1] || ends == recordEnds(&f.Record) || ends == flowOf(f)[1] {
				v := s.flowView(flows[i])
				side.Flow = &v
				break
			}
		}
		out.Sides = append(out.Sides, side)
	}
	left := maxLookBack
	_, next := s.hub.Span()
	s.hub.Walk(nil, next, true, func(o *stream.Frame) bool {
		if names.has(o) {
			at := time.Unix(0, o.At).UTC()
			out.First = &at
			if out.Last == nil {
				out.Last = &at
			}
			out.Frames++
			out.Bytes += uint64(o.Length)
			if o.Reason != 0 {
				out.Ended++
			}
		}
		left--
		return left > 0
	})
	return out, nil
}
