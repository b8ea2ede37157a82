package frame

import (
	"encoding/binary"
	"net/netip"
	"strconv"
)

// Summary returns one line about the frame b for a person, for example
// "TCP 192.168.0.10:40000 → 192.168.0.42:80 [SYN] len 74". The length is the
// whole frame's in bytes, as everywhere in enilab.
func Summary(b []byte) string {
	var v View
	v.Parse(b)
	return string(v.AppendSummary(nil, b))
}

// AppendSummary appends the line for b, the frame that v was parsed from.
func (v *View) AppendSummary(out, b []byte) []byte {
	if v.VLANTags > 0 {
		out = append(out, "VLAN "...)
	}
	switch v.Kind {
	case KindIPv4, KindIPv6:
		out = v.appendIP(out, b)
	case KindARP:
		out = v.appendARP(out, b)
	case KindOther:
		if v.EtherType < minType {
			out = append(out, "LLC "...)
		} else {
			out = appendHex16(append(out, "EtherType "...), v.EtherType)
			out = append(out, ' ')
		}
		out = v.appendMACs(out)
	default:
		out = append(out, "malformed"...)
		if len(b) >= EthernetLen && len(b) <= MaxFrame {
			out = appendHex16(append(out, " EtherType "...), v.EtherType)
			out = v.appendMACs(append(out, ' '))
		}
	}
	out = append(out, " len "...)
	return strconv.AppendInt(out, int64(len(b)), 10)
}

func (v *View) appendIP(out, b []byte) []byte {
	out = append(out, protoName(v.Proto)...)
	out = append(out, ' ')
	src, dst := v.addrs(b)
	ports := v.HasL4 && (v.Proto == ProtoTCP || v.Proto == ProtoUDP)
	if ports {
		out = netip.AddrPortFrom(src, v.SrcPort).AppendTo(out)
		out = append(out, " → "...)
		out = netip.AddrPortFrom(dst, v.DstPort).AppendTo(out)
	} else {
		out = src.AppendTo(out)
		out = append(out, " → "...)
		out = dst.AppendTo(out)
	}
	switch {
	case v.HasL4 && v.Proto == ProtoTCP:
		out = append(out, " ["...)
		out = appendTCPFlags(out, v.TCPFlags)
		out = append(out, ']')
	case v.HasL4 && !ports:
		out = v.appendICMP(append(out, ' '), b)
	}
	if v.Fragment {
		out = append(out, " fragment"...)
		if v.EtherType == EtherTypeIPv4 {
			at := binary.BigEndian.Uint16(b[v.L3+6:]) & ipv4OffsetMask
			out = strconv.AppendInt(append(out, " at "...), int64(at)*8, 10)
		}
	}
	return out
}

func (v *View) appendICMP(out, b []byte) []byte {
	name := icmpName(v.Proto, v.ICMPType)
	if name == "" {
		out = strconv.AppendUint(append(out, "type "...), uint64(v.ICMPType), 10)
		out = strconv.AppendUint(append(out, " code "...), uint64(v.ICMPCode), 10)
		return out
	}
	out = append(out, name...)
	echo := v.Proto == ProtoICMP && (v.ICMPType == 0 || v.ICMPType == 8) ||
		v.Proto == ProtoICMPv6 && (v.ICMPType == 128 || v.ICMPType == 129)
	if echo {
		out = strconv.AppendUint(append(out, " id "...), uint64(v.ICMPID), 10)
		seq := binary.BigEndian.Uint16(b[v.L4+6:])
		out = strconv.AppendUint(append(out, " seq "...), uint64(seq), 10)
	}
	return out
}

func (v *View) appendARP(out, b []byte) []byte {
	src, dst := v.SrcIP.Addr(), v.DstIP.Addr()
	switch {
	case v.SrcIP == v.DstIP:
		out = append(src.AppendTo(append(out, "ARP announces "...)), " at "...)
		return append(out, v.ARPSender(b).String()...)
	case v.ARPOp == ARPRequest:
		out = append(dst.AppendTo(append(out, "ARP who has "...)), "? tell "...)
		return src.AppendTo(out)
	case v.ARPOp == ARPReply:
		out = append(src.AppendTo(append(out, "ARP "...)), " is at "...)
		return append(out, v.ARPSender(b).String()...)
	}
	out = strconv.AppendUint(append(out, "ARP operation "...), uint64(v.ARPOp), 10)
	return v.appendMACs(append(out, ' '))
}

func (v *View) appendMACs(out []byte) []byte {
	out = append(out, v.Src.String()...)
	out = append(out, " → "...)
	return append(out, v.Dst.String()...)
}

// addrs returns the IP addresses of b, which v says is IPv4 or IPv6.
func (v *View) addrs(b []byte) (src, dst netip.Addr) {
	if v.Kind == KindIPv4 {
		return v.SrcIP.Addr(), v.DstIP.Addr()
	}
	h := b[v.L3 : v.L3+IPv6Len]
	return netip.AddrFrom16([16]byte(h[8:24])), netip.AddrFrom16([16]byte(h[24:40]))
}

// tcpFlagNames are in the order a person expects: the handshake first.
var tcpFlagNames = [...]struct {
	bit  uint8
	name string
}{
	{TCPSyn, "SYN"}, {TCPFin, "FIN"}, {TCPRst, "RST"}, {TCPPsh, "PSH"},
	{TCPUrg, "URG"}, {TCPAck, "ACK"}, {0x40, "ECE"}, {0x80, "CWR"},
}

// TCPFlagNames names flags as summaries do, separated by blanks.
func TCPFlagNames(flags uint8) string { return string(appendTCPFlags(nil, flags)) }

func appendTCPFlags(out []byte, flags uint8) []byte {
	if flags == 0 {
		return append(out, "none"...)
	}
	first := true
	for _, f := range tcpFlagNames {
		if flags&f.bit == 0 {
			continue
		}
		if !first {
			out = append(out, ' ')
		}
		out = append(out, f.name...)
		first = false
	}
	return out
}

func protoName(p uint8) string {
	switch p {
	case ProtoTCP:
		return "TCP"
	case ProtoUDP:
		return "UDP"
	case ProtoICMP:
		return "ICMP"
	case ProtoICMPv6:
		return "ICMPv6"
	}
	return "IP protocol " + strconv.Itoa(int(p))
}

// icmpName names the types that a VPC's traffic has, "" for others.
func icmpName(proto, typ uint8) string {
	if proto == ProtoICMPv6 {
		switch typ {
		case 1:
			return "destination unreachable"
		case 2:
			return "packet too big"
		case 3:
			return "time exceeded"
		case 128:
			return "echo request"
		case 129:
			return "echo reply"
		case 133:
			return "router solicitation"
		case 134:
			return "router advertisement"
		case 135:
			return "neighbor solicitation"
		case 136:
			return "neighbor advertisement"
		}
		return ""
	}
	switch typ {
	case 0:
		return "echo reply"
	case 3:
		return "destination unreachable"
	case 5:
		return "redirect"
	case 8:
		return "echo request"
	case 11:
		return "time exceeded"
	case 12:
		return "parameter problem"
	}
	return ""
}

func appendHex16(out []byte, n uint16) []byte {
	const digits = "0123456789abcdef"
	return append(out, '0', 'x', digits[n>>12], digits[n>>8&15], digits[n>>4&15], digits[n&15])
}
