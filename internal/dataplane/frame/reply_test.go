package frame

import (
	"bytes"
	"encoding/binary"
	"testing"

	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"
)

const routerIP IPv4 = 192<<24 | 168<<16 | 1

func TestMayError(t *testing.T) {
	with := func(change func(h *Header)) []byte {
		h := testHeader
		change(&h)
		return AppendUDP(nil, h, 1, 2, make([]byte, 20))
	}
	fragment := func(word uint16) []byte {
		b := AppendUDP(nil, testHeader, 1, 2, make([]byte, 24))
		binary.BigEndian.PutUint16(b[20:], word)
		return b
	}
	tests := []struct {
		name string
		b    []byte
		want bool
	}{
		{"UDP", with(func(*Header) {}), true},
		{"GRE", AppendIPv4(nil, testHeader, 47, nil), true},
		{"an echo request", AppendICMPEcho(nil, testHeader, false, 1, 1, nil), true},
		{"an echo reply", AppendICMPEcho(nil, testHeader, true, 1, 1, nil), true},
		{"unreachable", AppendICMP(nil, testHeader, 3, 1, 0, nil), false},
		{"time exceeded", AppendICMP(nil, testHeader, 11, 0, 0, nil), false},
		{"a redirect", AppendICMP(nil, testHeader, 5, 0, 0, nil), false},
		{"ICMP of an unknown type", AppendICMP(nil, testHeader, 77, 0, 0, nil), false},
		{"the first fragment", fragment(0x2000), true},
		{"a later fragment", fragment(0x0003), false},
		{"broadcast by Ethernet", with(func(h *Header) { h.Dst = BroadcastMAC }), false},
		{"multicast by Ethernet", with(func(h *Header) { h.Dst = 0x01005e000001 }), false},
		{"to broadcast", with(func(h *Header) { h.DstIP = 0xffff_ffff }), false},
		{"to multicast", with(func(h *Header) { h.DstIP = 224<<24 | 1 }), false},
		{"from nobody", with(func(h *Header) { h.SrcIP = 0 }), false},
		{"from loopback", with(func(h *Header) { h.SrcIP = 127<<24 | 1 }), false},
		{"from multicast", with(func(h *Header) { h.SrcIP = 239 << 24 }), false},
		{"from what is reserved", with(func(h *Header) { h.SrcIP = 240<<24 | 1 }), false},
		{"ARP", AppendARPRequest(nil, clientMAC, clientIP, serverIP), false},
		{"malformed", with(func(*Header) {})[:30], false},
	}
	for _, tt := range tests {
		var v View
		if v.Parse(tt.b); v.MayError() != tt.want {
			t.Errorf("%s: %t", tt.name, v.MayError())
		}
	}
}

func TestICMPError(t *testing.T) {
	for _, size := range []int{0, 3, 100, 519, 520, 521, 9000} {
		cause := append(AppendUDP(nil, testHeader, 1, 2, make([]byte, size)), 0, 0) // Ethernet padding
		var v View
		v.Parse(cause)
		h := v.Back(routerIP)
		h.TOS = InternetworkControl
		b := AppendICMPError(nil, h, ICMPUnreachable, FragmentationNeeded, 1500, &v, cause)
		if len(b) != ICMPErrorLen(&v) || len(b) > EthernetLen+576 {
			t.Errorf("%d bytes about %d, announced as %d", len(b), len(cause), ICMPErrorLen(&v))
		}
		p := gopacket.NewPacket(b, layers.LayerTypeEthernet, gopacket.Default)
		eth, ip := p.Layer(layers.LayerTypeEthernet).(*layers.Ethernet), p.Layer(layers.LayerTypeIPv4).(*layers.IPv4)
		icmp, ok := p.Layer(layers.LayerTypeICMPv4).(*layers.ICMPv4)
		if !ok || p.ErrorLayer() != nil {
			t.Fatalf("%x: %v", b, p)
		}
		if MACAt(eth.DstMAC) != clientMAC || MACAt(eth.SrcMAC) != serverMAC || IPv4At(ip.SrcIP) != routerIP ||
			IPv4At(ip.DstIP) != clientIP || ip.TOS != 0xc0 || naiveChecksum(b[34:]) != 0 {
			t.Errorf("%v", p)
		}
		// gopacket has the MTU (RFC 1191) where an echo has its number.
		if icmp.TypeCode != layers.CreateICMPv4TypeCode(3, 4) || icmp.Id != 0 || icmp.Seq != 1500 {
			t.Errorf("%+v", icmp)
		}
		if want := cause[14:min(int(v.End), 14+548)]; !bytes.Equal(icmp.Payload, want) {
			t.Errorf("quotes %d bytes, want %d", len(icmp.Payload), len(want))
		}
		var e View
		e.Parse(b)
		if q, ok := e.Inner(b); !ok || q.SrcPort != 1 || q.DstPort != 2 || e.MayError() {
			t.Errorf("quotes %+v", q)
		}
	}
}

// The rules of RFC 9293, section 3.10.7.1: what a reset has to look like so that
// the sender takes it.
func TestTCPReset(t *testing.T) {
	tests := []struct {
		name  string
		flags uint8
		data  int
		want  Segment
	}{
		{"SYN", TCPSyn, 0, Segment{Ack: 1001, Flags: TCPRst | TCPAck}},
		{"SYN with data", TCPSyn, 5, Segment{Ack: 1006, Flags: TCPRst | TCPAck}},
		{"FIN without ACK", TCPFin, 5, Segment{Ack: 1006, Flags: TCPRst | TCPAck}},
		{"SYN and FIN", TCPSyn | TCPFin, 0, Segment{Ack: 1002, Flags: TCPRst | TCPAck}},
		{"no flags", 0, 7, Segment{Ack: 1007, Flags: TCPRst | TCPAck}},
		{"ACK", TCPAck, 7, Segment{Seq: 77, Flags: TCPRst}},
		{"SYN, ACK", TCPSyn | TCPAck, 0, Segment{Seq: 77, Flags: TCPRst}},
		{"FIN, ACK", TCPFin | TCPAck, 3, Segment{Seq: 77, Flags: TCPRst}},
	}
	for _, tt := range tests {
		seg := AppendTCP(nil, testHeader, Segment{
			SrcPort: 40000, DstPort: 80, Seq: 1000, Ack: 77, Flags: tt.flags, Options: []byte{2, 4, 5, 0xb4},
		}, make([]byte, tt.data))
		var v View
		v.Parse(append(seg, 0, 0, 0)) // Ethernet padding is no data
		b, ok := AppendTCPReset(nil, &v)
		if !ok || len(b) != TCPResetLen {
			t.Fatalf("%s: %t, %d bytes", tt.name, ok, len(b))
		}
		p := gopacket.NewPacket(b, layers.LayerTypeEthernet, gopacket.Default)
		ip, tcp := p.Layer(layers.LayerTypeIPv4).(*layers.IPv4), p.Layer(layers.LayerTypeTCP).(*layers.TCP)
		var r View
		r.Parse(b)
		if IPv4At(ip.SrcIP) != serverIP || IPv4At(ip.DstIP) != clientIP || r.Dst != clientMAC || r.Src != serverMAC ||
			tcp.SrcPort != 80 || tcp.DstPort != 40000 || L4Checksum(serverIP, clientIP, ProtoTCP, b[34:]) != 0 {
			t.Errorf("%s: %v", tt.name, p)
		}
		if tcp.Seq != tt.want.Seq || tcp.Ack != tt.want.Ack || r.TCPFlags != tt.want.Flags || tcp.Window != 0 {
			t.Errorf("%s: seq %d ack %d flags %#x, want %+v", tt.name, tcp.Seq, tcp.Ack, r.TCPFlags, tt.want)
		}
	}

	first := AppendTCP(nil, testHeader, Segment{SrcPort: 1, DstPort: 2, Flags: TCPAck}, make([]byte, 4))
	first[20] = 0x20
	multicast := testHeader
	multicast.DstIP = 224<<24 | 1
	for name, b := range map[string][]byte{
		"a reset":      AppendTCP(nil, testHeader, Segment{Flags: TCPRst | TCPAck}, nil),
		"a fragment":   first,
		"UDP":          AppendUDP(nil, testHeader, 1, 2, nil),
		"to multicast": AppendTCP(nil, multicast, Segment{Flags: TCPAck}, nil),
		"malformed":    first[:40],
	} {
		var v View
		v.Parse(b)
		if got, ok := AppendTCPReset([]byte("x"), &v); ok || string(got) != "x" {
			t.Errorf("%s is answered by %x", name, got)
		}
	}
}

func TestRepliesDoNotAllocate(t *testing.T) {
	buf := make([]byte, 0, 2048)
	cause := AppendTCP(nil, testHeader, Segment{SrcPort: 1, DstPort: 2, Flags: TCPAck}, make([]byte, 1000))
	var v View
	v.Parse(cause)
	if n := testing.AllocsPerRun(100, func() {
		AppendICMPError(buf, v.Back(routerIP), ICMPTimeExceeded, 0, 0, &v, cause)
		AppendTCPReset(buf, &v)
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
