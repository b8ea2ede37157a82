package guest

import (
	"gvisor.dev/gvisor/pkg/tcpip"
	"gvisor.dev/gvisor/pkg/tcpip/header"
	"gvisor.dev/gvisor/pkg/tcpip/network/arp"
	"gvisor.dev/gvisor/pkg/tcpip/stack"
)

// neighborARP is gVisor's ARP, but for a reply that contradicts what the guest
// knows. gVisor then doubts the entry and keeps its MAC until that has failed to
// answer three times; RFC 826 ("Packet Reception") and Linux replace the MAC,
// which is what makes the network's announcement worth anything.
type neighborARP struct{ stack.NetworkProtocol }

func newNeighborARP(s *stack.Stack) stack.NetworkProtocol { return neighborARP{arp.NewProtocol(s)} }

// NewEndpoint makes the endpoint of one NIC.
func (p neighborARP) NewEndpoint(nic stack.NetworkInterface, d stack.TransportDispatcher) stack.NetworkEndpoint {
	return &neighborEndpoint{arpEndpoint: p.NetworkProtocol.NewEndpoint(nic, d).(arpEndpoint), nic: nic}
}

// arpEndpoint is what a stack uses of an ARP endpoint.
type arpEndpoint interface {
	stack.NetworkEndpoint
	stack.LinkAddressResolver
	stack.DuplicateAddressDetector
}

type neighborEndpoint struct {
	arpEndpoint
	nic stack.NetworkInterface
}

// HandlePacket has gVisor handle an ARP packet, and a reply override the MAC of
// a neighbor in the guest's table. Neighbors that the guest has never asked for
// get no entry, as on Linux unless arp_accept is set.
func (e *neighborEndpoint) HandlePacket(pkt *stack.PacketBuffer) {
	e.arpEndpoint.HandlePacket(pkt)
	h := header.ARP(pkt.NetworkHeader().Slice())
	if !h.IsValid() || h.Op() != header.ARPReply {
		return
	}
	// The stack's only error is that its link needs no resolution; this one does.
	_ = e.nic.HandleNeighborConfirmation(header.IPv4ProtocolNumber,
		tcpip.AddrFrom4Slice(h.ProtocolAddressSender()), tcpip.LinkAddress(h.HardwareAddressSender()),
		stack.ReachabilityConfirmationFlags{Override: true})
}
