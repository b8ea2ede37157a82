package predict

import (
	"fmt"
	"net/netip"

	"enilab/internal/dataplane/frame"
)

// Packet is what would be sent: the first of a connection, an echo request, a datagram.
type Packet struct {
	Src, Dst netip.Addr
	Proto    uint8  // IANA number
	SrcPort  uint16 // TCP and UDP; of ICMP the identifier
	DstPort  uint16
	ICMPType uint8
	ICMPCode uint8
	Reply    bool // of TCP the second segment, of ICMP an echo reply
	Size     int  // bytes of IP; 0: as small as they come
	DontFrag bool
}

const etherHeader = 14

// view is the packet as filters see it. Dst and Src are for who sends it to say.
func (p *Packet) view() (frame.View, error) {
	src, ok := frame.IPv4From(p.Src)
	if !ok {
		return frame.View{}, fmt.Errorf("source address %s: want an IPv4 address", p.Src)
	}
	dst, ok := frame.IPv4From(p.Dst)
	if !ok {
		return frame.View{}, fmt.Errorf("destination address %s: want an IPv4 address", p.Dst)
	}
	v := frame.View{Kind: frame.KindIPv4, SrcIP: src, DstIP: dst, Proto: p.Proto, HasL4: true, DontFrag: p.DontFrag}
	switch p.Proto {
	case frame.ProtoTCP, frame.ProtoUDP:
		v.SrcPort, v.DstPort = p.SrcPort, p.DstPort
		if p.Proto == frame.ProtoTCP {
			v.TCPFlags = frame.TCPSyn
			if p.Reply {
				v.TCPFlags |= frame.TCPAck
			}
		}
	case frame.ProtoICMP:
		v.ICMPType, v.ICMPCode, v.ICMPID = p.ICMPType, p.ICMPCode, p.SrcPort
		if v.ICMPType == 0 && !p.Reply {
			v.ICMPType = echoRequest
		}
	default:
		v.HasL4 = false
	}
	return v, nil
}

const (
	echoRequest = 8
	echoReply   = 0
)

// answer is what a host answers to f, as it has arrived.
func answer(f *frame.View) (a frame.View, ok bool) {
	a = *f
	a.SrcIP, a.DstIP, a.SrcPort, a.DstPort = f.DstIP, f.SrcIP, f.DstPort, f.SrcPort
	switch f.Proto {
	case frame.ProtoTCP:
		a.TCPFlags |= frame.TCPAck
	case frame.ProtoICMP:
		if f.ICMPType != echoRequest {
			return a, false
		}
		a.ICMPType = echoReply
	}
	return a, true
}

// ends are the two ends of a frame, the ports 0 where there are none.
func ends(f *frame.View) Ends {
	return Ends{netip.AddrPortFrom(f.SrcIP.Addr(), f.SrcPort), netip.AddrPortFrom(f.DstIP.Addr(), f.DstPort)}
}

// Ends are the addresses and ports of a packet.
type Ends struct{ Source, Destination netip.AddrPort }
