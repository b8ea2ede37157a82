package frame

import (
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"net"
	"strconv"

	"github.com/google/gopacket/layers"
)

// add appends a field at offset off of the layer.
func (l *Layer) add(name, value string, off, n int) {
	l.Fields = append(l.Fields, Field{name, value, l.Off + off, n})
}

func (d *Decoder) showEthernet(l *Layer) {
	l.Name = "Ethernet"
	l.add("destination", d.eth.DstMAC.String(), 0, 6)
	l.add("source", d.eth.SrcMAC.String(), 6, 6)
	if d.eth.Length != 0 || d.eth.EthernetType == layers.EthernetTypeLLC {
		l.add("length", strconv.Itoa(int(d.eth.Length)), 12, 2)
		return
	}
	l.add("type", etherTypeName(uint16(d.eth.EthernetType)), 12, 2)
}

func (d *Decoder) showDot1Q(l *Layer) {
	l.Name = "VLAN"
	l.add("priority", strconv.Itoa(int(d.dot1q.Priority)), 0, 1)
	l.add("drop eligible", yesNo(d.dot1q.DropEligible), 0, 1)
	l.add("VLAN", strconv.Itoa(int(d.dot1q.VLANIdentifier)), 0, 2)
	l.add("type", etherTypeName(uint16(d.dot1q.Type)), 2, 2)
}

func (d *Decoder) showARP(l *Layer) {
	a := &d.arp
	op := strconv.Itoa(int(a.Operation))
	switch a.Operation {
	case ARPRequest:
		op = "request (1)"
	case ARPReply:
		op = "reply (2)"
	}
	l.Name = "ARP"
	l.add("operation", op, 6, 2)
	l.add("sender MAC", net.HardwareAddr(a.SourceHwAddress).String(), 8, 6)
	l.add("sender IP", net.IP(a.SourceProtAddress).String(), 14, 4)
	l.add("target MAC", net.HardwareAddr(a.DstHwAddress).String(), 18, 6)
	l.add("target IP", net.IP(a.DstProtAddress).String(), 24, 4)
}

func (d *Decoder) showIPv4(l *Layer) {
	ip := &d.ip4
	src, dst := IPv4At(ip.SrcIP), IPv4At(ip.DstIP)
	d.pseudo = func(proto uint8, n int) uint64 { return pseudoIPv4(src, dst, proto, n) }
	if ip.FragOffset != 0 || ip.Flags&layers.IPv4MoreFragments != 0 {
		d.pseudo = nil // the checksum covers the whole datagram
	}
	l.Name = "IPv4"
	l.add("version", strconv.Itoa(int(ip.Version)), 0, 1)
	l.add("header length", strconv.Itoa(int(ip.IHL)*4), 0, 1)
	l.add("DSCP and ECN", fmt.Sprintf("0x%02x", ip.TOS), 1, 1)
	l.add("total length", strconv.Itoa(int(ip.Length)), 2, 2)
	l.add("identification", fmt.Sprintf("0x%04x", ip.Id), 4, 2)
	l.add("don't fragment", yesNo(ip.Flags&layers.IPv4DontFragment != 0), 6, 1)
	l.add("more fragments", yesNo(ip.Flags&layers.IPv4MoreFragments != 0), 6, 1)
	l.add("fragment offset", strconv.Itoa(int(ip.FragOffset)*8), 6, 2)
	l.add("TTL", strconv.Itoa(int(ip.TTL)), 8, 1)
	l.add("protocol", ipProtoName(ip.Protocol), 9, 1)
	l.add("header checksum", checked(ip.Checksum, sum(ip.Contents, 0)), 10, 2)
	l.add("source", src.String(), 12, 4)
	l.add("destination", dst.String(), 16, 4)
	at := IPv4MinLen
	for _, o := range ip.Options {
		l.add("option "+strconv.Itoa(int(o.OptionType)), hex.EncodeToString(o.OptionData), at, int(o.OptionLength))
		at += int(o.OptionLength)
	}
}

func (d *Decoder) showIPv6(l *Layer) {
	ip := &d.ip6
	addrs := d.frame[l.Off+8 : l.Off+IPv6Len]
	d.pseudo = func(proto uint8, n int) uint64 { return pseudoIPv6(addrs, proto, n) }
	l.Name = "IPv6"
	l.add("version", strconv.Itoa(int(ip.Version)), 0, 1)
	l.add("traffic class", fmt.Sprintf("0x%02x", ip.TrafficClass), 0, 2)
	l.add("flow label", fmt.Sprintf("0x%05x", ip.FlowLabel), 1, 3)
	l.add("payload length", strconv.Itoa(int(ip.Length)), 4, 2)
	l.add("next header", ipProtoName(ip.NextHeader), 6, 1)
	l.add("hop limit", strconv.Itoa(int(ip.HopLimit)), 7, 1)
	l.add("source", ip.SrcIP.String(), 8, 16)
	l.add("destination", ip.DstIP.String(), 24, 16)
	if h := ip.HopByHop; h != nil {
		l.add("hop-by-hop options", hex.EncodeToString(h.Contents), IPv6Len, h.ActualLength)
	}
}

func (d *Decoder) showTCP(l *Layer) {
	t := &d.tcp
	l.Name = "TCP"
	l.add("source port", strconv.Itoa(int(t.SrcPort)), 0, 2)
	l.add("destination port", strconv.Itoa(int(t.DstPort)), 2, 2)
	l.add("sequence", strconv.FormatUint(uint64(t.Seq), 10), 4, 4)
	l.add("acknowledgement", strconv.FormatUint(uint64(t.Ack), 10), 8, 4)
	l.add("header length", strconv.Itoa(int(t.DataOffset)*4), 12, 1)
	l.add("flags", string(appendTCPFlags(nil, t.Contents[13])), 13, 1)
	l.add("window", strconv.Itoa(int(t.Window)), 14, 2)
	l.add("checksum", d.checkedL4(ProtoTCP, t.Checksum, t.Contents, t.Payload), 16, 2)
	l.add("urgent pointer", strconv.Itoa(int(t.Urgent)), 18, 2)
	at := TCPMinLen
	for _, o := range t.Options {
		l.add("option "+o.OptionType.String(), tcpOption(o), at, int(o.OptionLength))
		at += int(o.OptionLength)
	}
}

// tcpOption words the options that every connection has.
func tcpOption(o layers.TCPOption) string {
	v := o.OptionData
	switch {
	case o.OptionType == layers.TCPOptionKindMSS && len(v) == 2:
		return strconv.Itoa(int(binary.BigEndian.Uint16(v)))
	case o.OptionType == layers.TCPOptionKindWindowScale && len(v) == 1:
		return "shift " + strconv.Itoa(int(v[0]))
	case o.OptionType == layers.TCPOptionKindTimestamps && len(v) == 8:
		return fmt.Sprintf("%d echo %d", binary.BigEndian.Uint32(v), binary.BigEndian.Uint32(v[4:]))
	}
	return hex.EncodeToString(v)
}

func (d *Decoder) showUDP(l *Layer) {
	u := &d.udp
	check := "0x0000 (not used)"
	if u.Checksum != 0 {
		check = d.checkedL4(ProtoUDP, u.Checksum, u.Contents, u.Payload)
	}
	l.Name = "UDP"
	l.add("source port", strconv.Itoa(int(u.SrcPort)), 0, 2)
	l.add("destination port", strconv.Itoa(int(u.DstPort)), 2, 2)
	l.add("length", strconv.Itoa(int(u.Length)), 4, 2)
	l.add("checksum", check, 6, 2)
}

func (d *Decoder) showICMPv4(l *Layer) {
	m := &d.icmp4
	whole := checked(m.Checksum, sum(d.frame[l.Off:d.end], 0))
	if d.pseudo == nil {
		whole = unchecked(m.Checksum)
	}
	l.Name = "ICMP"
	l.add("type", numbered(m.TypeCode.Type(), icmpName(ProtoICMP, m.TypeCode.Type())), 0, 1)
	l.add("code", strconv.Itoa(int(m.TypeCode.Code())), 1, 1)
	l.add("checksum", whole, 2, 2)
	switch m.TypeCode.Type() {
	case 0, 8, 13, 14, 15, 16:
		l.add("identifier", strconv.Itoa(int(m.Id)), 4, 2)
		l.add("sequence", strconv.Itoa(int(m.Seq)), 6, 2)
	default:
		l.add("rest of header", hex.EncodeToString(m.Contents[4:8]), 4, 4)
	}
}

func (d *Decoder) showICMPv6(l *Layer) {
	m := &d.icmp6
	l.Name = "ICMPv6"
	l.add("type", numbered(m.TypeCode.Type(), icmpName(ProtoICMPv6, m.TypeCode.Type())), 0, 1)
	l.add("code", strconv.Itoa(int(m.TypeCode.Code())), 1, 1)
	l.add("checksum", d.checkedL4(ProtoICMPv6, m.Checksum, m.Contents, m.Payload), 2, 2)
}

// showPayload bounds what the person sees as hex in the tree; the pane has all
// bytes anyway.
func (d *Decoder) showPayload(l *Layer) {
	const most = 32
	b := d.frame[l.Off : l.Off+l.Len]
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

// checkedL4 words the checksum of a transport header and its payload.
func (d *Decoder) checkedL4(proto uint8, stored uint16, header, payload []byte) string {
	if d.pseudo == nil {
		return unchecked(stored)
	}
	n := len(header) + len(payload)
	// Header and payload lie side by side in the frame.
	return checked(stored, sum(d.frame[d.off:d.off+n], d.pseudo(proto, n)))
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

func ipProtoName(p layers.IPProtocol) string { return fmt.Sprintf("%s (%d)", p, uint8(p)) }

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
