package dhcp

import (
	"net"
	"net/netip"

	"github.com/insomniacslk/dhcp/dhcpv4"

	"enilab/internal/dataplane/frame"
)

// Ports of DHCP (RFC 2131, section 4.1).
const (
	ServerPort = 67
	ClientPort = 68
)

// Answer is a message for a guest.
type Answer struct {
	// To is the address that it goes to; the zero Addr: a broadcast, since the guest
	// has no address, or no longer the one that it thinks.
	To      netip.Addr
	Message []byte
}

// Respond answers a message that has come from the ENI of a lease; ok is false if
// no answer is due. Whatever a client says, it gets that ENI's own address or a
// refusal: other addresses are others', and a client that gives its address back
// or declines it changes nothing, since an ENI keeps its address.
func Respond(l Lease, message []byte) (a Answer, ok bool) {
	q, err := dhcpv4.FromBytes(message)
	if err != nil || q.OpCode != dhcpv4.OpcodeBootRequest || !hardware(q, l.MAC) || !unspecified(q.GatewayIPAddr) ||
		len(q.GetOneOption(dhcpv4.OptionClientIdentifier)) > maxIdentifier {
		return Answer{}, false
	}
	switch q.MessageType() {
	case dhcpv4.MessageTypeDiscover:
		return l.grant(q, dhcpv4.MessageTypeOffer)
	case dhcpv4.MessageTypeRequest:
		return l.request(q)
	case dhcpv4.MessageTypeInform:
		return l.inform(q)
	}
	return Answer{}, false // DECLINE, RELEASE, BOOTP, and what servers send
}

// maxIdentifier is how long a client's identifier is at most: it is sent back, and
// one of several options (RFC 3396) would make an answer longer than the network
// carries.
const maxIdentifier = 255

// hardware reports whether the client speaks for the ENI itself.
func hardware(q *dhcpv4.DHCPv4, mac frame.MAC) bool {
	return len(q.ClientHWAddr) == 6 && frame.MACAt(q.ClientHWAddr) == mac
}

func unspecified(a net.IP) bool { return a == nil || a.IsUnspecified() }

// request judges a REQUEST by what it has in it, which tells the client's state
// (RFC 2131, section 4.3.2).
func (l *Lease) request(q *dhcpv4.DHCPv4) (Answer, bool) {
	wanted, server := q.RequestedIPAddress(), q.ServerIdentifier()
	switch {
	case server != nil && !same(server, l.Router):
		return Answer{}, false // it has chosen another server
	case unspecified(q.ClientIPAddr) && wanted == nil:
		return Answer{}, false // it asks for nothing
	case unspecified(q.ClientIPAddr) && same(wanted, l.Addr), // SELECTING, INIT-REBOOT
		!unspecified(q.ClientIPAddr) && same(q.ClientIPAddr, l.Addr) && (wanted == nil || same(wanted, l.Addr)): // RENEWING, REBINDING
		return l.grant(q, dhcpv4.MessageTypeAck)
	}
	return l.refuse(q)
}

func same(a net.IP, b netip.Addr) bool {
	x, ok := netip.AddrFromSlice(a)
	return ok && x.Unmap() == b
}

// grant offers or acknowledges the lease.
func (l *Lease) grant(q *dhcpv4.DHCPv4, kind dhcpv4.MessageType) (Answer, bool) {
	return l.answer(q, kind,
		dhcpv4.WithYourIP(ip(l.Addr)),
		dhcpv4.WithOption(dhcpv4.OptIPAddressLeaseTime(LeaseTime)),
		dhcpv4.WithOption(dhcpv4.OptRenewTimeValue(LeaseTime/2)),
		dhcpv4.WithOption(dhcpv4.OptRebindingTimeValue(LeaseTime*7/8)),
	)
}

// inform tells a client that has its address by other means everything but an
// address and a time (RFC 2131, section 4.3.5).
func (l *Lease) inform(q *dhcpv4.DHCPv4) (Answer, bool) {
	if unspecified(q.ClientIPAddr) {
		return Answer{}, false
	}
	return l.answer(q, dhcpv4.MessageTypeAck)
}

// refuse tells a client that the address it asks for is not its own.
func (l *Lease) refuse(q *dhcpv4.DHCPv4) (Answer, bool) {
	r, err := dhcpv4.NewReplyFromRequest(q,
		dhcpv4.WithMessageType(dhcpv4.MessageTypeNak), dhcpv4.WithBroadcast(true),
		dhcpv4.WithoutOption(dhcpv4.OptionRelayAgentInformation),
		dhcpv4.WithOption(dhcpv4.OptServerIdentifier(ip(l.Router))),
		dhcpv4.WithOption(dhcpv4.OptMessage("the address is not the primary one of this network interface")))
	if err != nil {
		return Answer{}, false
	}
	return Answer{Message: r.ToBytes()}, true
}

func (l *Lease) answer(q *dhcpv4.DHCPv4, kind dhcpv4.MessageType, more ...dhcpv4.Modifier) (Answer, bool) {
	r, err := dhcpv4.NewReplyFromRequest(q, append([]dhcpv4.Modifier{
		dhcpv4.WithMessageType(kind), dhcpv4.WithoutOption(dhcpv4.OptionRelayAgentInformation), // which a relay sends, not a guest
		dhcpv4.WithClientIP(q.ClientIPAddr),
		dhcpv4.WithOption(dhcpv4.OptServerIdentifier(ip(l.Router))),
		dhcpv4.WithOption(dhcpv4.OptSubnetMask(net.CIDRMask(l.Subnet.Bits(), 32))),
		dhcpv4.WithOption(dhcpv4.OptRouter(ip(l.Router))),
	}, more...)...)
	if err != nil { // of a random number that a reply does not keep
		return Answer{}, false
	}
	a := Answer{Message: l.configure(r, limit(q))}
	switch {
	case !unspecified(q.ClientIPAddr):
		a.To, _ = netip.AddrFromSlice(q.ClientIPAddr.To4())
	case !q.IsBroadcast():
		a.To = l.Addr
	}
	return a, true
}

// Sizes of messages: what every client takes (RFC 2131, section 2: 576 with the
// IP and UDP headers), and those headers.
const (
	minSize = 576
	headers = 28
)

// limit is how long an answer may be.
func limit(q *dhcpv4.DHCPv4) int {
	size, err := q.MaxMessageSize()
	if err != nil {
		size = minSize
	}
	return max(int(size), minSize) - headers
}

// configure adds the configuration, the most important first, as far as there is
// room. It is told whole, asked for or not.
func (l *Lease) configure(r *dhcpv4.DHCPv4, room int) []byte {
	options := []dhcpv4.Option{
		dhcpv4.OptGeneric(dhcpv4.OptionInterfaceMTU, []byte{byte(l.MTU >> 8), byte(l.MTU)}),
		dhcpv4.OptBroadcastAddress(ip(last(l.Subnet))),
		dhcpv4.OptHostName(l.HostName),
	}
	if len(l.DNS) > 0 {
		options = append(options, dhcpv4.OptDNS(ips(l.DNS)...))
	}
	if len(l.NTP) > 0 {
		options = append(options, dhcpv4.OptNTPServers(ips(l.NTP)...))
	}
	if l.Domain != "" {
		options = append(options, dhcpv4.OptDomainName(l.Domain))
	}
	if len(l.NetBIOS) > 0 {
		options = append(options, dhcpv4.OptNetBIOSNameServers(ips(l.NetBIOS)...))
	}
	if l.NodeType > 0 {
		options = append(options, dhcpv4.OptGeneric(dhcpv4.OptionNetBIOSOverTCPIPNodeType, []byte{byte(l.NodeType)}))
	}
	b := r.ToBytes()
	for _, o := range options {
		r.UpdateOption(o)
		longer := r.ToBytes()
		if len(longer) > room {
			r.DeleteOption(o.Code)
			continue
		}
		b = longer
	}
	return b
}

func ip(a netip.Addr) net.IP { return a.AsSlice() }

func ips(list []netip.Addr) []net.IP {
	out := make([]net.IP, len(list))
	for i, a := range list {
		out[i] = ip(a)
	}
	return out
}

// last is the highest address of a block.
func last(p netip.Prefix) netip.Addr {
	b := p.Masked().Addr().As4()
	for i := p.Bits(); i < 32; i++ {
		b[i/8] |= 0x80 >> (i % 8)
	}
	return netip.AddrFrom4(b)
}
