package frame

import (
	"bytes"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"testing"

	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"
)

// truncation collects gopacket's remark that a length exceeds the bytes.
type truncation bool

func (t *truncation) SetTruncated() { *t = true }

// oracle is gopacket's reading of a frame in the words of a View. It goes
// layer by layer, in the same order as Parse, and knows none of its rules
// beyond that.
type oracle struct {
	View
	ends [2]netip.Addr // source and destination of IPv6
	exts int           // IPv6 extension headers that gopacket's layers skipped
	rest int           // bytes behind the TCP or ICMP header
}

func (o *oracle) read(b []byte) error {
	var cut truncation
	var eth layers.Ethernet
	if err := eth.DecodeFromBytes(b, &cut); err != nil {
		return err
	}
	o.Dst, o.Src = MACAt(eth.DstMAC), MACAt(eth.SrcMAC)
	next, rest := eth.EthernetType, eth.Payload
	for next == layers.EthernetTypeDot1Q || next == layers.EthernetTypeQinQ {
		if o.VLANTags == 2 {
			break
		}
		var tag layers.Dot1Q
		if err := tag.DecodeFromBytes(rest, &cut); err != nil {
			return err
		}
		o.VLANTags++
		next, rest = tag.Type, tag.Payload
	}
	o.EtherType = uint16(next)
	if next == layers.EthernetTypeLLC {
		o.EtherType = eth.Length
	}
	var err error
	switch next {
	case layers.EthernetTypeIPv4:
		o.Kind, err = KindIPv4, o.readIPv4(rest, &cut)
	case layers.EthernetTypeIPv6:
		o.Kind, err = KindIPv6, o.readIPv6(rest, &cut)
	case layers.EthernetTypeARP:
		o.Kind, err = KindARP, o.readARP(rest, &cut)
	default:
		o.Kind = KindOther
	}
	if err == nil && bool(cut) {
		err = errors.New("truncated")
	}
	return err
}

func (o *oracle) readARP(b []byte, cut *truncation) error {
	if err := guardARP(b); err != nil {
		return err
	}
	var a layers.ARP
	if err := a.DecodeFromBytes(b, cut); err != nil {
		return err
	}
	o.ARPOp = a.Operation
	o.SrcIP, o.DstIP = IPv4At(a.SourceProtAddress), IPv4At(a.DstProtAddress)
	return nil
}

// guardARP admits ARP for IPv4 over Ethernet only: gopacket 1.1.19 slices by
// the address sizes of the packet, whose sum overflows its eight bits.
func guardARP(b []byte) error {
	_, err := readARP(b)
	return err
}

// ipv6 is gopacket's layer with two faults of 1.1.19 mended: it refuses a
// packet without payload, and it counts hop-by-hop options, which it reads as
// part of the layer, neither in the contents nor off the payload.
type ipv6 struct{ layers.IPv6 }

func (l *ipv6) DecodeFromBytes(b []byte, df gopacket.DecodeFeedback) error {
	err := l.IPv6.DecodeFromBytes(b, df)
	if len(b) >= IPv6Len && l.Length == 0 && l.NextHeader != layers.IPProtocolIPv6HopByHop {
		l.Payload = l.Payload[:0]
		return nil
	}
	if err != nil || l.HopByHop == nil {
		return err
	}
	head := IPv6Len + l.HopByHop.ActualLength
	end := min(IPv6Len+int(l.Length), len(b))
	if head > end {
		return errors.New("hop-by-hop options are longer than the packet")
	}
	l.Contents, l.Payload = b[:head], b[head:end]
	return nil
}

func (o *oracle) readIPv4(b []byte, cut *truncation) error {
	var ip layers.IPv4
	if err := ip.DecodeFromBytes(b, cut); err != nil {
		return err
	}
	o.SrcIP, o.DstIP = IPv4At(ip.SrcIP), IPv4At(ip.DstIP)
	o.Proto, o.TTL, o.IPID = uint8(ip.Protocol), ip.TTL, ip.Id
	o.DontFrag = ip.Flags&layers.IPv4DontFragment != 0
	o.Fragment = ip.Flags&layers.IPv4MoreFragments != 0 || ip.FragOffset != 0
	o.FirstFrag = o.Fragment && ip.FragOffset == 0
	if o.Fragment && !o.FirstFrag {
		return nil
	}
	return o.readL4(ip.Payload, cut)
}

func (o *oracle) readIPv6(b []byte, cut *truncation) error {
	var ip ipv6
	if err := ip.DecodeFromBytes(b, cut); err != nil {
		return err
	}
	o.TTL = ip.HopLimit
	o.ends[0], _ = netip.AddrFromSlice(ip.SrcIP)
	o.ends[1], _ = netip.AddrFromSlice(ip.DstIP)
	next, rest := ip.NextHeader, ip.Payload
	if ip.HopByHop != nil {
		next = ip.HopByHop.NextHeader
		o.exts++
	}
	for next == layers.IPProtocolIPv6Routing || next == layers.IPProtocolIPv6Destination {
		var ext layers.IPv6ExtensionSkipper
		if err := ext.DecodeFromBytes(rest, cut); err != nil {
			return err
		}
		next, rest = ext.NextHeader, ext.Payload
		o.exts++
	}
	o.Proto = uint8(next)
	return o.readL4(rest, cut)
}

func (o *oracle) readL4(b []byte, cut *truncation) error {
	switch {
	case o.Proto == ProtoTCP:
		var t layers.TCP
		if err := t.DecodeFromBytes(b, cut); err != nil {
			return fmt.Errorf("TCP: %w", err)
		}
		o.rest = len(t.Payload)
		o.SrcPort, o.DstPort = uint16(t.SrcPort), uint16(t.DstPort)
		o.TCPSeq, o.TCPAckNo = t.Seq, t.Ack
		for i, set := range []bool{t.FIN, t.SYN, t.RST, t.PSH, t.ACK, t.URG, t.ECE, t.CWR} {
			if set {
				o.TCPFlags |= 1 << i
			}
		}
	case o.Proto == ProtoUDP:
		var u layers.UDP
		var own truncation
		if err := u.DecodeFromBytes(b, &own); err != nil {
			return err
		}
		// A first fragment says the length of the whole datagram.
		if bool(own) && !o.Fragment {
			*cut = true
		}
		o.SrcPort, o.DstPort = uint16(u.SrcPort), uint16(u.DstPort)
	case o.Proto == ProtoICMP && o.EtherType == EtherTypeIPv4:
		var m layers.ICMPv4
		if err := m.DecodeFromBytes(b, cut); err != nil {
			return err
		}
		o.rest = len(m.Payload)
		o.ICMPType, o.ICMPCode = m.TypeCode.Type(), m.TypeCode.Code()
		switch o.ICMPType {
		case 0, 8, 13, 14, 15, 16:
			o.ICMPID = m.Id
		}
	case o.Proto == ProtoICMPv6 && o.EtherType == EtherTypeIPv6:
		var m layers.ICMPv6
		if err := m.DecodeFromBytes(b, cut); err != nil {
			return err
		}
		o.ICMPType, o.ICMPCode = m.TypeCode.Type(), m.TypeCode.Code()
		var echo layers.ICMPv6Echo
		if o.ICMPType/2 == 64 && echo.DecodeFromBytes(m.Payload, cut) == nil {
			o.ICMPID = echo.Identifier
		}
	default:
		return nil
	}
	o.HasL4 = true
	return nil
}

// differences lists every way in which Parse and gopacket disagree on purpose
// about whether a frame is well-formed. refused says whose refusal it is about.
var differences = []struct {
	why     string
	refused string // "parse" or "gopacket"
	applies func(b []byte, v *View, o *oracle, err error) bool
}{
	{"gopacket does not look at the IP version", "parse", func(b []byte, v *View, _ *oracle, _ error) bool {
		return v.EtherType == EtherTypeIPv4 && b[v.L3]>>4 != 4 || v.EtherType == EtherTypeIPv6 && b[v.L3]>>4 != 6
	}},
	{"gopacket takes an IPv4 total length of 0 as segmentation offload", "parse", func(b []byte, v *View, _ *oracle, _ error) bool {
		return v.EtherType == EtherTypeIPv4 && b[v.L3+2] == 0 && b[v.L3+3] == 0
	}},
	{"gopacket does not judge fragments", "parse", func(_ []byte, v *View, _ *oracle, _ error) bool {
		return v.EtherType == EtherTypeIPv4 && v.Fragment
	}},
	{"gopacket takes a UDP length of 0 as a jumbogram", "parse", func(b []byte, v *View, _ *oracle, _ error) bool {
		return v.Proto == ProtoUDP && b[v.L4+4] == 0 && b[v.L4+5] == 0
	}},
	{"gopacket takes an ICMPv6 header of four bytes", "parse", func(_ []byte, v *View, _ *oracle, _ error) bool {
		return v.Proto == ProtoICMPv6 && v.EtherType == EtherTypeIPv6 && v.End-v.L4 < ICMPLen
	}},
	{"gopacket's layers have no bound on IPv6 extension headers, and do not know all", "parse", func(_ []byte, v *View, o *oracle, _ error) bool {
		return v.EtherType == EtherTypeIPv6 && (o.exts > maxExtHeaders || isExtension(o.Proto))
	}},
	{"gopacket does not look behind IEEE 802.3 lengths in a tag", "parse", func(_ []byte, v *View, _ *oracle, _ error) bool {
		return v.VLANTags > 0 && v.EtherType < minType
	}},
	{"gopacket refuses IPv4 options without data", "gopacket", func(_ []byte, v *View, _ *oracle, err error) bool {
		return v.Kind == KindIPv4 && strings.Contains(err.Error(), "length 2. Must be greater than 2")
	}},
	{"Parse does not read TCP options", "gopacket", func(_ []byte, v *View, _ *oracle, err error) bool {
		return v.Proto == ProtoTCP && strings.HasPrefix(err.Error(), "TCP: Invalid TCP option")
	}},
	{"Parse does not read the options of a hop-by-hop header", "gopacket", func(b []byte, v *View, _ *oracle, _ error) bool {
		return v.Kind == KindIPv6 && b[v.L3+6] == extHopByHop
	}},
}

func isExtension(proto uint8) bool {
	switch proto {
	case extHopByHop, extRouting, extFragment, extAuth, extDestOpts, extMobility, extHIP, extShim6:
		return true
	}
	return false
}

// compare returns the index of the difference that explains why the two
// disagree on the kind, -1 if they agree.
func compare(t *testing.T, b []byte) int {
	t.Helper()
	var v View
	v.Parse(b)
	checkView(t, &v, b)
	var o oracle
	err := o.read(b)
	if (v.Kind == KindInvalid) != (err != nil) {
		refused := "parse"
		if err != nil {
			refused = "gopacket"
		}
		for i, d := range differences {
			if d.refused == refused && d.applies(b, &v, &o, err) {
				return i
			}
		}
		t.Fatalf("only %s refuses (%v)\n%x\nparse  %+v\noracle %+v", refused, err, b, v, o.View)
	}
	if err != nil {
		return -1
	}
	got := v
	// gopacket has slices for offsets: their order is checked by checkView,
	// their values by what is left behind the last header.
	got.L3, got.L4, got.Payload, got.End = 0, 0, 0, 0
	if rest := int(v.End - v.Payload); v.HasL4 && (v.Proto == ProtoTCP || v.Proto == ProtoICMP) && rest != o.rest {
		t.Fatalf("%d bytes of payload, gopacket has %d: %x", rest, o.rest, b)
	}
	if v.Kind == KindIPv6 && isExtension(o.Proto) {
		// The oracle stopped at a header that has no layer.
		if v.Dst != o.Dst || v.Src != o.Src || v.TTL != o.TTL {
			t.Fatalf("%x\nparse  %+v\noracle %+v", b, v, o.View)
		}
		return -1
	}
	if v.Kind == KindIPv6 && (v.SrcIP6(b).Addr() != o.ends[0] || v.DstIP6(b).Addr() != o.ends[1]) {
		t.Fatalf("%x\nfrom %s to %s, oracle %v", b, v.SrcIP6(b), v.DstIP6(b), o.ends)
	}
	if got != o.View {
		t.Fatalf("%x\nparse  %+v\noracle %+v", b, got, o.View)
	}
	return -1
}

// checkView holds what Parse promises to those who index by its offsets.
func checkView(t *testing.T, v *View, b []byte) {
	t.Helper()
	if v.Kind == KindInvalid {
		if v.HasL4 {
			t.Fatalf("malformed with HasL4: %x", b)
		}
		return
	}
	if v.L3 < EthernetLen || v.L4 < v.L3 || v.Payload < v.L4 || v.End < v.Payload || int(v.End) > len(b) {
		t.Fatalf("offsets of %+v do not ascend within %d bytes: %x", v, len(b), b)
	}
	if v.FirstFrag && !v.Fragment || v.HasL4 && v.Fragment && !v.FirstFrag {
		t.Fatalf("fragment bits of %+v contradict: %x", v, b)
	}
}

// mutants calls f with every captured frame, cut at each length and with single
// bytes changed: most faults of real frames are of that kind.
func mutants(t *testing.T, f func(b []byte)) {
	t.Helper()
	for _, frames := range allCaptured(t) {
		for _, b := range frames {
			for n := range b[:min(len(b), 100)] {
				f(b[:n])
				for _, bit := range []byte{1, 0x10, 0x80, 0xff} {
					c := bytes.Clone(b)
					c[n] ^= bit
					f(c)
				}
			}
		}
	}
}

func TestParseAgainstGopacket(t *testing.T) {
	for name, frames := range allCaptured(t) {
		for i, b := range frames {
			if compare(t, b) >= 0 && name != "malformed" && name != "odd" {
				t.Errorf("%s frame %d: a host's frame is judged differently", name, i)
			}
		}
	}
	seen := map[int]bool{}
	mutants(t, func(b []byte) { seen[compare(t, b)] = true })
	for _, b := range disputed() {
		seen[compare(t, b)] = true
	}
	// An entry that nothing needs would hide a new difference.
	for i, d := range differences {
		if !seen[i] {
			t.Errorf("no frame shows that %s", d.why)
		}
	}
}

func FuzzParse(f *testing.F) {
	addSeeds(f)
	f.Fuzz(func(t *testing.T, b []byte) { compare(t, b) })
}
