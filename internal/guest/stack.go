package guest

import (
	"fmt"
	"net/netip"

	"golang.org/x/time/rate"
	"gvisor.dev/gvisor/pkg/tcpip"
	"gvisor.dev/gvisor/pkg/tcpip/header"
	"gvisor.dev/gvisor/pkg/tcpip/network/ipv4"
	"gvisor.dev/gvisor/pkg/tcpip/stack"
	"gvisor.dev/gvisor/pkg/tcpip/transport/icmp"
	"gvisor.dev/gvisor/pkg/tcpip/transport/tcp"
	"gvisor.dev/gvisor/pkg/tcpip/transport/udp"

	"enilab/internal/dataplane/frame"
)

// Bounds of a connection's buffers: 256 KiB hold the bandwidth-delay product
// of any path inside one machine, and a thousand hosts still fit it.
const (
	tcpBufferMin     = 4 << 10
	tcpBufferDefault = 64 << 10
	tcpBufferMax     = 256 << 10
)

// newStack returns a TCP/IP stack without NICs.
func newStack() (*stack.Stack, error) {
	s := stack.New(stack.Options{
		NetworkProtocols:   []stack.NetworkProtocolFactory{ipv4.NewProtocol, newNeighborARP},
		TransportProtocols: []stack.TransportProtocolFactory{tcp.NewProtocol, udp.NewProtocol, icmp.NewProtocol4},
		// As on any system, a packet to an own address does not leave the host.
		HandleLocal: true,
	})
	s.SetNFTables(&forwarding{stack: s})
	tx := tcpip.TCPSendBufferSizeRangeOption{Min: tcpBufferMin, Default: tcpBufferDefault, Max: tcpBufferMax}
	rx := tcpip.TCPReceiveBufferSizeRangeOption{Min: tcpBufferMin, Default: tcpBufferDefault, Max: tcpBufferMax}
	for _, o := range []tcpip.SettableTransportProtocolOption{&tx, &rx} {
		if err := s.SetTransportProtocolOption(tcp.ProtocolNumber, o); err != nil {
			s.Destroy()
			return nil, fmt.Errorf("bounding TCP buffers: %s", err)
		}
	}
	// Errors are for the clients of the lab to see: every refused datagram
	// gets its port unreachable.
	s.SetICMPLimit(rate.Inf)
	return s, nil
}

// attachment is one NIC as a host is told to have it.
type attachment struct {
	index     int // device index
	vnic      string
	mac       tcpip.LinkAddress
	mtu       int // IP
	subnet    netip.Prefix
	subnetID  string
	router    netip.Addr
	routerMAC frame.MAC
	addrs     []netip.Addr // primary first, those of no subnet last
	forward   bool         // passes on what is for others, as what has no source/destination check is there to do
	port      port
}

// sameDevice reports whether a and b differ at most in addresses and forwarding.
func (a *attachment) sameDevice(b *attachment) bool {
	return a.vnic == b.vnic && a.mac == b.mac && a.mtu == b.mtu && a.subnet == b.subnet && a.port == b.port
}

// routes returns the table of a host with the given NICs, in order of device
// index: the metric. netstack takes the first route whose NIC holds the source
// address, so that each NIC answers through itself, in one subnet or in two, which
// is what source-based policy rules do on a Linux host. What a host passes on for
// others goes by the table alone.
func routes(nics []*nic) []tcpip.Route {
	table := make([]tcpip.Route, 0, 2*len(nics))
	for _, n := range nics {
		table = append(table, tcpip.Route{Destination: subnetOf(n.at.subnet), NIC: n.id})
	}
	for _, n := range nics {
		table = append(table, tcpip.Route{Destination: header.IPv4EmptySubnet, Gateway: address(n.at.router), NIC: n.id})
	}
	return table
}

func address(a netip.Addr) tcpip.Address { return tcpip.AddrFrom4(a.Unmap().As4()) }

func addrOf(a tcpip.Address) netip.Addr {
	b, ok := netip.AddrFromSlice(a.AsSlice())
	if !ok {
		return netip.Addr{}
	}
	return b
}

func subnetOf(p netip.Prefix) tcpip.Subnet {
	a := tcpip.AddressWithPrefix{Address: address(p.Masked().Addr()), PrefixLen: p.Bits()}
	return a.Subnet()
}

func addAddress(s *stack.Stack, id tcpip.NICID, a netip.Addr, subnet netip.Prefix) error {
	bits := subnet.Bits()
	if !subnet.Contains(a) {
		bits = a.BitLen()
	}
	err := s.AddProtocolAddress(id, tcpip.ProtocolAddress{
		Protocol:          ipv4.ProtocolNumber,
		AddressWithPrefix: tcpip.AddressWithPrefix{Address: address(a), PrefixLen: bits},
	}, stack.AddressProperties{})
	if err != nil {
		return fmt.Errorf("adding address %s: %s", a, err)
	}
	return nil
}

// abort ends the TCP connections whose local address is gone, as told by the
// function. Connections do not follow an address to another host, so their
// owners learn it now rather than after minutes of retransmission; the host
// that has the address next answers the peers with RST by itself.
func abort(s *stack.Stack, gone func(netip.Addr) bool) {
	for _, e := range s.RegisteredEndpoints() {
		t, ok := e.(*tcp.Endpoint)
		if !ok {
			continue
		}
		info, ok := t.Info().(*stack.TransportEndpointInfo)
		if !ok || info.ID.RemoteAddress.BitLen() == 0 {
			continue // a listener
		}
		if gone(addrOf(info.ID.LocalAddress)) {
			t.Abort()
		}
	}
}
