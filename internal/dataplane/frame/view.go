package frame

// Kind is what the View found behind the Ethernet header.
type Kind uint8

// Kinds. The zero Kind is a frame that was not parsed or is malformed.
const (
	KindInvalid Kind = iota
	KindIPv4
	KindIPv6
	KindARP
	// KindOther: well-formed Ethernet, another EtherType (or LLC).
	KindOther
)

// EtherTypes that the View descends into.
const (
	EtherTypeIPv4 = 0x0800
	EtherTypeARP  = 0x0806
	EtherTypeVLAN = 0x8100
	EtherTypeQinQ = 0x88a8
	EtherTypeIPv6 = 0x86dd
)

// IP protocol numbers that the View descends into.
const (
	ProtoICMP   = 1
	ProtoTCP    = 6
	ProtoUDP    = 17
	ProtoICMPv6 = 58
)

// TCP flag bits as in View.TCPFlags.
const (
	TCPFin = 1 << iota
	TCPSyn
	TCPRst
	TCPPsh
	TCPAck
	TCPUrg
)

// View is everything that policy, forwarding, taps and statistics need to know
// of one frame, filled once by Parse and handed along with the frame. It holds
// offsets, never slices, so that it can be copied with the frame's buffer.
//
// The fields of a layer are valid only where Kind and Proto say so; HasL4 says
// whether ports, ICMP fields and TCPFlags are (a fragment other than the first
// has none, and a first fragment too short for its L4 header is malformed, as
// RFC 1858 advises).
type View struct {
	Dst, Src     MAC
	SrcIP, DstIP IPv4 // IPv4; for ARP the sender's and target's protocol address
	EtherType    uint16
	VLANTags     uint8 // 802.1Q/802.1ad tags skipped
	Kind         Kind
	Proto        uint8 // IPv4 protocol, or IPv6 final next header
	TTL          uint8
	TCPFlags     uint8
	HasL4        bool
	Fragment     bool // IPv4 or IPv6 fragment: offset > 0 or more-fragments set
	FirstFrag    bool // with Fragment: offset is 0
	DontFrag     bool
	ICMPType     uint8
	ICMPCode     uint8
	ARPOp        uint16 // 1 request, 2 reply
	SrcPort      uint16 // TCP, UDP
	DstPort      uint16
	ICMPID       uint16 // identifier of echo, timestamp and information messages, else 0
	IPID         uint16
	L3           uint16 // offset of the network header
	L4           uint16 // offset of the transport header, if any
	Payload      uint16 // offset behind the last header parsed
	End          uint16 // end of the IP datagram: Ethernet padding starts here
	TCPSeq       uint32
	TCPAckNo     uint32
}

// SrcIP6 returns the source address of a frame of KindIPv6, whose bytes are b. A View
// has no room for it: sixteen bytes more an address would cost every IPv4 frame a
// line of cache.
func (v *View) SrcIP6(b []byte) IPv6 { return IPv6At(b[v.L3+ipv6Src:]) }

// DstIP6 returns the destination address of a frame of KindIPv6, whose bytes are b.
func (v *View) DstIP6(b []byte) IPv6 { return IPv6At(b[v.L3+ipv6Dst:]) }
