package frame

import (
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"net/netip"
	"strconv"
)

// add appends a field at offset off of the layer.
func (l *Layer) add(name, value string, off, n int) {
	l.Fields = append(l.Fields, Field{name, value, l.Off + off, n})
}

func be16(b []byte) uint16 { return binary.BigEndian.Uint16(b) }

func decimal[T uint8 | uint16 | uint32 | int](n T) string { return strconv.Itoa(int(n)) }

func (d *Decoder) showEthernet(l *Layer, h []byte) {
	l.add("destination", MACAt(h).String(), 0, 6)
	l.add("source", MACAt(h[6:]).String(), 6, 6)
	if t := be16(h[12:]); t < minType {
		l.add("length", decimal(t), 12, 2)
	} else {
		l.add("type", etherTypeName(t), 12, 2)
	}
}

func (d *Decoder) showVLAN(l *Layer, h []byte) {
	l.add("priority", decimal(h[0]>>5), 0, 1)
	l.add("drop eligible", yesNo(h[0]&0x10 != 0), 0, 1)
	l.add("VLAN", decimal(be16(h)&0x0fff), 0, 2)
	l.add("type", etherTypeName(be16(h[2:])), 2, 2)
}

func (d *Decoder) showARP(l *Layer, h []byte) {
	op := decimal(be16(h[6:]))
	switch be16(h[6:]) {
	case ARPRequest:
		op = "request (1)"
	case ARPReply:
		op = "reply (2)"
	}
	l.add("operation", op, 6, 2)
	l.add("sender MAC", MACAt(h[8:]).String(), 8, 6)
	l.add("sender IP", IPv4At(h[14:]).String(), 14, 4)
	l.add("target MAC", MACAt(h[18:]).String(), 18, 6)
	l.add("target IP", IPv4At(h[24:]).String(), 24, 4)
}

func (d *Decoder) showIPv4(l *Layer, h []byte) {
	src, dst, frag := IPv4At(h[12:]), IPv4At(h[16:]), be16(h[6:])
	d.pseudo = func(proto uint8, n int) uint64 { return pseudoIPv4(src, dst, proto, n) }
	if frag&(ipv4MoreFrags|ipv4OffsetMask) != 0 {
		d.pseudo = nil // the checksum covers the whole datagram
	}
	l.add("version", decimal(h[0]>>4), 0, 1)
	l.add("header length", decimal(len(h)), 0, 1)
	l.add("DSCP and ECN", fmt.Sprintf("0x%02x", h[1]), 1, 1)
	l.add("total length", decimal(be16(h[2:])), 2, 2)
	l.add("identification", fmt.Sprintf("0x%04x", be16(h[4:])), 4, 2)
	l.add("don't fragment", yesNo(frag&ipv4DontFrag != 0), 6, 1)
	l.add("more fragments", yesNo(frag&ipv4MoreFrags != 0), 6, 1)
	l.add("fragment offset", decimal(int(frag&ipv4OffsetMask)*8), 6, 2)
	l.add("TTL", decimal(h[8]), 8, 1)
	l.add("protocol", ipProtoName(h[9]), 9, 1)
	l.add("header checksum", checked(be16(h[10:]), sum(h, 0)), 10, 2)
	l.add("source", src.String(), 12, 4)
	l.add("destination", dst.String(), 16, 4)
	l.options(h[IPv4MinLen:], IPv4MinLen, func(kind uint8, data []byte) (name, value string) {
		return decimal(kind), hex.EncodeToString(data)
	})
}

func (d *Decoder) showIPv6(l *Layer, h []byte) {
	addrs := h[8:IPv6Len]
	d.pseudo = func(proto uint8, n int) uint64 { return pseudoIPv6(addrs, proto, n) }
	l.add("version", decimal(h[0]>>4), 0, 1)
	l.add("traffic class", fmt.Sprintf("0x%02x", uint8(be16(h)>>4)), 0, 2)
	l.add("flow label", fmt.Sprintf("0x%05x", binary.BigEndian.Uint32(h)&0xfffff), 1, 3)
	l.add("payload length", decimal(be16(h[4:])), 4, 2)
	l.add("next header", ipProtoName(h[6]), 6, 1)
	l.add("hop limit", decimal(h[7]), 7, 1)
	l.add("source", netip.AddrFrom16([16]byte(addrs)).String(), 8, 16)
	l.add("destination", netip.AddrFrom16([16]byte(addrs[16:])).String(), 24, 16)
	if len(h) > IPv6Len {
		l.add("hop-by-hop options", hex.EncodeToString(h[IPv6Len:]), IPv6Len, len(h)-IPv6Len)
	}
}

func (d *Decoder) showTCP(l *Layer, h []byte) {
	l.add("source port", decimal(be16(h)), 0, 2)
	l.add("destination port", decimal(be16(h[2:])), 2, 2)
	l.add("sequence", decimal(binary.BigEndian.Uint32(h[4:])), 4, 4)
	l.add("acknowledgement", decimal(binary.BigEndian.Uint32(h[8:])), 8, 4)
	l.add("header length", decimal(len(h)), 12, 1)
	l.add("flags", string(appendTCPFlags(nil, h[13])), 13, 1)
	l.add("window", decimal(be16(h[14:])), 14, 2)
	l.add("checksum", d.checkedL4(ProtoTCP, be16(h[16:])), 16, 2)
	l.add("urgent pointer", decimal(be16(h[18:])), 18, 2)
	l.options(h[TCPMinLen:], TCPMinLen, tcpOption)
}

// options shows a list of type, length and value in which 0 ends it and 1 pads.
// One whose length contradicts the header ends it too, as "malformed".
func (l *Layer) options(o []byte, at int, word func(kind uint8, data []byte) (name, value string)) {
	for len(o) > 0 {
		n := 1
		var data []byte
		if o[0] > 1 {
			if len(o) < 2 || o[1] < 2 || int(o[1]) > len(o) {
				l.add("option malformed", hex.EncodeToString(o), at, len(o))
				return
			}
			n, data = int(o[1]), o[2:o[1]]
		}
		name, value := word(o[0], data)
		l.add("option "+name, value, at, n)
		if o[0] == 0 {
			return
		}
		o, at = o[n:], at+n
	}
}

// tcpOption words the options that every connection has (RFC 9293, 7323, 2018).
func tcpOption(kind uint8, v []byte) (name, value string) {
	value = hex.EncodeToString(v)
	switch kind {
	case 0:
		return "EndList", value
	case 1:
		return "NOP", value
	case 2:
		if len(v) == 2 {
			value = decimal(be16(v))
		}
		return "MSS", value
	case 3:
		if len(v) == 1 {
			value = "shift " + decimal(v[0])
		}
		return "WindowScale", value
	case 4:
		return "SACKPermitted", value
	case 5:
		return "SACK", value
	case 8:
		if len(v) == 8 {
			value = fmt.Sprintf("%d echo %d", binary.BigEndian.Uint32(v), binary.BigEndian.Uint32(v[4:]))
		}
		return "Timestamps", value
	}
	return decimal(kind), value
}

func (d *Decoder) showUDP(l *Layer, h []byte) {
	check := "0x0000 (not used)"
	if c := be16(h[6:]); c != 0 {
		check = d.checkedL4(ProtoUDP, c)
	}
	l.add("source port", decimal(be16(h)), 0, 2)
	l.add("destination port", decimal(be16(h[2:])), 2, 2)
	l.add("length", decimal(be16(h[4:])), 4, 2)
	l.add("checksum", check, 6, 2)
}

func (d *Decoder) showICMPv4(l *Layer, h []byte) {
	whole := checked(be16(h[2:]), sum(d.frame[l.Off:d.end], 0))
	if d.pseudo == nil {
		whole = unchecked(be16(h[2:]))
	}
	l.add("type", numbered(h[0], icmpName(ProtoICMP, h[0])), 0, 1)
	l.add("code", decimal(h[1]), 1, 1)
	l.add("checksum", whole, 2, 2)
	switch h[0] {
	case 0, 8, 13, 14, 15, 16:
		l.add("identifier", decimal(be16(h[4:])), 4, 2)
		l.add("sequence", decimal(be16(h[6:])), 6, 2)
	default:
		l.add("rest of header", hex.EncodeToString(h[4:8]), 4, 4)
	}
}

func (d *Decoder) showICMPv6(l *Layer, h []byte) {
	l.add("type", numbered(h[0], icmpName(ProtoICMPv6, h[0])), 0, 1)
	l.add("code", decimal(h[1]), 1, 1)
	l.add("checksum", d.checkedL4(ProtoICMPv6, be16(h[2:])), 2, 2)
	l.add("rest of header", hex.EncodeToString(h[4:8]), 4, 4)
}

// showPayload bounds what the person sees as hex in the tree; the pane has all
// bytes anyway.
func (d *Decoder) showPayload(l *Layer, b []byte) {
	const most = 32
	l.Name = "data"
	if len(b) == 0 {
		return
	}
	text := hex.EncodeToString(b[:min(len(b), most)])
	if len(b) > most {
		text += "…"
	}
	l.add("bytes", text, 0, len(b))
}

// checkedL4 words the checksum of the transport header that begins at d.off and
// of its payload.
func (d *Decoder) checkedL4(proto uint8, stored uint16) string {
	if d.pseudo == nil {
		return unchecked(stored)
	}
	segment := d.frame[d.off:d.end]
	return checked(stored, sum(segment, d.pseudo(proto, len(segment))))
}

// checked words a checksum whose bytes are part of the summed ones.
func checked(stored uint16, total uint64) string {
	if fold(total) == 0xffff {
		return fmt.Sprintf("0x%04x (correct)", stored)
	}
	return fmt.Sprintf("0x%04x (wrong)", stored)
}

func unchecked(stored uint16) string { return fmt.Sprintf("0x%04x (fragment, not checked)", stored) }

func yesNo(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}

func numbered(n uint8, name string) string {
	if name == "" {
		return strconv.Itoa(int(n))
	}
	return fmt.Sprintf("%s (%d)", name, n)
}

// ipProtoName names a protocol by IANA's registry of protocol numbers.
func ipProtoName(p uint8) string {
	name := "unknown"
	switch p {
	case ProtoTCP, ProtoUDP, ProtoICMP, ProtoICMPv6:
		name = protoName(p)
	case 2:
		name = "IGMP"
	case protoIPv4:
		name = "IPv4"
	case protoIPv6:
		name = "IPv6"
	case extHopByHop:
		name = "hop-by-hop options"
	case extRouting:
		name = "IPv6 routing"
	case extFragment:
		name = "IPv6 fragment"
	case extDestOpts:
		name = "IPv6 destination options"
	case 47:
		name = "GRE"
	case 50:
		name = "ESP"
	case extAuth:
		name = "AH"
	case 59:
		name = "no next header"
	case 89:
		name = "OSPF"
	case 112:
		name = "VRRP"
	case 132:
		name = "SCTP"
	}
	return fmt.Sprintf("%s (%d)", name, p)
}

func etherTypeName(t uint16) string {
	switch t {
	case EtherTypeIPv4:
		return "IPv4 (0x0800)"
	case EtherTypeARP:
		return "ARP (0x0806)"
	case EtherTypeIPv6:
		return "IPv6 (0x86dd)"
	case EtherTypeVLAN:
		return "802.1Q (0x8100)"
	case EtherTypeQinQ:
		return "802.1ad (0x88a8)"
	}
	return fmt.Sprintf("0x%04x", t)
}
