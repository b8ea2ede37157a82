package guest

import (
	"maps"
	"sync/atomic"

	"gvisor.dev/gvisor/pkg/tcpip"
	"gvisor.dev/gvisor/pkg/tcpip/header"
	"gvisor.dev/gvisor/pkg/tcpip/network/ipv4"
	"gvisor.dev/gvisor/pkg/tcpip/stack"
)

// forwarding is the part of a router that netstack leaves to its host. It stands
// where netstack asks a packet filter, and passes everything; it is asked only once
// a NIC of the host forwards.
//
//   - netstack forwards what has a TTL of one on with zero, where RFC 1812, section
//     5.3.1, has the router discard it and say so: without that no traceroute sees
//     a guest that routes.
//   - netstack reads the TTL of what it forwards from memory to which only a copy
//     that it has just released held on (forwardPacketWithRoute takes the header's
//     slice before DeepCopyForForwarding, which moves the packet to other memory),
//     so that another packet's TTL may be sent on. A further copy, kept until the
//     pump is through with the packet, keeps that memory what it is.
type forwarding struct {
	stack *stack.Stack
	links atomic.Pointer[map[tcpip.NICID]*link] // its host's mutex guards changes
}

var _ stack.NFTablesInterface = (*forwarding)(nil)

// plug notes whose pump delivers what comes in by a NIC.
func (f *forwarding) plug(id tcpip.NICID, l *link) {
	links := map[tcpip.NICID]*link{id: l}
	if old := f.links.Load(); old != nil {
		maps.Copy(links, *old)
	}
	f.links.Store(&links)
}

// unplug forgets a NIC whose pump has ended.
func (f *forwarding) unplug(id tcpip.NICID) {
	links := maps.Clone(*f.links.Load())
	delete(links, id)
	f.links.Store(&links)
}

// CheckPrerouting makes netstack answer what has no hop left, and may not be the
// last one's, with Time Exceeded.
func (f *forwarding) CheckPrerouting(pkt *stack.PacketBuffer, _ *stack.Route, _ stack.AddressFamily) bool {
	h := header.IPv4(pkt.NetworkHeader().Slice())
	if h.TTL() != 1 || f.stack.CheckLocalAddress(0, ipv4.ProtocolNumber, h.DestinationAddress()) != 0 {
		return true
	}
	if on, err := f.stack.NICForwarding(pkt.InputNICID, ipv4.ProtocolNumber); err != nil || !on {
		return true
	}
	h.SetTTL(0)
	h.SetChecksum(0)
	h.SetChecksum(^h.CalculateChecksum())
	return true
}

// CheckForward keeps the memory of the packet for the rest of its way.
func (f *forwarding) CheckForward(pkt *stack.PacketBuffer, _ *stack.Route, _ stack.AddressFamily) bool {
	if l := (*f.links.Load())[pkt.InputNICID]; l != nil {
		l.hold(pkt)
	}
	return true
}

// The other places of a filter let everything pass.

// CheckInput implements stack.NFTablesInterface.
func (*forwarding) CheckInput(*stack.PacketBuffer, *stack.Route, stack.AddressFamily) bool {
	return true
}

// CheckOutput implements stack.NFTablesInterface.
func (*forwarding) CheckOutput(*stack.PacketBuffer, *stack.Route, stack.AddressFamily) bool {
	return true
}

// CheckPostrouting implements stack.NFTablesInterface.
func (*forwarding) CheckPostrouting(*stack.PacketBuffer, *stack.Route, stack.AddressFamily) bool {
	return true
}

// CheckIngress implements stack.NFTablesInterface.
func (*forwarding) CheckIngress(*stack.PacketBuffer, *stack.Route, stack.AddressFamily) bool {
	return true
}

// CheckEgress implements stack.NFTablesInterface.
func (*forwarding) CheckEgress(*stack.PacketBuffer, *stack.Route, stack.AddressFamily) bool {
	return true
}
